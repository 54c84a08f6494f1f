/* SPDX-License-Identifier: MIT */
/* One line, in one call of the kernel. Async-signal-safe; errno is what the call has left. */
#ifndef TCPDIAG_LINE_H
#define TCPDIAG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/* Writes the parts, as writev(2) does. */
typedef long (*tcpdiag_writer)(int fd, const struct iovec *parts, int count);

/* mend: a newline goes before the line, because the last line was cut short. Returns 1 where all of
   it was written, 2: all but its newline, 0: nothing, -1: a part. */
int tcpdiag_write_line(tcpdiag_writer writer, int fd, const char *line, size_t length, bool mend);

/* The same with SIGPIPE, SIGXFSZ and SIGTTOU blocked. A signal that the write has raised is taken
   back, and one that was pending before stays so (sigpending(2)). */
int tcpdiag_write_line_quietly(tcpdiag_writer writer, int fd, const char *line, size_t length,
                               bool mend);

#endif
