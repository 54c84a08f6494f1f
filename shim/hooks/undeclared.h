/* SPDX-License-Identifier: MIT */
/* Hooks that no header of a C library declares, or not with types that the hook can have. Their
   types are those of their rows in shim/process/real.h. */
#ifndef TCPDIAG_UNDECLARED_H
#define TCPDIAG_UNDECLARED_H

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

/* glibc's own names for fork(2). */
pid_t __fork(void);
pid_t __libc_fork(void);

/* Declared with a list of unknown length, or with types of other headers. */
int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
pid_t forkpty(int *terminal, char *name, const void *settings, const void *size);

/* In glibc 2.36 and later. */
int pidfd_getfd(int process, int number, unsigned flags);

/* What -D_FORTIFY_SOURCE makes of the names without __ and _chk. */
ssize_t __read_chk(int fd, void *bytes, size_t length, size_t room);
ssize_t __recv_chk(int fd, void *bytes, size_t length, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *bytes, size_t length, size_t room, int flags,
                       struct sockaddr *address, socklen_t *address_length);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                const sigset_t *mask, size_t room);

/* Called by the assembly beside them. */
void *tcpdiag_before_vfork(void);
void *tcpdiag_before_process(long number, unsigned long a, unsigned long b, unsigned long c);

#endif
