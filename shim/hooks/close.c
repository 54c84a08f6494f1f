/* SPDX-License-Identifier: MIT */
/* The calls that give a descriptor up. */
#include <errno.h>
#include <fcntl.h>

#include "shim/attempts/flight.h"
#include "shim/attempts/in_flight.h"
#include "shim/attempts/sole.h"
#include "shim/hooks/spawn.h"
#include "shim/log/stderr.h"
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
