/* SPDX-License-Identifier: MIT */
/*
 * Standard error as the log: a pipe or a terminal whose reader may be asleep or gone. Nothing waits
 * for the reader, and no signal is raised. Async-signal-safe, thread-safe; errno is changed.
 */
#ifndef TCPDIAG_STDERR_H
#define TCPDIAG_STDERR_H

#include <stdbool.h>
#include <stddef.h>

/* Remembers what standard error is, while it is what the user gave. */
void tcpdiag_stderr_init(void);

/* Opens what cannot be opened later: the program is about to have threads, or to forbid it. */
void tcpdiag_stderr_prepare(void);

/* The program closes standard error or puts something else there: what was opened of it is closed,
   so that its reader sees its end. */
void tcpdiag_stderr_closing(void);

/* One line. False where it was not written, or not all of it. */
bool tcpdiag_stderr_write(const char *line, size_t length);

#endif
