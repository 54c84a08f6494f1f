/* SPDX-License-Identifier: MIT */
/*
 * The kernel, past libc's wrappers: those of socket and descriptor calls are hooks of our own, and
 * fstat, gettid and others are missing from old C libraries. Each returns the kernel's value, or -1
 * with errno. Async-signal-safe.
 */
#ifndef TCPDIAG_SYS_H
#define TCPDIAG_SYS_H

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline int sys_getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
    return (int)syscall(SYS_getsockopt, fd, level, name, value, length);
}

static inline int sys_setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    return (int)syscall(SYS_setsockopt, fd, level, name, value, length);
}

static inline int sys_int_option(int fd, int level, int name, int otherwise)
{
    int value = 0;
    socklen_t length = sizeof value;
    return sys_getsockopt(fd, level, name, &value, &length) == 0 ? value : otherwise;
}

static inline int sys_getsockname(int fd, void *address, socklen_t *length)
{
    return (int)syscall(SYS_getsockname, fd, address, length);
}

static inline long sys_recvmsg(int fd, struct msghdr *message, int flags)
{
    return syscall(SYS_recvmsg, fd, message, flags);
}

static inline long sys_write(int fd, const void *bytes, size_t length)
{
    return syscall(SYS_write, fd, bytes, length);
}

static inline int sys_fstat(int fd, struct stat *status)
{
#ifdef SYS_fstat
    return (int)syscall(SYS_fstat, fd, status);
#else
    return (int)syscall(SYS_newfstatat, fd, "", status, AT_EMPTY_PATH);
#endif
}

static inline int sys_lstat(const char *path, struct stat *status)
{
    return (int)syscall(SYS_newfstatat, AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

static inline int sys_open(const char *path, int flags, int mode)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static inline int sys_close(int fd)
{
    return (int)syscall(SYS_close, fd);
}

static inline int sys_fcntl(int fd, int command, long argument)
{
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

static inline int sys_poll_now(int fd, short events)
{
    struct pollfd one = {fd, events, 0};
    struct timespec none = {0, 0};
    long ready = syscall(SYS_ppoll, &one, 1, &none, NULL, 0);
    return ready > 0 ? one.revents : 0;
}

/* Whether this process has a child that it has not waited for. */
static inline int sys_has_children(void)
{
    return syscall(SYS_waitid, P_ALL, 0, NULL,
                   WEXITED | WNOHANG | WNOWAIT | 0x40000000 /* __WALL */, NULL) == 0;
}

static inline int64_t sys_nanoseconds(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        return 0;
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

#endif
