/* SPDX-License-Identifier: MIT */
/*
 * read, write and their kin, for one thing only: a program that never asks for SO_ERROR learns from
 * its next transfer that the connect has failed, and the transfer takes the error with it. The data
 * is none of our business. With nothing in flight this is one load and one jump.
 */
#include "shim/hooks/transfer.h"

#include <errno.h>

#include "shim/attempts/flight.h"
#include "shim/attempts/in_flight.h"
#include "shim/hooks/rights.h"
#include "shim/hooks/undeclared.h"
#include "shim/process/real.h"

/* The errors that are the connection's own, as opposed to the call's (icmp_err_convert in
   net/ipv4/icmp.c and net/ipv6/icmp.c, tcp_reset in net/ipv4/tcp_input.c). */
bool tcpdiag_ends_connection(int error)
{
    switch (error) {
    case ECONNREFUSED:
    case ECONNRESET:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENONET:
    case ENOPROTOOPT:
    case EPROTO:
    case EACCES:
        return true;
    default:
        return false;
    }
}

/* After any transfer with something in flight: a failure that is the connection's own ends it. */
void tcpdiag_after_transfer(int fd, ssize_t result)
{
    if (result >= 0)
        tcpdiag_seen_ready(fd);
    else if (tcpdiag_ends_connection(errno))
        tcpdiag_seen_error(fd, errno);
}

#define TRANSFER(name, parameters, arguments)                                                      \
    TCPDIAG_EXPORT ssize_t name parameters                                                         \
    {                                                                                              \
        ssize_t result = REAL(name) arguments;                                                     \
        if (TCPDIAG_IN_FLIGHT())                                                                   \
            tcpdiag_after_transfer(fd, result);                                                    \
        return result;                                                                             \
    }

TRANSFER(read, (int fd, void *bytes, size_t length), (fd, bytes, length))
TRANSFER(readv, (int fd, const struct iovec *parts, int count), (fd, parts, count))
TRANSFER(recv, (int fd, void *bytes, size_t length, int flags), (fd, bytes, length, flags))
TRANSFER(recvfrom,
         (int fd, void *bytes, size_t length, int flags, struct sockaddr *address,
          socklen_t *address_length),
         (fd, bytes, length, flags, address, address_length))
#define RECVMSG(name)                                                                              \
    TCPDIAG_EXPORT ssize_t name(int fd, struct msghdr *message, int flags)                         \
    {                                                                                              \
        ssize_t result = REAL(name)(fd, message, flags);                                           \
        if (TCPDIAG_IN_FLIGHT())                                                                   \
            tcpdiag_after_transfer(fd, result);                                                    \
        if (result >= 0)                                                                           \
            tcpdiag_rights_came(message);                                                          \
        return result;                                                                             \
    }
RECVMSG(recvmsg)
#if defined(TCPDIAG_TIME64)
RECVMSG(__recvmsg64)
#endif

#define RECVMMSG(name, time)                                                                       \
    TCPDIAG_EXPORT int name(int fd, struct mmsghdr *messages, unsigned count, int flags,           \
                            time *timeout)                                                         \
    {                                                                                              \
        int result = REAL(name)(fd, messages, count, flags, timeout);                              \
        if (TCPDIAG_IN_FLIGHT())                                                                   \
            tcpdiag_after_transfer(fd, result);                                                    \
        for (int i = 0; i < result; i++)                                                           \
            tcpdiag_rights_came(&messages[i].msg_hdr);                                             \
        return result;                                                                             \
    }
RECVMMSG(recvmmsg, struct timespec)
#if defined(TCPDIAG_TIME64)
RECVMMSG(__recvmmsg64, void)
RECVMMSG(__recvmmsg_time64, void)
#endif
TRANSFER(write, (int fd, const void *bytes, size_t length), (fd, bytes, length))
TRANSFER(writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
TRANSFER(send, (int fd, const void *bytes, size_t length, int flags), (fd, bytes, length, flags))

/* What programs built with _FORTIFY_SOURCE call instead. */
TRANSFER(__read_chk, (int fd, void *bytes, size_t length, size_t size), (fd, bytes, length, size))
TRANSFER(__recv_chk, (int fd, void *bytes, size_t length, size_t size, int flags),
         (fd, bytes, length, size, flags))
TRANSFER(__recvfrom_chk,
         (int fd, void *bytes, size_t length, size_t size, int flags, struct sockaddr *address,
          socklen_t *address_length),
         (fd, bytes, length, size, flags, address, address_length))
