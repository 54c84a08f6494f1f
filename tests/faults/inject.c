/* SPDX-License-Identifier: MIT */
/*
 * Linked into a library of the shim's own objects, with --wrap=tcpdiag_syscall: the system calls of
 * the shim, and only they, can be made to fail.
 *
 * TCPDIAG_FAULT=NAME:ERRNO:NTH: the NTH call of NAME in a process fails, 0: each of them.
 * TCPDIAG_FAULT_TRACE=FILE: a line for each call goes there, its name.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shim/process/sys.h"

long __real_tcpdiag_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_tcpdiag_syscall(long number, long a, long b, long c, long d, long e, long f);
int64_t __real_sys_nanoseconds(clockid_t clock);
int64_t __wrap_sys_nanoseconds(clockid_t clock);

#define ROW(name)                                                                                  \
    {                                                                                              \
        SYS_##name, #name                                                                          \
    }
enum { CLOCK = -1 };
static const struct {
    long number;
    const char *name;
} rows[] = {
    {CLOCK, "clock"},   ROW(openat),          ROW(fstat),      ROW(newfstatat), ROW(write),
    ROW(writev),        ROW(fcntl),           ROW(getsockopt), ROW(setsockopt), ROW(getsockname),
    ROW(getpeername),   ROW(recvmsg),         ROW(ppoll),      ROW(ioctl),      ROW(rt_sigprocmask),
    ROW(rt_sigpending), ROW(rt_sigtimedwait), ROW(madvise),    ROW(prlimit64),  ROW(uname),
    ROW(readlinkat),    ROW(gettid),          ROW(getpid),     ROW(geteuid),    ROW(getuid),
    ROW(getegid),       ROW(getgid),          ROW(mkdirat),    ROW(close),      ROW(sched_yield),
    ROW(close_range),   ROW(clock_gettime),   ROW(getcwd),     ROW(pwritev2),   ROW(sendmsg),
    ROW(sigaltstack),   ROW(statx),           ROW(pread64),    ROW(lseek),      ROW(fstatfs),
    ROW(dup3),          ROW(fchmod),          ROW(socket),     ROW(connect),
};

static const char *name_of(long number)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].number == number)
            return rows[i].name;
    return "unknown";
}

/* Past every hook: it is the shim that is watched. */
static void trace(const char *name)
{
    const char *path = getenv("TCPDIAG_FAULT_TRACE");
    char line[64];
    if (!path)
        return;
    int fd = (int)__real_tcpdiag_syscall(SYS_openat, -100, (long)path,
                                         O_WRONLY | O_APPEND | O_CREAT, 0600, 0, 0);
    int length = snprintf(line, sizeof line, "%s\n", name);
    __real_tcpdiag_syscall(SYS_write, fd, (long)line, length, 0, 0, 0);
    __real_tcpdiag_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}

static bool fails(long number)
{
    static _Atomic long calls;
    char name[32];
    int error;
    long which;
    int saved = errno;
    const char *fault = getenv("TCPDIAG_FAULT");
    trace(name_of(number));
    errno = saved;
    if (!fault || sscanf(fault, "%31[^:]:%d:%ld", name, &error, &which) != 3 ||
        strcmp(name, name_of(number)) != 0)
        return false;
    long call = atomic_fetch_add(&calls, 1) + 1;
    if (which != 0 && call != which)
        return false;
    errno = error;
    return true;
}

long __wrap_tcpdiag_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    if (!fails(number))
        return __real_tcpdiag_syscall(number, a, b, c, d, e, f);
    int error = errno;
    if (number == SYS_close && error != EBADF) /* close(2): whatever it returns, it has closed */
        __real_tcpdiag_syscall(number, a, b, c, d, e, f);
    errno = error;
    return -1;
}

int64_t __wrap_sys_nanoseconds(clockid_t clock)
{
    return fails(CLOCK) ? 0 : __real_sys_nanoseconds(clock);
}
