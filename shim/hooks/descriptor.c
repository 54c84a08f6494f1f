/* SPDX-License-Identifier: MIT */
/* The calls that give a descriptor a second number, or put another in its place. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#include "shim/attempts/flight.h"
#include "shim/attempts/in_flight.h"
#include "shim/attempts/sole.h"
#include "shim/log/stderr.h"
#include "shim/process/real.h"
#include "shim/process/sys.h"

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
