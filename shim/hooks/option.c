/* SPDX-License-Identifier: MIT */
/* The calls that ask how a connect in flight has gone: getsockopt(SO_ERROR) and getpeername. */
#include <string.h>

#include "shim/attempts/flight.h"
#include "shim/attempts/in_flight.h"
#include "shim/process/real.h"

static int after_getsockopt(int fd, int level, int option, const void *value,
                            const socklen_t *length, int result)
{
    int error;
    if (!TCPDIAG_IN_FLIGHT() || level != SOL_SOCKET || option != SO_ERROR || result != 0 ||
        *length < (socklen_t)sizeof error)
        return result;
    memcpy(&error, value, sizeof error);
    if (error != 0)
        tcpdiag_seen_error(fd, error);
    else
        tcpdiag_seen_ready(fd);
    return result;
}

TCPDIAG_EXPORT int getsockopt(int fd, int level, int option, void *value, socklen_t *length)
{
    return after_getsockopt(fd, level, option, value, length,
                            REAL(getsockopt)(fd, level, option, value, length));
}

#if defined(TCPDIAG_TIME64)
TCPDIAG_EXPORT int __getsockopt64(int fd, int level, int option, void *value, socklen_t *length)
{
    return after_getsockopt(fd, level, option, value, length,
                            REAL(__getsockopt64)(fd, level, option, value, length));
}
#endif

TCPDIAG_EXPORT int getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
    int result = REAL(getpeername)(fd, address, length);
    if (TCPDIAG_IN_FLIGHT())
        tcpdiag_seen_ready(fd);
    return result;
}
