/* SPDX-License-Identifier: MIT */
/* The calls that give a descriptor up, or give it a second number. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#include "shim/attempts/attempt.h"
#include "shim/attempts/sole.h"
#include "shim/hooks/spawn.h"
#include "shim/log/places.h"
#include "shim/process/real.h"
#include "shim/process/sys.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum { UNSHARES = 2 }; /* CLOSE_RANGE_UNSHARE of linux/close_range.h */

static void closing_stderr(void)
{
    int saved = errno;
    tcpdiag_stderr_closing();
    errno = saved;
}

TCPDIAG_EXPORT int close(int fd)
{
    if (TCPDIAG_UNLIKELY(fd == STDERR_FILENO))
        closing_stderr();
    if (TCPDIAG_IN_FLIGHT())
        tcpdiag_giving_up(fd);
    return REAL(close)(fd);
}

/* Aborts a connect in flight: inet_shutdown in net/ipv4/af_inet.c. One that has failed keeps its
   error for whoever asks. */
TCPDIAG_EXPORT int shutdown(int fd, int how)
{
    struct tcpdiag_abort abort;
    if (!TCPDIAG_IN_FLIGHT())
        return REAL(shutdown)(fd, how);
    tcpdiag_abort_begin(&abort, fd);
    int result = REAL(shutdown)(fd, how);
    if (result == 0 && tcpdiag_abort_was_pending(&abort))
        tcpdiag_abort_end(&abort);
    return result;
}

/* After a call that has given the socket a second number. */
static void has_second_number(int fd, int result)
{
    if (result < 0 || result == fd)
        return;
    tcpdiag_about_to_share(fd);
    tcpdiag_sole_shared(result);
    if (TCPDIAG_IN_FLIGHT())
        tcpdiag_also_known_as(fd, result);
}

TCPDIAG_EXPORT int dup(int fd)
{
    int result = REAL(dup)(fd);
    has_second_number(fd, result);
    return result;
}

/* fcntl takes an int, a pointer or nothing; libc's own fetches a pointer as well. */
#define FCNTL(name)                                                                                \
    TCPDIAG_EXPORT int name(int fd, int command, ...)                                              \
    {                                                                                              \
        va_list list;                                                                              \
        va_start(list, command);                                                                   \
        void *argument = va_arg(list, void *);                                                     \
        va_end(list);                                                                              \
        int result = REAL(name)(fd, command, argument);                                            \
        if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)                                      \
            has_second_number(fd, result);                                                         \
        return result;                                                                             \
    }
FCNTL(fcntl)
FCNTL(fcntl64)
#if defined(TCPDIAG_TIME64)
FCNTL(__fcntl_time64)
#endif

/* dup2 closes its second descriptor, unless the first is bad or the same. */
static void about_to_replace(int fd, int replaced)
{
    int saved = errno;
    bool replaces = fd != replaced && (TCPDIAG_IN_FLIGHT() || replaced == STDERR_FILENO) &&
                    sys_fcntl(fd, F_GETFD, 0) >= 0;
    if (replaces && TCPDIAG_IN_FLIGHT())
        tcpdiag_giving_up(replaced);
    if (replaces && replaced == STDERR_FILENO)
        tcpdiag_stderr_closing();
    errno = saved;
}

TCPDIAG_EXPORT int dup2(int fd, int replaced)
{
    about_to_replace(fd, replaced);
    int result = REAL(dup2)(fd, replaced);
    has_second_number(fd, result);
    return result;
}

TCPDIAG_EXPORT int dup3(int fd, int replaced, int flags)
{
    if ((flags & ~O_CLOEXEC) == 0)
        about_to_replace(fd, replaced);
    int result = REAL(dup3)(fd, replaced, flags);
    has_second_number(fd, result);
    return result;
}

static void giving_up_range(unsigned first, unsigned last)
{
    struct tcpdiag_attempt attempt;
    for (unsigned at = 0; tcpdiag_attempts_next(&at, &attempt);)
        if ((unsigned)attempt.fd >= first && (unsigned)attempt.fd <= last)
            tcpdiag_giving_up(attempt.fd);
    if (first <= STDERR_FILENO && last >= STDERR_FILENO)
        closing_stderr();
}

/* With CLOSE_RANGE_UNSHARE the other threads keep their descriptors, with CLOSE_RANGE_CLOEXEC
   everybody. A kernel that lacks the call (before Linux 5.9) or a wrong range closes nothing. */
TCPDIAG_EXPORT int close_range(unsigned first, unsigned last, int flags)
{
    if ((TCPDIAG_IN_FLIGHT() || first <= STDERR_FILENO) && flags == 0) {
        int saved = errno;
        if (sys_call(SYS_close_range, ~0U, ~0U, 0) == 0)
            giving_up_range(first, last);
        errno = saved;
    }
    if (flags & UNSHARES)
        tcpdiag_about_to_part();
    if (ABSENT(close_range))
        return (int)sys_call(SYS_close_range, first, last, flags);
    return REAL(close_range)(first, last, flags);
}

/* For a C library without closefrom: the kernel's close_range (Linux 5.9), or one by one. */
static void close_from(unsigned first)
{
    int saved = errno;
    if (sys_call(SYS_close_range, first, ~0U, 0) != 0) {
        uint64_t end = sys_limit(RLIMIT_NOFILE, 1024);
        for (uint64_t fd = first; fd < end; fd++)
            sys_close((int)fd);
    }
    errno = saved;
}

TCPDIAG_EXPORT void closefrom(int first)
{
    unsigned from = first > 0 ? (unsigned)first : 0;
    if (TCPDIAG_IN_FLIGHT() || from <= STDERR_FILENO)
        giving_up_range(from, ~0U);
    if (ABSENT(closefrom))
        close_from(from);
    else
        REAL(closefrom)(first);
}
