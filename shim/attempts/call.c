/* SPDX-License-Identifier: MIT */
#include "shim/attempts/call.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "shim/attempts/attempt.h"
#include "shim/attempts/flight.h"
#include "shim/attempts/in_flight.h"
#include "shim/attempts/sole.h"
#include "shim/attempts/unfinished.h"
#include "shim/attempts/waiting.h"
#include "shim/evidence/evidence.h"
#include "shim/log/log.h"
#include "shim/process/identity.h"
#include "shim/process/readable.h"
#include "shim/process/real.h"
#include "shim/process/settings.h"
#include "shim/process/sys.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* IPv6 puts an ICMP error on the queue only where IPV6_RECVERR was set before it came. It changes
   what a program sees later on, so it is opt-in, never touches a program's own choice, and is taken
   back when the attempt has ended. */
static bool ask_for_ipv6_errors(int fd, const struct tcpdiag_endpoint *peer)
{
    int on = 1;
    if (!tcpdiag_settings.ipv6_recverr || peer->family != AF_INET6 || !tcpdiag_sole(fd) ||
        sys_int_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1) != 0)
        return false;
    return sys_setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on) == 0;
}

bool tcpdiag_disconnects(const void *address, unsigned length)
{
    int saved = errno;
    sa_family_t family = AF_INET;
    if (length >= sizeof family && length <= sizeof(struct sockaddr_storage) && address &&
        tcpdiag_readable(address, length))
        memcpy(&family, address, sizeof family);
    errno = saved;
    return family == AF_UNSPEC;
}

/* What has to be known of a call before it is made. missed: the kernel did not answer. */
static bool is_connect(struct tcpdiag_call *call, const void *address, unsigned length, long *mode)
{
    if (length < 16 || length > sizeof(struct sockaddr_storage) || !address)
        return false;
    int protocol = sys_int_option(call->fd, SOL_SOCKET, SO_PROTOCOL, -1);
    if (protocol != IPPROTO_TCP && protocol != IPPROTO_MPTCP) {
        call->missed = protocol < 0;
        return false;
    }
    call->missed =
        !tcpdiag_readable(address, length) || (*mode = sys_fcntl(call->fd, F_GETFL, 0)) < 0;
    return !call->missed;
}

/* Whether the call can only answer about an earlier connect of the socket. Of a closed one that was
   in use it is known afterwards: before Linux 5.0 the kernel did not forget what it had sent. */
static bool is_about_earlier(struct tcpdiag_call *call)
{
    struct tcpdiag_history history = tcpdiag_evidence_history(call->fd);
    if (history.tcp_state >= 0 && history.tcp_state != TCP_CLOSE)
        return true;
    call->sent_before = history.tcp_state < 0 || history.sent < 0 ? 0 : history.sent;
    return false;
}

static bool was_about_earlier(const struct tcpdiag_call *call)
{
    return call->sent_before > 0 && tcpdiag_evidence_history(call->fd).sent <= call->sent_before;
}

/* Ends what this thread has never returned from. */
__attribute__((noinline)) static void end_lost(const struct tcpdiag_call *call)
{
    struct tcpdiag_waiting lost;
    while (tcpdiag_waiting_take_lost((uintptr_t)call, &lost))
        tcpdiag_unfinished(&lost, true);
}

static void enter(struct tcpdiag_call *call)
{
    struct tcpdiag_waiting waiting;
    waiting.number = call->attempt.number;
    waiting.begin_ns = call->attempt.begin_ns;
    waiting.lookup = waiting.again = false;
    waiting.attempt = call->attempt;
    tcpdiag_pid_and_tid(&waiting.tid);
    call->place = tcpdiag_waiting_enter(&waiting, (uintptr_t)call);
}

static void call_begin(struct tcpdiag_call *call, int fd, const void *address, unsigned length,
                       int flags, bool begun)
{
    int saved = errno;
    long mode;
    sa_family_t family;
    call->tcp = call->missed = false;
    call->fd = fd;
    call->sent_before = 0;
    call->place = -1;
    TCPDIAG_STARTED();
    if (!is_connect(call, address, length, &mode))
        goto out;
    struct tcpdiag_attempt *attempt = &call->attempt;
    memset(attempt, 0, sizeof *attempt);
    tcpdiag_endpoint_from(&attempt->peer, address, length);
    if (attempt->peer.family == 0)
        goto out; /* AF_UNSPEC and nonsense */
    bool unused = tcpdiag_sole_unused(fd);
    if (!unused && !begun && is_about_earlier(call))
        goto out;
    call->tcp = true;
    attempt->fd = fd;
    attempt->alias = attempt->main = attempt->epoll_fd = -1;
    attempt->number = tcpdiag_numbers(1);
    attempt->cookie = tcpdiag_cookie_of(fd);
    bool waits = !(mode & O_NONBLOCK) && !(flags & MSG_DONTWAIT);
    attempt->blocking = waits ? TCPDIAG_BLOCKING : TCPDIAG_NONBLOCKING;
    attempt->own_recverr = ask_for_ipv6_errors(fd, &attempt->peer);
    attempt->untouched = unused || tcpdiag_evidence_untouched(fd);
    memcpy(&family, address, sizeof family);
    attempt->family = family;
    if (waits && call->sent_before == 0)
        tcpdiag_write_begin(attempt);
    attempt->begin_ns = sys_nanoseconds(CLOCK_MONOTONIC);
    if (waits) {
        if (TCPDIAG_UNLIKELY(tcpdiag_waiting_any()))
            end_lost(call);
        enter(call);
    }
out:
    errno = saved;
}

void tcpdiag_call_begin(struct tcpdiag_call *call, int fd, const void *address, unsigned length,
                        int flags)
{
    call_begin(call, fd, address, length, flags, false);
}

void tcpdiag_call_begun(struct tcpdiag_call *call, int fd, const void *address, unsigned length)
{
    call_begin(call, fd, address, length, MSG_DONTWAIT, true);
}

/* late: its begin was held back. */
static void goes_on(struct tcpdiag_attempt *attempt, bool late)
{
    struct tcpdiag_attempt old;
    const bool all = tcpdiag_settings.events == TCPDIAG_EVENTS_ALL;
    bool begun = attempt->blocking == TCPDIAG_BLOCKING && all && !late;
    attempt->pid = tcpdiag_pid();
    if (tcpdiag_attempts_look(attempt->fd, &old)) {
        if (old.fd == attempt->fd)
            tcpdiag_forget(&old);
        else
            tcpdiag_attempts_drop_alias(&old);
    }
    if (!begun && !tcpdiag_attempts_have_room()) {
        tcpdiag_log_lose(all ? 2 : 1,
                         "more connects in flight than the table holds: some are missing");
        return;
    }
    if (!begun)
        tcpdiag_write_begin(attempt);
    if (!tcpdiag_sole(attempt->fd))
        attempt->port = tcpdiag_evidence_port(attempt->fd);
    if (!tcpdiag_attempts_add(attempt))
        tcpdiag_write_unseen_end(attempt);
}

void tcpdiag_call_end(struct tcpdiag_call *call, int error)
{
    struct tcpdiag_attempt *attempt = &call->attempt;
    struct tcpdiag_evidence evidence = TCPDIAG_NO_EVIDENCE;
    int saved = errno;
    bool blocking = attempt->blocking == TCPDIAG_BLOCKING;
    if (!tcpdiag_waiting_leave(call->place, attempt->number))
        goto out; /* another thread ends the process */
    if (call->missed) {
        /* After these the program has made a mistake, and nothing is lost. */
        if (error != EBADF && error != ENOTSOCK && error != EFAULT)
            tcpdiag_log_lose(1, "the kernel does not say what a record needs; records are lost");
        goto out;
    }
    if (error != EINPROGRESS && error != EINTR && was_about_earlier(call)) {
        if (error != 0 && TCPDIAG_IN_FLIGHT())
            tcpdiag_seen_error(call->fd, error);
        goto out;
    }
    if (error == EISCONN || error == EALREADY) {
        /* Another attempt's socket: nothing was begun by this call. Its begin, where it was
           written, is ended as what it is. */
        if (blocking && call->sent_before == 0)
            tcpdiag_write_end(attempt, TCPDIAG_ENDED_RESULT, error,
                              sys_nanoseconds(CLOCK_MONOTONIC), &evidence);
        goto out;
    }
    /* Non-blocking and connected at once: not a new connect, but the kernel's confirmation of one
       that has ended meanwhile (inet_stream_connect in net/ipv4/af_inet.c). */
    tcpdiag_evidence_state(call->fd, &evidence);
    if (!(error == 0 && tcpdiag_established(&evidence)) &&
        tcpdiag_cookie_of(call->fd) != attempt->cookie)
        evidence = TCPDIAG_NO_EVIDENCE; /* closed meanwhile, and its number is another socket's */
    if (error == 0 && !blocking && tcpdiag_established(&evidence))
        goto out;
    if (error == EINTR || (error == EINPROGRESS && !blocking)) {
        goes_on(attempt,
                call->sent_before > 0); /* connect(2): after EINTR the kernel goes on by itself */
        goto out;
    }
    if (error == EINPROGRESS) { /* SO_SNDTIMEO ran out (socket(7)); the connect goes on */
        attempt->limit_ns = sys_nanoseconds(CLOCK_MONOTONIC);
        if (tcpdiag_cookie_of(call->fd) == attempt->cookie)
            goes_on(attempt, call->sent_before > 0);
        else /* closed meanwhile: nobody can ask any more */
            tcpdiag_write_end(attempt, TCPDIAG_ENDED_LIMIT, 0, attempt->limit_ns, &evidence);
    } else if (error == 0 && !tcpdiag_established(&evidence) && evidence.tcp_state > 0) {
        goes_on(attempt,
                call->sent_before > 0); /* TCP_FASTOPEN_CONNECT: success without a handshake */
    } else {
        tcpdiag_end_with_error(attempt, error, &evidence);
    }
out:
    errno = saved;
}
