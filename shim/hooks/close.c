/* SPDX-License-Identifier: MIT */
/* The calls that give a descriptor up, or give it a second number. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "shim/real.h"
#include "shim/track.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4U
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

TCPDIAG_EXPORT int close(int fd)
{
    if (TCPDIAG_IN_FLIGHT())
        tcpdiag_giving_up(fd);
    return REAL(close)(fd);
}

/* Aborts a connect in flight: inet_shutdown in net/ipv4/af_inet.c. */
TCPDIAG_EXPORT int shutdown(int fd, int how)
{
    if (TCPDIAG_IN_FLIGHT() && how >= SHUT_RD && how <= SHUT_RDWR)
        tcpdiag_shutting_down(fd);
    return REAL(shutdown)(fd, how);
}

static void also_known_as(int fd, int alias)
{
    struct tcpdiag_attempt attempt;
    if (alias >= 0 && alias != fd && tcpdiag_attempts_look(fd, &attempt)) {
        attempt.alias = alias;
        tcpdiag_attempts_update(&attempt);
    }
}

TCPDIAG_EXPORT int dup(int fd)
{
    int result = REAL(dup)(fd);
    if (TCPDIAG_IN_FLIGHT())
        also_known_as(fd, result);
    return result;
}

/* dup2 closes its second descriptor, unless the first is bad or the same. */
static void about_to_replace(int fd, int replaced)
{
    if (fd != replaced && (int)syscall(SYS_fcntl, fd, F_GETFD, 0) >= 0)
        tcpdiag_giving_up(replaced);
}

TCPDIAG_EXPORT int dup2(int fd, int replaced)
{
    if (!TCPDIAG_IN_FLIGHT())
        return REAL(dup2)(fd, replaced);
    int saved = errno;
    about_to_replace(fd, replaced);
    errno = saved;
    int result = REAL(dup2)(fd, replaced);
    also_known_as(fd, result);
    return result;
}

TCPDIAG_EXPORT int dup3(int fd, int replaced, int flags)
{
    if (!TCPDIAG_IN_FLIGHT())
        return REAL(dup3)(fd, replaced, flags);
    int saved = errno;
    if ((flags & ~O_CLOEXEC) == 0)
        about_to_replace(fd, replaced);
    errno = saved;
    int result = REAL(dup3)(fd, replaced, flags);
    also_known_as(fd, result);
    return result;
}

static void giving_up_range(unsigned first, unsigned last)
{
    struct tcpdiag_attempt attempt;
    for (unsigned at = 0; tcpdiag_attempts_next(&at, &attempt);)
        if ((unsigned)attempt.fd >= first && (unsigned)attempt.fd <= last)
            tcpdiag_giving_up(attempt.fd);
}

TCPDIAG_EXPORT int close_range(unsigned first, unsigned last, int flags)
{
    if (TCPDIAG_IN_FLIGHT() && !(flags & (int)CLOSE_RANGE_CLOEXEC))
        giving_up_range(first, last);
    if (!REAL(close_range))
        return (int)syscall(SYS_close_range, first, last, flags);
    return REAL(close_range)(first, last, flags);
}

TCPDIAG_EXPORT void closefrom(int first)
{
    unsigned from = first > 0 ? (unsigned)first : 0;
    if (TCPDIAG_IN_FLIGHT())
        giving_up_range(from, ~0U);
    if (REAL(closefrom))
        REAL(closefrom)(first);
    else
        syscall(SYS_close_range, from, ~0U, 0);
}
