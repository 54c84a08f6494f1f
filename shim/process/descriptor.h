/* SPDX-License-Identifier: MIT */
/* Descriptors of the library's own, out of the program's way. Async-signal-safe; errno is changed.
 */
#ifndef TCPDIAG_DESCRIPTOR_H
#define TCPDIAG_DESCRIPTOR_H

#include <stdbool.h>

#include "shim/process/file.h"

/* Moves a descriptor of ours out of the way of the program's own, to 1000 or above where
   RLIMIT_NOFILE allows; close-on-exec. fd is an open descriptor of file. few: also where the
   program may have only a few descriptors. Returns -1 and leaves fd alone where there is no room.
 */
int tcpdiag_moved_up(int fd, const struct tcpdiag_file *file, bool few);

/* Closes fd if it is that file, and nothing that the program has put there since. */
void tcpdiag_close_own(int fd, const struct tcpdiag_file *file);

#endif
