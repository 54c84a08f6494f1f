/* SPDX-License-Identifier: MIT */
/*
 * The functions that the hooks stand in front of: the next definition of each name after ours,
 * which is libc's or another preload library's. And those of libc's that the library itself calls:
 * by their names it could reach the program's own (bash has a getenv).
 *
 * A new hook is a row here, its function in hooks/ and its name in exports.lds.
 */
#ifndef TCPDIAG_REAL_H
#define TCPDIAG_REAL_H

#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "shim/start.h"

struct gaicb; /* glibc's, behind _GNU_SOURCE; musl has none */

/* A program of a 32-bit machine whose time_t has 64 bits calls other names (_TIME_BITS in
   feature_test_macros(7)): glibc's since 2.34, or musl's since 1.2, with this for a time. */
#if __SIZEOF_LONG__ == 4
#define TCPDIAG_TIME64 1
struct tcpdiag_timespec64 {
    int64_t seconds;
    int32_t
        rest; /* nanoseconds; both C libraries put them first, both machines are little-endian */
    int32_t padding;
};
#define TCPDIAG_REAL_TIME64(X)                                                                     \
    X(int, __clock_gettime64, (clockid_t, struct tcpdiag_timespec64 *))                            \
    X(int, __ppoll64, (struct pollfd *, nfds_t, const void *, const sigset_t *))                   \
    X(int, __ppoll_time64, (struct pollfd *, nfds_t, const void *, const sigset_t *))              \
    X(int, __select64, (int, fd_set *, fd_set *, fd_set *, void *))                                \
    X(int, __select_time64, (int, fd_set *, fd_set *, fd_set *, void *))                           \
    X(int, __pselect64, (int, fd_set *, fd_set *, fd_set *, const void *, const sigset_t *))       \
    X(int, __pselect_time64, (int, fd_set *, fd_set *, fd_set *, const void *, const sigset_t *))  \
    X(int, __epoll_pwait2_time64,                                                                  \
      (int, struct epoll_event *, int, const void *, const sigset_t *))                            \
    X(int, __fcntl_time64, (int, int, ...))                                                        \
    X(int, __getsockopt64, (int, int, int, void *, socklen_t *))                                   \
    X(ssize_t, __recvmsg64, (int, struct msghdr *, int))                                           \
    X(int, __recvmmsg64, (int, struct mmsghdr *, unsigned, int, void *))                           \
    X(int, __recvmmsg_time64, (int, struct mmsghdr *, unsigned, int, void *))                      \
    X(ssize_t, __sendmsg64, (int, const struct msghdr *, int))
#else
#define TCPDIAG_REAL_TIME64(X)
#endif

typedef const struct sockaddr *tcpdiag_sockaddr;

#define TCPDIAG_SPAWN_PARAMETERS                                                                   \
    (pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,         \
     char *const *, char *const *)

/* X(type, name, parameters) */
#define TCPDIAG_REAL(X)                                                                            \
    X(long, syscall, (long, long, long, long, long, long, long)) /* first: see hooks/seccomp.c */  \
    TCPDIAG_REAL_TIME64(X)                                                                         \
    X(char *, getenv, (const char *))                                                              \
    X(char *, secure_getenv, (const char *))                                                       \
    X(char *, dlerror, (void))                                                                     \
    X(const char *, gnu_get_libc_version, (void)) /* there where the C library is glibc */         \
    X(int, clock_gettime, (clockid_t, struct timespec *))                                          \
    X(int, socket, (int, int, int))                                                                \
    X(int, connect, (int, tcpdiag_sockaddr, socklen_t))                                            \
    X(ssize_t, sendto, (int, const void *, size_t, int, tcpdiag_sockaddr, socklen_t))              \
    X(ssize_t, sendmsg, (int, const struct msghdr *, int))                                         \
    X(int, getaddrinfo, (const char *, const char *, const struct addrinfo *, struct addrinfo **)) \
    X(int, getaddrinfo_a, (int, struct gaicb *[], int, struct sigevent *))                         \
    X(struct hostent *, gethostbyname, (const char *))                                             \
    X(struct hostent *, gethostbyname2, (const char *, int))                                       \
    X(int, gethostbyname_r,                                                                        \
      (const char *, struct hostent *, char *, size_t, struct hostent **, int *))                  \
    X(int, gethostbyname2_r,                                                                       \
      (const char *, int, struct hostent *, char *, size_t, struct hostent **, int *))             \
    X(int, poll, (struct pollfd *, nfds_t, int))                                                   \
    X(int, __poll_chk, (struct pollfd *, nfds_t, int, size_t))                                     \
    X(int, ppoll, (struct pollfd *, nfds_t, const struct timespec *, const sigset_t *))            \
    X(int, __ppoll_chk,                                                                            \
      (struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t))                \
    X(int, select, (int, fd_set *, fd_set *, fd_set *, struct timeval *))                          \
    X(int, pselect,                                                                                \
      (int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *))              \
    X(int, epoll_ctl, (int, int, int, struct epoll_event *))                                       \
    X(int, epoll_wait, (int, struct epoll_event *, int, int))                                      \
    X(int, epoll_pwait, (int, struct epoll_event *, int, int, const sigset_t *))                   \
    X(int, epoll_pwait2,                                                                           \
      (int, struct epoll_event *, int, const struct timespec *, const sigset_t *))                 \
    X(int, getsockopt, (int, int, int, void *, socklen_t *))                                       \
    X(int, getpeername, (int, struct sockaddr *, socklen_t *))                                     \
    X(int, shutdown, (int, int))                                                                   \
    X(int, fcntl, (int, int, ...))                                                                 \
    X(int, fcntl64, (int, int, ...))                                                               \
    X(int, close, (int))                                                                           \
    X(int, dup, (int))                                                                             \
    X(int, dup2, (int, int))                                                                       \
    X(int, dup3, (int, int, int))                                                                  \
    X(int, close_range, (unsigned, unsigned, int))                                                 \
    X(void, closefrom, (int))                                                                      \
    X(ssize_t, read, (int, void *, size_t))                                                        \
    X(ssize_t, __read_chk, (int, void *, size_t, size_t))                                          \
    X(ssize_t, readv, (int, const struct iovec *, int))                                            \
    X(ssize_t, recv, (int, void *, size_t, int))                                                   \
    X(ssize_t, __recv_chk, (int, void *, size_t, size_t, int))                                     \
    X(ssize_t, recvfrom, (int, void *, size_t, int, struct sockaddr *, socklen_t *))               \
    X(ssize_t, __recvfrom_chk, (int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *)) \
    X(ssize_t, recvmsg, (int, struct msghdr *, int))                                               \
    X(ssize_t, write, (int, const void *, size_t))                                                 \
    X(ssize_t, writev, (int, const struct iovec *, int))                                           \
    X(ssize_t, send, (int, const void *, size_t, int))                                             \
    X(int, sendmmsg, (int, struct mmsghdr *, unsigned, int))                                       \
    X(int, recvmmsg, (int, struct mmsghdr *, unsigned, int, struct timespec *))                    \
    X(pid_t, vfork, (void))                                                                        \
    X(pid_t, _Fork, (void))                                                                        \
    X(pid_t, forkpty, (int *, char *, const void *, const void *))                                 \
    X(pid_t, __fork, (void))                                                                       \
    X(pid_t, __libc_fork, (void))                                                                  \
    X(int, unshare, (int))                                                                         \
    X(int, __clone, (int (*)(void *), void *, int, void *, void *, void *, void *))                \
    X(int, clone, (int (*)(void *), void *, int, void *, void *, void *, void *))                  \
    X(int, pidfd_getfd, (int, int, unsigned))                                                      \
    X(int, daemon, (int, int))                                                                     \
    X(int, system, (const char *))                                                                 \
    X(FILE *, popen, (const char *, const char *))                                                 \
    X(int, posix_spawn, TCPDIAG_SPAWN_PARAMETERS)                                                  \
    X(int, posix_spawnp, TCPDIAG_SPAWN_PARAMETERS)                                                 \
    X(int, pthread_create, (pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))       \
    X(int, thrd_create, (thrd_t *, int (*)(void *), void *))                                       \
    X(pid_t, fork, (void))                                                                         \
    X(int, execve, (const char *, char *const[], char *const[]))                                   \
    X(int, execv, (const char *, char *const[]))                                                   \
    X(int, execvp, (const char *, char *const[]))                                                  \
    X(int, execvpe, (const char *, char *const[], char *const[]))                                  \
    X(int, fexecve, (int, char *const[], char *const[]))                                           \
    X(void, quick_exit, (int))                                                                     \
    X(void, abort, (void))                                                                         \
    X(void, _exit, (int))                                                                          \
    X(int, prctl, (int, unsigned long, unsigned long, unsigned long, unsigned long))

struct tcpdiag_real {
#define X(type, name, parameters) type(*name) parameters;
    TCPDIAG_REAL(X)
#undef X
};

extern struct tcpdiag_real tcpdiag_real;

/* Looks all of them up. */
void tcpdiag_real_init(void);

/* Looks for getaddrinfo_a once more, where glibc had none when the program started. */
void tcpdiag_real_in_libanl(void);

/* A variable of the environment, or NULL: by libc's secure_getenv(3). */
const char *tcpdiag_setting(const char *name);

/* The real function. A hook may run before our constructor. */
#define REAL(name)                                                                                 \
    (TCPDIAG_LIKELY(tcpdiag_real.name != NULL) ? tcpdiag_real.name                                 \
                                               : (tcpdiag_start(), tcpdiag_real.name))

/* At the beginning of what writes a record: another library's constructor may connect before ours
   has run, and its begin must not be lost. */
#define TCPDIAG_STARTED()                                                                          \
    do {                                                                                           \
        if (TCPDIAG_UNLIKELY(tcpdiag_real.connect == NULL))                                        \
            tcpdiag_start();                                                                       \
    } while (0)

/* A name that this C library lacks (closefrom in an old one, getaddrinfo_a in musl) is still there
   to be found, by dlsym or a weak reference, since we export it. It then answers -1 and ENOSYS, as
   the kernel does for a call that it lacks; a hook that can do better asks first. */
long tcpdiag_absent(void);
#define ABSENT(name) ((void (*)(void))REAL(name) == (void (*)(void))tcpdiag_absent)

#define TCPDIAG_EXPORT __attribute__((visibility("default")))

#endif
