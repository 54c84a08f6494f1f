/* SPDX-License-Identifier: MIT */
/*
 * The two places that records go to. Neither ever waits for a reader, raises a signal in the
 * program, or writes to a descriptor that is not provably its own. Async-signal-safe, thread-safe;
 * errno is changed.
 */
#ifndef TCPDIAG_PLACES_H
#define TCPDIAG_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/sys.h"

/* What a file is, whatever its name. */
struct tcpdiag_file {
    dev_t device;
    ino64_t inode; /* as wide as in struct stat64 on every machine */
};

static inline bool tcpdiag_is_file(const struct stat64 *status, const struct tcpdiag_file *file)
{
    return status->st_ino == file->inode && status->st_dev == file->device;
}

/* Remember what standard error and the root folder are, while they are what the user gave. */
void tcpdiag_stderr_init(void);
void tcpdiag_log_init(void);

/* Opens the log if it is not open. */
void tcpdiag_log_prepare(void);

/* One line. False where it was not written, or not all of it. seconds: now, by the wall clock. */
bool tcpdiag_stderr_write(const char *line, size_t length);
bool tcpdiag_log_write(const char *line, size_t length, int64_t seconds);

/* A second descriptor of the same file, close-on-exec, out of the way of the program's own; -1
   where there is no room for one. */
int tcpdiag_high_copy(int fd);

/* The line, in one call of write, which is preceded by a newline where the last one was cut short.
   With the signals that this may raise held back, and taken if it has raised them (sigpending(2)).
 */
typedef long (*tcpdiag_writer)(int fd, const struct iovec *parts, int count);
bool tcpdiag_write_line(tcpdiag_writer writer, int fd, const char *line, size_t length,
                        _Atomic int *torn);
bool tcpdiag_write_line_quietly(tcpdiag_writer writer, int fd, const char *line, size_t length,
                                _Atomic int *torn);

#endif
