/* SPDX-License-Identifier: MIT */
/*
 * The kernel, as who looks at a socket needs it. Three functions are left to whoever links this:
 * the preload library fills them with system calls that a seccomp filter of the program does not
 * kill it for and that open nothing where another thread would see it (shim/process/sys.c,
 * shim/process/clock.c, shim/attempts/own_address.c), the prober and the tools with plain ones
 * (plain.c).
 *
 * The wrappers below return the kernel's value, or -1 with errno. They are no functions of libc's,
 * because those names are hooks in a program that runs under the library. Async-signal-safe.
 */
#ifndef TCPDIAG_KERNEL_H
#define TCPDIAG_KERNEL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__i386__)
#include <linux/net.h>
#endif

#include "shim/diagnosis/duration.h"
#include "shim/diagnosis/endpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The kernel's value, or -1 with errno; ENOSYS also where the call is not to be made. */
long tcpdiag_syscall(long number, long a, long b, long c, long d, long e, long f);

/* Nanoseconds of the clock; 0 where it cannot be read. */
int64_t sys_nanoseconds(clockid_t clock);

/* 1: the address is one of this machine's, in the network namespace of the socket fd; 0: it is not;
   -1: that cannot be known. */
int tcpdiag_own_address(int fd, const struct tcpdiag_endpoint *address);

/* Whether a descriptor may be opened for a moment: no other thread could see it. */
bool tcpdiag_may_open(void);

#define SYS_PADDED(number, a, b, c, d, e, f, ...)                                                  \
    tcpdiag_syscall(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define sys_call(...) SYS_PADDED(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/* i386 had one call for them all until Linux 4.3, and libc there still uses it. */
#if defined(SYS_socketcall)
#define SYS_SOCKET_CALL(name, NAME, ...)                                                           \
    sys_call(SYS_socketcall, NAME, ((long[]){SYS_AS_LONGS(__VA_ARGS__, 0, 0, 0, 0, 0)}))
#define SYS_AS_LONGS(a, b, c, d, e, ...) (long)(a), (long)(b), (long)(c), (long)(d), (long)(e)
#else
#define SYS_SOCKET_CALL(name, NAME, ...) sys_call(name, __VA_ARGS__)
#endif

static inline int sys_getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
    return (int)SYS_SOCKET_CALL(SYS_getsockopt, SYS_GETSOCKOPT, fd, level, name, value, length);
}

static inline int sys_setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    return (int)SYS_SOCKET_CALL(SYS_setsockopt, SYS_SETSOCKOPT, fd, level, name, value, length);
}

static inline int sys_int_option(int fd, int level, int name, int otherwise)
{
    int value = 0;
    socklen_t length = sizeof value;
    return sys_getsockopt(fd, level, name, &value, &length) == 0 ? value : otherwise;
}

static inline int sys_getsockname(int fd, void *address, socklen_t *length)
{
    return (int)SYS_SOCKET_CALL(SYS_getsockname, SYS_GETSOCKNAME, fd, address, length);
}

static inline int sys_getpeername(int fd, void *address, socklen_t *length)
{
    return (int)SYS_SOCKET_CALL(SYS_getpeername, SYS_GETPEERNAME, fd, address, length);
}

static inline int sys_socket(int family, int type, int protocol)
{
    return (int)SYS_SOCKET_CALL(SYS_socket, SYS_SOCKET, family, type, protocol);
}

static inline int sys_connect(int fd, const void *address, socklen_t length)
{
    return (int)SYS_SOCKET_CALL(SYS_connect, SYS_CONNECT, fd, address, length);
}

static inline long sys_recvmsg(int fd, struct msghdr *message, int flags)
{
    return SYS_SOCKET_CALL(SYS_recvmsg, SYS_RECVMSG, fd, message, flags);
}

/*
 * CMSG_NXTHDR(3), which glibc compiled for size has as a function of a name that musl has not. One
 * that claims more than there is ends the list, as CMSG_OK does in the kernel: not every socket
 * looks at them. Of the lengths only 32 bits count: musl's structs have padding in place of the
 * others, and the program need not have cleared it.
 */
static inline struct cmsghdr *sys_control(const struct msghdr *message, struct cmsghdr *before)
{
    char *start = (char *)message->msg_control;
    size_t length = (uint32_t)message->msg_controllen;
    size_t at = 0;
    if (before)
        at = (size_t)((char *)before - start) + CMSG_ALIGN((size_t)(uint32_t)before->cmsg_len);
    if (!start || length < sizeof *before || at > length - sizeof *before)
        return NULL;
    struct cmsghdr *found = (struct cmsghdr *)(void *)(start + at);
    uint32_t claimed = (uint32_t)found->cmsg_len;
    return claimed >= sizeof *found && claimed <= length - at ? found : NULL;
}

static inline int sys_close(int fd)
{
    return (int)sys_call(SYS_close, fd);
}

static inline int sys_poll_now(int fd, short events)
{
    struct pollfd one = {fd, events, 0};
    struct timespec none = {0, 0};
    long ready = sys_call(SYS_ppoll, &one, 1, &none, NULL, 0);
    return ready > 0 ? one.revents : 0;
}

#ifdef __cplusplus
}
#endif
#endif
