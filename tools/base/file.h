/* SPDX-License-Identifier: MIT */
/* Opens files that others may have put there: a FIFO would wait for its writer, a device may never
   end. */
#ifndef TCPDIAG_TOOLS_BASE_FILE_H
#define TCPDIAG_TOOLS_BASE_FILE_H

#include <stdio.h>

/* A descriptor of a regular file for reading, without waiting; flags: 0 or O_NOFOLLOW. -1 with
   errno ENOTSUP where it is another kind of file. */
int file_open(const char *path, int flags);

/* The same as a stream. NULL with errno. */
FILE *file_stream(const char *path, int flags);

/* etc/resolv.conf or the like as a process sees it below its root, links and all. NULL with errno.
 */
FILE *file_of_root(long pid, const char *path);

/* A file that the user has named: also a pipe, a terminal and /dev/null. NULL with errno. */
FILE *file_named(const char *path);

/* "tcpdiag: who: path: " and what errno says. */
void file_complain(const char *who, const char *path);

#endif
