/* SPDX-License-Identifier: MIT */
/*
 * The log as a file: opened late, looked after, and kept out of the program's way. It is never
 * written to a descriptor that is not provably the log. Async-signal-safe, thread-safe; errno is
 * changed.
 */
#ifndef TCPDIAG_LOG_FILE_H
#define TCPDIAG_LOG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opens what cannot be opened later: the program is about to have threads, or to forbid it. */
void tcpdiag_logfile_prepare(void);

/* One line. False where it was not written, or not all of it. seconds: now, by the wall clock. */
bool tcpdiag_logfile_write(const char *line, size_t length, int64_t seconds);

#endif
