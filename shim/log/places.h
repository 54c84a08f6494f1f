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

#include "shim/process/file.h"
#include "shim/process/sys.h"

/* Remember what standard error and the root folder are, while they are what the user gave. */
void tcpdiag_stderr_init(void);
void tcpdiag_log_init(void);

/* Opens what cannot be opened later: the program is about to have threads, or to forbid it. */
void tcpdiag_stderr_prepare(void);
void tcpdiag_log_prepare(void);

/* The program closes standard error or puts something else there: what was opened of it is closed,
   so that its reader sees its end. */
void tcpdiag_stderr_closing(void);

/* One line. False where it was not written, or not all of it. seconds: now, by the wall clock. */
bool tcpdiag_stderr_write(const char *line, size_t length);
bool tcpdiag_log_write(const char *line, size_t length, int64_t seconds);

/* Moves a descriptor of ours out of the way of the program's own, to 1000 or above where
   RLIMIT_NOFILE allows; close-on-exec. fd is an open descriptor of file. few: also where the
   program may have only a few descriptors. Returns -1 and leaves fd alone where there is no room.
 */
int tcpdiag_moved_up(int fd, const struct tcpdiag_file *file, bool few);

/* Closes fd if it is that file, and nothing that the program has put there since. */
void tcpdiag_close_own(int fd, const struct tcpdiag_file *file);

/* The line, in one call, after a newline where that is needed to mend what was cut short. 1: all of
   it was written, 2: all but its newline, 0: nothing, -1: a part. */
typedef long (*tcpdiag_writer)(int fd, const struct iovec *parts, int count);
int tcpdiag_write_line(tcpdiag_writer writer, int fd, const char *line, size_t length, bool mend);

/* With the signals that this may raise held back, and taken if it has raised them (sigpending(2)).
 */
int tcpdiag_write_line_quietly(tcpdiag_writer writer, int fd, const char *line, size_t length,
                               bool mend);

#endif
