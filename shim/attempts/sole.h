/* SPDX-License-Identifier: MIT */
/*
 * Which sockets nobody else can hold. A socket's error and its error queue are there once for all
 * who hold it, under a second number or in another process, so the library takes them only where it
 * has seen the socket being made and nothing since that could have given it to somebody.
 *
 * Not seen from inside, and so in docs/limits.md: pidfd_getfd(2) by another process, a process made
 * by a bare system call.
 *
 * Lock-free, async-signal-safe. Kept in the child of a fork as "none", since both have them all.
 */
#ifndef TCPDIAG_SOLE_H
#define TCPDIAG_SOLE_H

#include <stdbool.h>

void tcpdiag_sole_init(void);

/* Changes whenever a process is made. To be read before the call that makes a socket, which another
   thread's fork may hand to the child at once. */
unsigned tcpdiag_sole_generation(void);

/* fd is a new socket, made after generation was read. */
void tcpdiag_sole_made(int fd, unsigned generation);

/* The socket of this number has, or may have, a second holder from now on. Negative: nothing. */
void tcpdiag_sole_shared(int fd);

/* That of every number: another process was made, or may be in the making. */
void tcpdiag_sole_shared_all(void);

/* Another process has the same descriptors, now and for ever: no socket is anybody's alone. */
void tcpdiag_sole_never(void);

/* Whether this process holds the socket alone, under this one number. */
bool tcpdiag_sole(int fd);

/* The same, for the first connect of a socket only: no segment can have come for it yet. */
bool tcpdiag_sole_unused(int fd);

#endif
