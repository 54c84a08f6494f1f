/* SPDX-License-Identifier: MIT */
/* socket(2), connect(2), and the calls that connect on the way: sendto, sendmsg and sendmmsg with
   MSG_FASTOPEN. */
#include <errno.h>
#include <string.h>

#include "shim/attempts/call.h"
#include "shim/attempts/flight.h"
#include "shim/attempts/in_flight.h"
#include "shim/attempts/sole.h"
#include "shim/hooks/rights.h"
#include "shim/hooks/transfer.h"
#include "shim/process/readable.h"
#include "shim/process/real.h"

#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif

/* connect with AF_UNSPEC. */
static int disconnect(int fd, const struct sockaddr *address, socklen_t length)
{
    struct tcpdiag_abort abort;
    tcpdiag_abort_begin(&abort, fd);
    int result = REAL(connect)(fd, address, length);
    if (result == 0 && abort.found)
        tcpdiag_abort_end(&abort);
    return result;
}

/* connect on a socket whose connect is in flight: asks how it went, or starts another. */
static int connect_again(int fd, const struct sockaddr *address, socklen_t length)
{
    if (tcpdiag_disconnects(address, length))
        return disconnect(fd, address, length);
    int result = REAL(connect)(fd, address, length);
    int error = result == 0 ? 0 : errno;
    if (error == 0 || error == EISCONN) {
        tcpdiag_seen_ready(fd);
    } else if (error == EINPROGRESS) { /* a pending one answers EALREADY: this is a new one */
        struct tcpdiag_call call;
        tcpdiag_call_begun(&call, fd, address, length);
        if (call.tcp || call.missed)
            tcpdiag_call_end(&call, error);
    } else if (tcpdiag_ends_connection(error)) {
        tcpdiag_seen_error(fd, error);
    } else if (error == ECONNABORTED) { /* the error itself was asked for before */
        tcpdiag_seen_failure(fd);
    }
    return result;
}

TCPDIAG_EXPORT int socket(int family, int type, int protocol)
{
    unsigned generation = tcpdiag_sole_generation();
    int fd = REAL(socket)(family, type, protocol);
    if (family == AF_INET || family == AF_INET6)
        tcpdiag_sole_made(fd, generation);
    return fd;
}

TCPDIAG_EXPORT int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    struct tcpdiag_call call;
    if (TCPDIAG_IN_FLIGHT() && tcpdiag_is_in_flight(fd))
        return connect_again(fd, address, length);
    tcpdiag_call_begin(&call, fd, address, length, 0);
    int result = REAL(connect)(fd, address, length);
    if (call.tcp || call.missed)
        tcpdiag_call_end(&call, result == 0 ? 0 : errno);
    return result;
}

TCPDIAG_EXPORT ssize_t sendto(int fd, const void *bytes, size_t length, int flags,
                              const struct sockaddr *address, socklen_t address_length)
{
    struct tcpdiag_call call = {.tcp = false, .missed = false};
    if (TCPDIAG_UNLIKELY(flags & MSG_FASTOPEN))
        tcpdiag_call_begin(&call, fd, address, address_length, flags);
    ssize_t result = REAL(sendto)(fd, bytes, length, flags, address, address_length);
    if (TCPDIAG_UNLIKELY(call.tcp || call.missed))
        tcpdiag_call_end(&call, result >= 0 ? 0 : errno);
    else if (TCPDIAG_IN_FLIGHT())
        tcpdiag_after_transfer(fd, result);
    return result;
}

#define SENDMSG(name)                                                                              \
    TCPDIAG_EXPORT ssize_t name(int fd, const struct msghdr *message, int flags)                   \
    {                                                                                              \
        struct tcpdiag_call call = {.tcp = false, .missed = false};                                \
        if (TCPDIAG_UNLIKELY(flags & MSG_FASTOPEN)) {                                              \
            int saved = errno;                                                                     \
            bool readable = tcpdiag_readable(message, sizeof *message);                            \
            errno = saved;                                                                         \
            if (readable)                                                                          \
                tcpdiag_call_begin(&call, fd, message->msg_name, message->msg_namelen, flags);     \
        }                                                                                          \
        ssize_t result = REAL(name)(fd, message, flags);                                           \
        if (TCPDIAG_UNLIKELY(call.tcp || call.missed)) {                                           \
            tcpdiag_call_end(&call, result >= 0 ? 0 : errno);                                      \
        } else if (TCPDIAG_IN_FLIGHT()) {                                                          \
            tcpdiag_after_transfer(fd, result);                                                    \
        }                                                                                          \
        if (result >= 0)                                                                           \
            tcpdiag_rights_passed(message);                                                        \
        return result;                                                                             \
    }
SENDMSG(sendmsg)

/* Several messages; a connect on the way is the first one's. */
TCPDIAG_EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    struct tcpdiag_call call = {.tcp = false, .missed = false};
    if (TCPDIAG_UNLIKELY(flags & MSG_FASTOPEN)) {
        int saved = errno;
        bool readable = count > 0 && tcpdiag_readable(messages, sizeof *messages);
        errno = saved;
        if (readable)
            tcpdiag_call_begin(&call, fd, messages->msg_hdr.msg_name, messages->msg_hdr.msg_namelen,
                               flags);
    }
    int result = REAL(sendmmsg)(fd, messages, count, flags);
    if (TCPDIAG_UNLIKELY(call.tcp || call.missed))
        tcpdiag_call_end(&call, result >= 0 ? 0 : errno);
    else if (TCPDIAG_IN_FLIGHT())
        tcpdiag_after_transfer(fd, result);
    for (int i = 0; i < result; i++)
        tcpdiag_rights_passed(&messages[i].msg_hdr);
    return result;
}

#if defined(TCPDIAG_TIME64)
SENDMSG(__sendmsg64)
#endif
