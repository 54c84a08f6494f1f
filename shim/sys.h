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
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__i386__)
#include <linux/net.h>
#endif

/* Fails with ENOSYS, and is not made, where a filter of the program forbids it (confine.h). */
long tcpdiag_syscall(long number, long a, long b, long c, long d, long e, long f);

/* Where the kernel sees it come from, the address after the instruction. */
extern const char tcpdiag_syscall_end[] __attribute__((visibility("hidden")));

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
    struct cmsghdr *found = (struct cmsghdr *)(start + at);
    uint32_t claimed = (uint32_t)found->cmsg_len;
    return claimed >= sizeof *found && claimed <= length - at ? found : NULL;
}

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

static inline int sys_close(int fd)
{
    return (int)sys_call(SYS_close, fd);
}

static inline int sys_fcntl(int fd, int command, long argument)
{
    return (int)sys_call(SYS_FCNTL, fd, command, argument);
}

static inline int sys_ioctl(int fd, unsigned long request, void *argument)
{
    return (int)sys_call(SYS_ioctl, fd, request, argument);
}

static inline int sys_poll_now(int fd, short events)
{
    struct pollfd one = {fd, events, 0};
    struct timespec none = {0, 0};
    long ready = sys_call(SYS_ppoll, &one, 1, &none, NULL, 0);
    return ready > 0 ? one.revents : 0;
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

/* 0 where the clock cannot be read. */
int64_t sys_nanoseconds(clockid_t clock);

/* 0 where one of the two could not be read: a time since the clock began would be no duration. */
static inline int64_t sys_elapsed(int64_t begin, int64_t end)
{
    return begin != 0 && end != 0 ? end - begin : 0;
}

#endif
