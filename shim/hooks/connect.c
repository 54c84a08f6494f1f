/* SPDX-License-Identifier: MIT */
/* connect(2), and the calls that connect on the way: sendto and sendmsg with MSG_FASTOPEN. */
#include <errno.h>

#include "shim/real.h"
#include "shim/track.h"

#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif

/* connect on a socket whose connect is in flight: asks how it went, or starts another. */
static int connect_again(int fd, const struct sockaddr *address, socklen_t length)
{
    if (tcpdiag_disconnects(address, length))
        tcpdiag_giving_up(fd);
    int result = REAL(connect)(fd, address, length);
    int error = result == 0 ? 0 : errno;
    if (error == 0 || error == EISCONN) {
        tcpdiag_seen_ready(fd);
    } else if (error == EINPROGRESS) { /* a pending one answers EALREADY: this is a new one */
        struct tcpdiag_call call;
        tcpdiag_call_begin(&call, fd, address, length, MSG_DONTWAIT);
        if (call.tcp)
            tcpdiag_call_end(&call, error);
    } else if (error != EALREADY && error != EINTR && error != EFAULT && error != EINVAL) {
        tcpdiag_seen_error(fd, error);
    }
    return result;
}

TCPDIAG_EXPORT int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    struct tcpdiag_call call;
    if (TCPDIAG_IN_FLIGHT() && tcpdiag_is_in_flight(fd))
        return connect_again(fd, address, length);
    tcpdiag_call_begin(&call, fd, address, length, 0);
    int result = REAL(connect)(fd, address, length);
    if (call.tcp)
        tcpdiag_call_end(&call, result == 0 ? 0 : errno);
    return result;
}

/* After any transfer with something in flight: a failure that is the connection's own ends it. */
void tcpdiag_after_transfer(int fd, ssize_t result)
{
    if (result >= 0)
        tcpdiag_seen_ready(fd);
    else if (errno != EAGAIN && errno != EINTR && errno != ENOTCONN && errno != EPIPE &&
             errno != EFAULT && errno != EINVAL && errno != EBADF && errno != ENOTSOCK)
        tcpdiag_seen_error(fd, errno);
}

TCPDIAG_EXPORT ssize_t sendto(int fd, const void *bytes, size_t length, int flags,
                              const struct sockaddr *address, socklen_t address_length)
{
    struct tcpdiag_call call = {.tcp = false};
    if (TCPDIAG_UNLIKELY(flags & MSG_FASTOPEN))
        tcpdiag_call_begin(&call, fd, address, address_length, flags);
    ssize_t result = REAL(sendto)(fd, bytes, length, flags, address, address_length);
    if (TCPDIAG_UNLIKELY(call.tcp))
        tcpdiag_call_end(&call, result >= 0 ? 0 : errno);
    else if (TCPDIAG_IN_FLIGHT())
        tcpdiag_after_transfer(fd, result);
    return result;
}

TCPDIAG_EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct tcpdiag_call call = {.tcp = false};
    if (TCPDIAG_UNLIKELY(flags & MSG_FASTOPEN) && tcpdiag_readable(message, sizeof *message))
        tcpdiag_call_begin(&call, fd, message->msg_name, message->msg_namelen, flags);
    ssize_t result = REAL(sendmsg)(fd, message, flags);
    if (TCPDIAG_UNLIKELY(call.tcp))
        tcpdiag_call_end(&call, result >= 0 ? 0 : errno);
    else if (TCPDIAG_IN_FLIGHT())
        tcpdiag_after_transfer(fd, result);
    return result;
}
