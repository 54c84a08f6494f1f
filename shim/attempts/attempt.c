/* SPDX-License-Identifier: MIT */
#include "shim/attempts/attempt.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "shim/attempts/answers.h"
#include "shim/attempts/sole.h"
#include "shim/evidence/evidence.h"
#include "shim/log/log.h"
#include "shim/process/settings.h"
#include "shim/process/sys.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

static _Atomic uint64_t numbers;

uint64_t tcpdiag_numbers(unsigned count)
{
    return atomic_fetch_add_explicit(&numbers, count, memory_order_relaxed) + 1;
}

uint64_t tcpdiag_cookie_of(int fd)
{
    uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    return sys_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0 ? cookie : 0;
}

bool tcpdiag_established(const struct tcpdiag_evidence *e)
{
    /* Closed by a reset after the handshake was measured: it had been established. */
    if (e->tcp_state == TCP_CLOSE)
        return e->rtt_us > 0;
    return e->tcp_state > 0 && e->tcp_state != TCP_SYN_SENT && e->tcp_state != TCP_SYN_RECV;
}

void tcpdiag_stop_asking(const struct tcpdiag_attempt *attempt)
{
    int off = 0;
    if (attempt->own_recverr && tcpdiag_cookie_of(attempt->fd) == attempt->cookie)
        sys_setsockopt(attempt->fd, IPPROTO_IPV6, IPV6_RECVERR, &off, sizeof off);
}

/* What the queue tells of a failure; the number is still the socket's. Where it is not ours to
   read, whether a TCP segment came back still tells a reset from an ICMP error. */
static void read_queue(const struct tcpdiag_attempt *attempt, struct tcpdiag_evidence *evidence)
{
    if (!tcpdiag_sole(attempt->fd) ||
        (!attempt->own_recverr && tcpdiag_queue_is_the_programs(attempt->fd)))
        return;
    /* tcp_poll in net/ipv4/tcp.c: POLLERR as long as something is in the queue. */
    if (sys_poll_now(attempt->fd, 0) & POLLERR)
        tcpdiag_evidence_queue(attempt->fd, &attempt->peer, evidence);
    evidence->queue_complete = attempt->own_recverr || attempt->peer.family == AF_INET;
}

/* Why it failed, as far as the socket knows, after the program has its error or has given the
   socket up. */
void tcpdiag_read_failure(const struct tcpdiag_attempt *attempt, int error,
                          struct tcpdiag_evidence *evidence)
{
    if (tcpdiag_cookie_of(attempt->fd) != attempt->cookie)
        return;
    tcpdiag_evidence_local(attempt->fd, attempt->family, error, &attempt->peer, evidence);
    /* A v4-mapped address on a socket that is for IPv6 only. */
    if (error == ENETUNREACH && attempt->peer.family == AF_INET && attempt->family == AF_INET6 &&
        sys_int_option(attempt->fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) == 1)
        evidence->foreign = true;
    read_queue(attempt, evidence);
    if (error == ECONNRESET) /* also what a shutdown or a dissolving connect leaves */
        evidence->answered = tcpdiag_evidence_history(attempt->fd).received != 0;
    else if (error == ECONNREFUSED && attempt->untouched && !evidence->queue_complete)
        tcpdiag_evidence_answered(attempt->fd, evidence);
}

static void write_connect(const struct tcpdiag_attempt *attempt, struct tcpdiag_record *record)
{
    char name[TCPDIAG_NAME_MAX];
    size_t length = tcpdiag_answers_find(&attempt->peer, name);
    if (length > 0)
        record->name = (struct tcpdiag_text){name, length};
    record->event = TCPDIAG_CONNECT;
    record->attempt = attempt->number;
    record->peer = attempt->peer;
    record->blocking = attempt->blocking;
    tcpdiag_log_record(record);
}

void tcpdiag_write_begin(const struct tcpdiag_attempt *attempt)
{
    if (tcpdiag_settings.events != TCPDIAG_EVENTS_ALL)
        return;
    struct tcpdiag_record record = {.phase = TCPDIAG_BEGIN};
    write_connect(attempt, &record);
}

void tcpdiag_write_end(const struct tcpdiag_attempt *attempt, enum tcpdiag_ending ending, int error,
                       int64_t end_ns, const struct tcpdiag_evidence *evidence)
{
    struct tcpdiag_record record = {.phase = TCPDIAG_END, .ending = ending, .error = error};
    record.duration_ns = sys_elapsed(attempt->begin_ns, end_ns);
    record.evidence = *evidence;
    record.verdict =
        tcpdiag_classify_connect(ending, error, &attempt->peer, record.duration_ns, evidence);
    if (tcpdiag_wanted(record.verdict.outcome))
        write_connect(attempt, &record);
}

/* A blocking call that fails resets the socket, its counters included (tcp_disconnect), be it
   connect, a second connect after a signal, or a send that carries the SYN. A socket that has seen
   a second pass has sent something. */
static bool counters_are_gone(const struct tcpdiag_attempt *attempt, int64_t now,
                              const struct tcpdiag_evidence *evidence)
{
    if (evidence->tcp_state != TCP_CLOSE)
        return false;
    return attempt->blocking == TCPDIAG_BLOCKING ||
           (evidence->syn_retransmits == 0 && now - attempt->begin_ns >= TCPDIAG_SECOND &&
            tcpdiag_evidence_history(attempt->fd).sent == 0);
}

void tcpdiag_end_with_error(const struct tcpdiag_attempt *attempt, int error,
                            struct tcpdiag_evidence *evidence)
{
    int64_t now = sys_nanoseconds(CLOCK_MONOTONIC);
    if (error != 0) {
        tcpdiag_read_failure(attempt, error, evidence);
        if (counters_are_gone(attempt, now, evidence))
            evidence->syn_retransmits = evidence->rtt_us = -1;
    }
    tcpdiag_stop_asking(attempt);
    tcpdiag_write_end(attempt, TCPDIAG_ENDED_RESULT, error,
                      attempt->failed_ns ? attempt->failed_ns : now, evidence);
}

/* Nobody knows how it has ended or will end. */
void tcpdiag_write_unseen_end(const struct tcpdiag_attempt *attempt)
{
    struct tcpdiag_evidence evidence = TCPDIAG_NO_EVIDENCE;
    tcpdiag_write_end(attempt, TCPDIAG_ENDED_UNSEEN, 0, sys_nanoseconds(CLOCK_MONOTONIC),
                      &evidence);
}

/* This attempt and no other: another thread may have begun the next one on the same number. */
void tcpdiag_forget(struct tcpdiag_attempt *attempt)
{
    if (tcpdiag_attempts_take(attempt))
        tcpdiag_write_unseen_end(attempt);
}
