/* SPDX-License-Identifier: MIT */
#include "shim/attempts/attempt.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "shim/attempts/answers.h"
#include "shim/attempts/sole.h"
#include "shim/diagnosis/endpoint.h"
#include "shim/diagnosis/icmp.h"
#include "shim/evidence/evidence.h"
#include "shim/log/log.h"
#include "shim/process/real.h"
#include "shim/process/scratch.h"
#include "shim/process/settings.h"
#include "shim/process/sys.h"
#include "shim/process/threads.h"
#include "shim/process/valgrind.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

static _Atomic uint64_t numbers;

uint64_t tcpdiag_numbers(unsigned count)
{
    return atomic_fetch_add_explicit(&numbers, count, memory_order_relaxed) + 1;
}

/* Whether the program could read these bytes, without reading them: a null or wild pointer is for
   the kernel to refuse. rt_sigprocmask copies 8 bytes in before it looks at its first argument, and
   returns EFAULT where it cannot, EINVAL else; it is the cheapest call that does. Memory is mapped
   by the page: 8 aligned bytes, which lie in one, tell of all of it. */
bool tcpdiag_readable(const void *start, size_t length)
{
    const uintptr_t page = 4096;
    const uintptr_t first = (uintptr_t)start & ~(uintptr_t)7;
    const uintptr_t last = ((uintptr_t)start + length - 1) & ~(uintptr_t)7;
    if (tcpdiag_under_valgrind)
        return tcpdiag_valgrind_readable((const char *)first, (const char *)last);
    if (sys_call(SYS_rt_sigprocmask, -1, first, NULL, 8) != -1 || errno != EINVAL)
        return false;
    return (first ^ last) < page ||
           (sys_call(SYS_rt_sigprocmask, -1, last, NULL, 8) == -1 && errno == EINVAL);
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

static uint64_t cookie_of(int fd)
{
    uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    return sys_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0 ? cookie : 0;
}

static bool established(const struct tcpdiag_evidence *e)
{
    /* Closed by a reset after the handshake was measured: it had been established. */
    if (e->tcp_state == TCP_CLOSE)
        return e->rtt_us > 0;
    return e->tcp_state > 0 && e->tcp_state != TCP_SYN_SENT && e->tcp_state != TCP_SYN_RECV;
}

/* Of what follows, some takes something away from the socket: its error, what is on its error
   queue, an option. It works on the program's own number, in the middle of the program's own call
   with that number: a number of ours would have to be opened, and every thread would see it. So it
   is left undone where somebody else may hold the socket, and where the number is another socket's
   by now. */
static bool may_take_from(const struct tcpdiag_attempt *attempt)
{
    return tcpdiag_sole(attempt->fd) && cookie_of(attempt->fd) == attempt->cookie;
}

/* IPv6 puts an ICMP error on the queue only where IPV6_RECVERR was set before it came. It changes
   what a program sees later on, so it is opt-in, never touches a program's own choice, and is taken
   back when the attempt has ended. */
static bool ask_for_ipv6_errors(int fd, const struct tcpdiag_endpoint *peer)
{
    int on = 1;
    if (!tcpdiag_config.ipv6_recverr || peer->family != AF_INET6 || !tcpdiag_sole(fd) ||
        sys_int_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1) != 0)
        return false;
    return sys_setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on) == 0;
}

static void stop_asking(const struct tcpdiag_attempt *attempt)
{
    int off = 0;
    if (attempt->own_recverr && cookie_of(attempt->fd) == attempt->cookie)
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
        tcpdiag_evidence_queue(attempt->fd, evidence);
    evidence->queue_complete = attempt->own_recverr || attempt->peer.family == AF_INET;
}

/* Why it failed, as far as the socket knows, after the program has its error or has given the
   socket up. */
static void read_failure(const struct tcpdiag_attempt *attempt, int error,
                         struct tcpdiag_evidence *evidence)
{
    if (cookie_of(attempt->fd) != attempt->cookie)
        return;
    tcpdiag_evidence_local(attempt->fd, attempt->family, error, evidence);
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
    tcpdiag_sink_record(record);
}

static void write_begin(const struct tcpdiag_attempt *attempt)
{
    if (tcpdiag_config.events != TCPDIAG_EVENTS_ALL)
        return;
    struct tcpdiag_record record = {.phase = TCPDIAG_BEGIN};
    write_connect(attempt, &record);
}

bool tcpdiag_wanted(enum tcpdiag_outcome outcome)
{
    return tcpdiag_config.events != TCPDIAG_EVENTS_FAILURES ||
           (outcome != TCPDIAG_CONNECTED && outcome != TCPDIAG_RESOLVED &&
            outcome != TCPDIAG_ABANDONED);
}

static void write_end(const struct tcpdiag_attempt *attempt, enum tcpdiag_ending ending, int error,
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

/* The end by the kernel's word, which the program has. */
static void end_with_error(const struct tcpdiag_attempt *attempt, int error,
                           struct tcpdiag_evidence *evidence)
{
    int64_t now = sys_nanoseconds(CLOCK_MONOTONIC);
    if (error != 0) {
        read_failure(attempt, error, evidence);
        /* A blocking connect that fails resets the socket, its counters included. */
        if (attempt->blocking == TCPDIAG_BLOCKING && evidence->tcp_state == TCP_CLOSE)
            evidence->syn_retransmits = evidence->rtt_us = -1;
    }
    stop_asking(attempt);
    write_end(attempt, TCPDIAG_ENDED_RESULT, error, attempt->failed_ns ? attempt->failed_ns : now,
              evidence);
}

/* ---- one call ---- */

static void forget(struct tcpdiag_attempt *attempt);

/* Nobody knows how it has ended or will end. */
static void write_unseen_end(const struct tcpdiag_attempt *attempt)
{
    struct tcpdiag_evidence evidence = TCPDIAG_NO_EVIDENCE;
    write_end(attempt, TCPDIAG_ENDED_UNSEEN, 0, sys_nanoseconds(CLOCK_MONOTONIC), &evidence);
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

static void call_begin(struct tcpdiag_call *call, int fd, const void *address, unsigned length,
                       int flags, bool begun)
{
    int saved = errno;
    long mode;
    sa_family_t family;
    call->tcp = call->missed = false;
    call->fd = fd;
    call->sent_before = 0;
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
    attempt->cookie = cookie_of(fd);
    bool waits = !(mode & O_NONBLOCK) && !(flags & MSG_DONTWAIT);
    attempt->blocking = waits ? TCPDIAG_BLOCKING : TCPDIAG_NONBLOCKING;
    attempt->own_recverr = ask_for_ipv6_errors(fd, &attempt->peer);
    attempt->untouched = unused || tcpdiag_evidence_untouched(fd);
    memcpy(&family, address, sizeof family);
    attempt->family = family;
    if (waits && call->sent_before == 0)
        write_begin(attempt);
    attempt->begin_ns = sys_nanoseconds(CLOCK_MONOTONIC);
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
    const bool all = tcpdiag_config.events == TCPDIAG_EVENTS_ALL;
    bool begun = attempt->blocking == TCPDIAG_BLOCKING && all && !late;
    attempt->pid = tcpdiag_sink_pid();
    if (tcpdiag_attempts_look(attempt->fd, &old)) {
        if (old.fd == attempt->fd)
            forget(&old);
        else
            tcpdiag_attempts_drop_alias(&old);
    }
    if (!begun && !tcpdiag_attempts_have_room()) {
        tcpdiag_sink_lose(all ? 2 : 1,
                          "more connects in flight than the table holds: some are missing");
        return;
    }
    if (!begun)
        write_begin(attempt);
    if (!tcpdiag_sole(attempt->fd))
        attempt->port = tcpdiag_evidence_port(attempt->fd);
    if (!tcpdiag_attempts_add(attempt))
        write_unseen_end(attempt);
}

void tcpdiag_call_end(struct tcpdiag_call *call, int error)
{
    struct tcpdiag_attempt *attempt = &call->attempt;
    struct tcpdiag_evidence evidence = TCPDIAG_NO_EVIDENCE;
    int saved = errno;
    bool blocking = attempt->blocking == TCPDIAG_BLOCKING;
    if (call->missed) {
        /* Else the program was mistaken, as the kernel had said to us. */
        if (error != EBADF && error != ENOTSOCK && error != EFAULT)
            tcpdiag_sink_lose(1, "the kernel does not say what a record needs; records are lost");
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
            write_end(attempt, TCPDIAG_ENDED_RESULT, error, sys_nanoseconds(CLOCK_MONOTONIC),
                      &evidence);
        goto out;
    }
    /* Non-blocking and connected at once: not a new connect, but the kernel's confirmation of one
       that has ended meanwhile (inet_stream_connect in net/ipv4/af_inet.c). */
    tcpdiag_evidence_state(call->fd, &evidence);
    if (!(error == 0 && established(&evidence)) && cookie_of(call->fd) != attempt->cookie)
        evidence = TCPDIAG_NO_EVIDENCE; /* closed meanwhile, and its number is another socket's */
    if (error == 0 && !blocking && established(&evidence))
        goto out;
    if (error == EINTR || (error == EINPROGRESS && !blocking)) {
        goes_on(attempt,
                call->sent_before > 0); /* connect(2): after EINTR the kernel goes on by itself */
        goto out;
    }
    if (error == EINPROGRESS) { /* SO_SNDTIMEO ran out (socket(7)) */
        stop_asking(attempt);
        write_end(attempt, TCPDIAG_ENDED_LIMIT, 0, sys_nanoseconds(CLOCK_MONOTONIC), &evidence);
    } else if (error == 0 && !established(&evidence) && evidence.tcp_state > 0) {
        goes_on(attempt,
                call->sent_before > 0); /* TCP_FASTOPEN_CONNECT: success without a handshake */
    } else {
        end_with_error(attempt, error, &evidence);
    }
out:
    errno = saved;
}

/* ---- in flight ---- */

/* The attempt on fd, by this process, while fd is still its socket. Else it is forgotten: the
   socket went behind our back, by a bare system call, and nothing can be said of how it ended. */
static bool mine(struct tcpdiag_attempt *attempt)
{
    if (attempt->pid != tcpdiag_sink_pid())
        return false;
    if (cookie_of(attempt->fd) == attempt->cookie) {
        if (attempt->port == 0 || tcpdiag_evidence_port(attempt->fd) == attempt->port)
            return true;
        forget(attempt); /* somebody else has started another connect */
        return false;
    }
    int alias = attempt->alias;
    if (alias >= 0 && cookie_of(alias) == attempt->cookie && tcpdiag_attempts_take(attempt)) {
        attempt->fd = alias;
        attempt->alias = -1;
        return tcpdiag_attempts_add(attempt);
    }
    forget(attempt);
    return false;
}

/* This attempt and no other: another thread may have begun the next one on the same number. */
static void forget(struct tcpdiag_attempt *attempt)
{
    if (tcpdiag_attempts_take(attempt))
        write_unseen_end(attempt);
}

static bool find(int fd, struct tcpdiag_attempt *attempt)
{
    return tcpdiag_attempts_look(fd, attempt) && mine(attempt);
}

static void check(struct tcpdiag_attempt *attempt)
{
    struct tcpdiag_evidence evidence = TCPDIAG_NO_EVIDENCE;
    tcpdiag_evidence_state(attempt->fd, &evidence);
    if (established(&evidence)) {
        if (tcpdiag_attempts_take(attempt))
            end_with_error(attempt, 0, &evidence);
    } else if (attempt->failed_ns == 0 &&
               ((evidence.tcp_state == TCP_CLOSE && tcpdiag_sole(attempt->fd)) ||
                sys_poll_now(attempt->fd, 0) & POLLERR)) {
        /* Why it failed only SO_ERROR tells, which is the program's to read. A closed socket may
           also have been dissolved by another holder. */
        attempt->failed_ns = sys_nanoseconds(CLOCK_MONOTONIC);
        tcpdiag_attempts_update(attempt, TCPDIAG_FAILED);
    }
}

bool tcpdiag_is_in_flight(int fd)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    bool found = find(fd, &attempt);
    errno = saved;
    return found;
}

void tcpdiag_seen_ready(int fd)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    if (find(fd, &attempt))
        check(&attempt);
    errno = saved;
}

void tcpdiag_seen_error(int fd, int error)
{
    struct tcpdiag_attempt attempt;
    struct tcpdiag_evidence evidence = TCPDIAG_NO_EVIDENCE;
    int saved = errno;
    if (find(fd, &attempt) && tcpdiag_attempts_take(&attempt)) {
        tcpdiag_evidence_state(attempt.fd, &evidence);
        attempt.failed_ns = 0; /* now the program knows it */
        if (attempt.blocking == TCPDIAG_BLOCKING)
            attempt.blocking = TCPDIAG_BLOCKING_UNKNOWN; /* interrupted: its counters are kept */
        end_with_error(&attempt, error, &evidence);
    }
    errno = saved;
}

/* The error of a socket that nobody will ask any more. */
static int last_error(const struct tcpdiag_attempt *attempt, struct tcpdiag_evidence *evidence)
{
    int error = sys_int_option(attempt->fd, SOL_SOCKET, SO_ERROR, 0);
    read_failure(attempt, error, evidence);
    if (error == 0 && evidence->icmp)
        error = tcpdiag_icmp_errno(evidence->icmp_from.family, evidence->icmp_type,
                                   evidence->icmp_code);
    return error;
}

/* The same where somebody may still ask: only what can be told without taking it. A closed socket
   that a segment has come for was reset; tcp_reset in net/ipv4/tcp_input.c has one error for that.
   A connection that was dissolved is closed as well, and its segments are forgotten; one that was
   established and then reset has had more than one.
 */
static int told_error(const struct tcpdiag_attempt *attempt, struct tcpdiag_evidence *evidence)
{
    if (evidence->tcp_state != TCP_CLOSE || !attempt->untouched ||
        cookie_of(attempt->fd) != attempt->cookie)
        return 0;
    int received = tcpdiag_evidence_history(attempt->fd).received;
    if (received == 1 || (received < 0 && tcpdiag_sole(attempt->fd)))
        tcpdiag_evidence_answered(attempt->fd, evidence);
    return evidence->answered == 1 ? ECONNREFUSED : 0;
}

/* What there is to say of one that is closed, or has failed. last: see end_unasked. */
static enum tcpdiag_ending end_of_closed(const struct tcpdiag_attempt *attempt, bool last,
                                         int *error, struct tcpdiag_evidence *evidence)
{
    if (last && may_take_from(attempt))
        *error = last_error(attempt, evidence);
    if (*error == 0)
        *error = told_error(attempt, evidence);
    if (*error != 0)
        return TCPDIAG_ENDED_RESULT;
    return attempt->failed_ns != 0 || tcpdiag_sole(attempt->fd) ? TCPDIAG_ENDED_FAILED
                                                                : TCPDIAG_ENDED_UNSEEN;
}

/* The program's use of the socket ends without its asking for the error. last: nobody else in this
   process will ask either. */
static void end_unasked(const struct tcpdiag_attempt *attempt, enum tcpdiag_ending ending,
                        bool last)
{
    struct tcpdiag_evidence evidence = TCPDIAG_NO_EVIDENCE;
    int error = 0;
    tcpdiag_evidence_state(attempt->fd, &evidence);
    int64_t now = sys_nanoseconds(CLOCK_MONOTONIC);
    if ((attempt->failed_ns != 0 || evidence.tcp_state == TCP_CLOSE) && !established(&evidence)) {
        ending = end_of_closed(attempt, last, &error, &evidence);
        now = attempt->failed_ns ? attempt->failed_ns : now;
    }
    if (last)
        stop_asking(attempt);
    write_end(attempt, ending, error, now, &evidence);
}

void tcpdiag_seen_failure(int fd)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    if (find(fd, &attempt) && tcpdiag_attempts_take(&attempt)) {
        attempt.failed_ns = sys_nanoseconds(CLOCK_MONOTONIC);
        end_unasked(&attempt, TCPDIAG_ENDED_CLOSED, false);
    }
    errno = saved;
}

void tcpdiag_giving_up(int fd)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    if (!find(fd, &attempt)) {
        errno = saved;
        return;
    }
    int other = attempt.alias;
    if (attempt.fd != fd) {
        tcpdiag_attempts_drop_alias(&attempt);
    } else if (tcpdiag_attempts_take(&attempt)) {
        if (other >= 0 && cookie_of(other) == attempt.cookie) {
            /* dup'd: one number goes, the socket stays under the other. */
            attempt.fd = other;
            attempt.alias = -1;
            tcpdiag_attempts_add(&attempt);
        } else {
            end_unasked(&attempt, TCPDIAG_ENDED_CLOSED, true);
        }
    }
    errno = saved;
}

void tcpdiag_abort_begin(struct tcpdiag_abort *abort, int fd)
{
    int saved = errno;
    abort->evidence = TCPDIAG_NO_EVIDENCE;
    abort->found = find(fd, &abort->attempt);
    if (abort->found)
        tcpdiag_evidence_state(abort->attempt.fd, &abort->evidence);
    errno = saved;
}

bool tcpdiag_abort_was_pending(const struct tcpdiag_abort *abort)
{
    return abort->found && abort->evidence.tcp_state == TCP_SYN_SENT;
}

void tcpdiag_abort_end(struct tcpdiag_abort *abort)
{
    struct tcpdiag_attempt *attempt = &abort->attempt;
    int saved = errno;
    if (tcpdiag_attempts_take(attempt)) {
        stop_asking(attempt);
        write_end(attempt, TCPDIAG_ENDED_CLOSED, 0, sys_nanoseconds(CLOCK_MONOTONIC),
                  &abort->evidence);
    }
    errno = saved;
}

void tcpdiag_giving_up_all(bool last)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    /* Another thread goes on to the very end, and may ask. */
    last = last && tcpdiag_alone();
    for (unsigned at = 0; tcpdiag_attempts_next(&at, &attempt);)
        if (mine(&attempt) && tcpdiag_attempts_take(&attempt))
            end_unasked(&attempt, TCPDIAG_ENDED_PROCESS, last);
    errno = saved;
}

/* An exec may fail, and a descriptor without FD_CLOEXEC outlives it: nothing is taken from the
   sockets. The ends are written now, as there is no later; when there is, the attempts go on under
   new numbers. */
void tcpdiag_image_ends(void)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    for (unsigned at = 0; tcpdiag_attempts_next(&at, &attempt);)
        if (!attempt.ended && mine(&attempt)) { /* a vfork child's image has the parent's table */
            tcpdiag_attempts_renumber(&attempt, attempt.number, true);
            end_unasked(&attempt, TCPDIAG_ENDED_PROCESS, false);
        }
    errno = saved;
}

void tcpdiag_image_stays(void)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    for (unsigned at = 0; tcpdiag_attempts_next(&at, &attempt);)
        if (attempt.ended && attempt.pid == tcpdiag_sink_pid()) {
            struct tcpdiag_attempt again = attempt;
            again.number = tcpdiag_numbers(1);
            write_begin(&again);
            tcpdiag_attempts_renumber(&attempt, again.number, false);
        }
    errno = saved;
}

static void remember_port(struct tcpdiag_attempt *attempt)
{
    if (attempt->port == 0 && cookie_of(attempt->fd) == attempt->cookie) {
        attempt->port = tcpdiag_evidence_port(attempt->fd);
        tcpdiag_attempts_update(attempt, TCPDIAG_PORT);
    }
}

void tcpdiag_about_to_share(int fd)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    if (TCPDIAG_IN_FLIGHT() && tcpdiag_attempts_look(fd, &attempt))
        remember_port(&attempt);
    tcpdiag_sole_shared(fd);
    errno = saved;
}

void tcpdiag_about_to_share_all(void)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    if (TCPDIAG_IN_FLIGHT())
        for (unsigned at = 0; tcpdiag_attempts_next(&at, &attempt);)
            if (attempt.pid == tcpdiag_sink_pid())
                remember_port(&attempt);
    tcpdiag_sole_shared_all();
    errno = saved;
}

void tcpdiag_also_known_as(int fd, int alias)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    if (alias >= 0 && alias != fd && find(fd, &attempt))
        tcpdiag_attempts_add_alias(&attempt, alias); /* a third number is not followed */
    errno = saved;
}
