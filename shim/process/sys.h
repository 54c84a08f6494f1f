/* SPDX-License-Identifier: MIT */
/*
 * The kernel, past libc's wrappers: those of socket and descriptor calls are hooks of our own, and
 * fstat, gettid and others are missing from old C libraries. Each returns the kernel's value, or -1
 * with errno. Async-signal-safe.
 *
 * Every system call of the shim goes through tcpdiag_syscall, so that one place can hold back what
 * a seccomp filter of the program would kill it for.
 */
#ifndef TCPDIAG_SYS_H
#define TCPDIAG_SYS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

#include "shim/evidence/kernel.h"

/* Where the kernel sees it come from, the address after the instruction. */
extern const char tcpdiag_syscall_end[] __attribute__((visibility("hidden")));

/* The first form of these on i386 has a narrower struct or narrower ids. */
#if defined(SYS_fstat64)
#define SYS_FSTAT SYS_fstat64
#define SYS_FSTATAT SYS_fstatat64
#define SYS_FCNTL SYS_fcntl64
#else
#define SYS_FSTAT SYS_fstat
#define SYS_FSTATAT SYS_newfstatat
#define SYS_FCNTL SYS_fcntl
#endif
#if defined(SYS_getuid32)
#define SYS_ID(name) SYS_##name##32
#else
#define SYS_ID(name) SYS_##name
#endif

static inline long sys_write(int fd, const void *bytes, size_t length)
{
    return sys_call(SYS_write, fd, bytes, length);
}

static inline long sys_sendmsg(int fd, const struct msghdr *message, int flags)
{
    return SYS_SOCKET_CALL(SYS_sendmsg, SYS_SENDMSG, fd, message, flags);
}

static inline long sys_getcwd(char *folder, size_t size)
{
    return sys_call(SYS_getcwd, folder, size);
}

static inline int sys_fstat(int fd, struct stat64 *status)
{
    return (int)sys_call(SYS_FSTAT, fd, status);
}

static inline int sys_stat(const char *path, struct stat64 *status)
{
    return (int)sys_call(SYS_FSTATAT, AT_FDCWD, path, status, 0);
}

static inline int sys_lstat(const char *path, struct stat64 *status)
{
    return (int)sys_call(SYS_FSTATAT, AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

static inline int sys_open(const char *path, int flags, int mode)
{
    return (int)sys_call(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

static inline int sys_mkdir(const char *path, int mode)
{
    return (int)sys_call(SYS_mkdirat, AT_FDCWD, path, mode);
}

static inline long sys_readlink(const char *path, char *target, size_t size)
{
    return sys_call(SYS_readlinkat, AT_FDCWD, path, target, size);
}

static inline int sys_fcntl(int fd, int command, long argument)
{
    return (int)sys_call(SYS_FCNTL, fd, command, argument);
}

static inline int sys_ioctl(int fd, unsigned long request, void *argument)
{
    return (int)sys_call(SYS_ioctl, fd, request, argument);
}

/* The limit in force; otherwise where the kernel does not say. */
static inline uint64_t sys_limit(int resource, uint64_t otherwise)
{
    struct rlimit64 limit;
    return sys_call(SYS_prlimit64, 0, resource, NULL, &limit) == 0 ? limit.rlim_cur : otherwise;
}

/* Signal sets as the kernel has them, 64 bits in every one of its calls. */
static inline int sys_sigmask(int how, const uint64_t *set, uint64_t *before)
{
    return (int)sys_call(SYS_rt_sigprocmask, how, set, before, sizeof *set);
}

/* The bytes at the end of a file, whatever its position. */
static inline long sys_pread(int fd, void *bytes, size_t length, uint64_t offset)
{
#if __SIZEOF_LONG__ == 4
    return sys_call(SYS_pread64, fd, bytes, length, (uint32_t)offset, (uint32_t)(offset >> 32));
#else
    return sys_call(SYS_pread64, fd, bytes, length, offset);
#endif
}

/* Waits until no write of the file is under way. Moves its position, which O_APPEND ignores. */
static inline void sys_seek_data(int fd)
{
#if defined(SYS__llseek)
    uint64_t position;
    sys_call(SYS__llseek, fd, 0, 0, &position, SEEK_DATA);
#else
    sys_call(SYS_lseek, fd, 0, SEEK_DATA);
#endif
}

static inline int sys_fchmod(int fd, int mode)
{
    return (int)sys_call(SYS_fchmod, fd, mode);
}

static inline int sys_fstatfs(int fd, struct statfs64 *status)
{
#if defined(SYS_fstatfs64)
    return (int)sys_call(SYS_fstatfs64, fd, sizeof *status, status);
#else
    return (int)sys_call(SYS_fstatfs, fd, status);
#endif
}

static inline int sys_sigpending(uint64_t *set)
{
    return (int)sys_call(SYS_rt_sigpending, set, sizeof *set);
}

static inline int sys_take_signal(const uint64_t *set)
{
    struct timespec none = {0, 0};
    return (int)sys_call(SYS_rt_sigtimedwait, set, NULL, &none, sizeof *set);
}

static inline int sys_uname(struct utsname *name)
{
    return (int)sys_call(SYS_uname, name);
}

static inline int sys_madvise(void *start, size_t length, int advice)
{
    return (int)sys_call(SYS_madvise, start, length, advice);
}

static inline void sys_yield(void)
{
    sys_call(SYS_sched_yield, 0);
}

static inline void sys_pause_millisecond(void)
{
    struct timespec moment = {0, 1000000};
    sys_call(SYS_ppoll, NULL, 0, &moment, NULL, 0);
}

static inline int sys_gettid(void)
{
    return (int)sys_call(SYS_gettid, 0);
}

static inline int sys_getpid(void)
{
    return (int)sys_call(SYS_getpid, 0);
}

static inline unsigned sys_geteuid(void)
{
    return (unsigned)sys_call(SYS_ID(geteuid), 0);
}

/* Whether the program runs as somebody else than its caller. */
static inline int sys_privileged(void)
{
    return sys_call(SYS_ID(getuid), 0) != sys_call(SYS_ID(geteuid), 0) ||
           sys_call(SYS_ID(getgid), 0) != sys_call(SYS_ID(getegid), 0);
}

/* Whether no filter forbids the call, for those that libc makes. */
bool sys_allowed(long number);

/* 0 where one of the two could not be read: a time since the clock began would be no duration. */
static inline int64_t sys_elapsed(int64_t begin, int64_t end)
{
    return begin != 0 && end != 0 ? end - begin : 0;
}

#endif
