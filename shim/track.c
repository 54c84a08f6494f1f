/* SPDX-License-Identifier: MIT */
#include "shim/track.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "shim/answers.h"
#include "shim/config.h"
#include "shim/evidence/endpoint.h"
#include "shim/evidence/evidence.h"
#include "shim/scratch.h"
#include "shim/sink.h"
#include "shim/sys.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

static _Atomic uint64_t numbers;

static uint64_t next_number(void)
{
    return atomic_fetch_add_explicit(&numbers, 1, memory_order_relaxed) + 1;
}

/* Whether the program could read these bytes, without reading them: a null or wild pointer is for
   the kernel to refuse. rt_sigprocmask copies 8 bytes in before it looks at its first argument, and
   returns EFAULT where it cannot, EINVAL else; it is the cheapest call that does. */
bool tcpdiag_readable(const void *start, size_t length)
{
    const char *at = start;
    const uintptr_t page = 4096;
    const char *last = at + length - 8;
    if (syscall(SYS_rt_sigprocmask, -1, at, NULL, 8) != -1 || errno != EINVAL)
        return false;
    return ((uintptr_t)at ^ (uintptr_t)(last + 7)) < page ||
           (syscall(SYS_rt_sigprocmask, -1, last, NULL, 8) == -1 && errno == EINVAL);
}

bool tcpdiag_disconnects(const void *address, unsigned length)
{
    int saved = errno;
    sa_family_t family = AF_INET;
    if (length >= 8 && address && tcpdiag_readable(address, 8))
        memcpy(&family, address, sizeof family);
    errno = saved;
    return family == AF_UNSPEC;
}

static bool is_tcp(int fd)
{
    int protocol = sys_int_option(fd, SOL_SOCKET, SO_PROTOCOL, -1);
    return protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
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

/* IPv6 puts an ICMP error on the queue only where IPV6_RECVERR was set before it came. It changes
   what a program sees later on, so it is opt-in, never touches a program's own choice, and is taken
   back when the attempt has ended. */
static bool ask_for_ipv6_errors(int fd, const struct tcpdiag_endpoint *peer)
{
    int on = 1;
    if (!tcpdiag_config.ipv6_recverr || peer->family != AF_INET6 ||
        sys_int_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1) != 0)
        return false;
    return sys_setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on) == 0;
}

static void stop_asking(const struct tcpdiag_attempt *attempt)
{
    int off = 0;
    if (attempt->own_recverr)
        sys_setsockopt(attempt->fd, IPPROTO_IPV6, IPV6_RECVERR, &off, sizeof off);
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

static bool wanted(enum tcpdiag_outcome outcome)
{
    return tcpdiag_config.events != TCPDIAG_EVENTS_FAILURES ||
           (outcome != TCPDIAG_CONNECTED && outcome != TCPDIAG_RESOLVED &&
            outcome != TCPDIAG_ABANDONED);
}

static void write_end(const struct tcpdiag_attempt *attempt, enum tcpdiag_ending ending, int error,
                      int64_t end_ns, const struct tcpdiag_evidence *evidence)
{
    struct tcpdiag_record record = {.phase = TCPDIAG_END, .ending = ending, .error = error};
    record.duration_ns = end_ns - attempt->begin_ns;
    record.evidence = *evidence;
    record.verdict =
        tcpdiag_classify_connect(ending, error, &attempt->peer, record.duration_ns, evidence);
    if (wanted(record.verdict.outcome))
        write_connect(attempt, &record);
}

static void ask_why(const struct tcpdiag_attempt *attempt, int error,
                    struct tcpdiag_evidence *evidence)
{
    tcpdiag_evidence_failure(attempt->fd, &attempt->peer, error, attempt->own_recverr, evidence);
    if (error == ECONNREFUSED && attempt->untouched)
        tcpdiag_evidence_answered(attempt->fd, evidence);
}

/* The end by the kernel's word, which the program has. */
static void end_with_error(const struct tcpdiag_attempt *attempt, int error,
                           struct tcpdiag_evidence *evidence)
{
    int64_t now = sys_nanoseconds(CLOCK_MONOTONIC);
    if (error != 0) {
        ask_why(attempt, error, evidence);
        /* A blocking connect that fails resets the socket, its counters included. */
        if (attempt->blocking == TCPDIAG_BLOCKING && evidence->tcp_state == TCP_CLOSE)
            evidence->syn_retransmits = evidence->rtt_us = -1;
    }
    stop_asking(attempt);
    write_end(attempt, TCPDIAG_ENDED_RESULT, error, attempt->failed_ns ? attempt->failed_ns : now,
              evidence);
}

/* ---- one call ---- */

static void forget_stale(int fd);

void tcpdiag_call_begin(struct tcpdiag_call *call, int fd, const void *address, unsigned length,
                        int flags)
{
    int saved = errno;
    call->tcp = false;
    call->fd = fd;
    if (length < 16 || length > sizeof(struct sockaddr_storage) || !address || !is_tcp(fd) ||
        !tcpdiag_readable(
            address, length < sizeof(struct sockaddr_in6) ? length : sizeof(struct sockaddr_in6)))
        goto out;
    struct tcpdiag_attempt *attempt = &call->attempt;
    memset(attempt, 0, sizeof *attempt);
    tcpdiag_endpoint_from(&attempt->peer, address, length);
    if (attempt->peer.family == 0)
        goto out; /* AF_UNSPEC and nonsense */
    call->tcp = true;
    attempt->fd = fd;
    attempt->alias = attempt->epoll_fd = -1;
    attempt->number = next_number();
    long mode = sys_fcntl(fd, F_GETFL, 0);
    bool waits = !(mode & O_NONBLOCK) && !(flags & MSG_DONTWAIT);
    attempt->blocking = waits ? TCPDIAG_BLOCKING : TCPDIAG_NONBLOCKING;
    attempt->own_recverr = ask_for_ipv6_errors(fd, &attempt->peer);
    attempt->untouched = attempt->peer.family == AF_INET6 && tcpdiag_evidence_untouched(fd);
    if (waits)
        write_begin(attempt);
    attempt->begin_ns = sys_nanoseconds(CLOCK_MONOTONIC);
out:
    errno = saved;
}

static void goes_on(struct tcpdiag_attempt *attempt)
{
    attempt->pid = tcpdiag_sink_pid();
    attempt->cookie = cookie_of(attempt->fd);
    forget_stale(attempt->fd);
    if (attempt->blocking == TCPDIAG_NONBLOCKING)
        write_begin(attempt);
    if (!tcpdiag_attempts_add(attempt))
        tcpdiag_sink_complain("more connects in flight than the table holds: some have no end");
}

void tcpdiag_call_end(struct tcpdiag_call *call, int error)
{
    struct tcpdiag_attempt *attempt = &call->attempt;
    struct tcpdiag_evidence evidence = TCPDIAG_NO_EVIDENCE;
    int saved = errno;
    bool blocking = attempt->blocking == TCPDIAG_BLOCKING;
    if (error == EISCONN || error == EALREADY) {
        /* Another attempt's socket: nothing was begun by this call. Its begin, where it was
           written, is ended as what it is. */
        if (blocking)
            write_end(attempt, TCPDIAG_ENDED_RESULT, error, sys_nanoseconds(CLOCK_MONOTONIC),
                      &evidence);
        goto out;
    }
    /* Non-blocking and connected at once: not a new connect, but the kernel's confirmation of one
       that has ended meanwhile (inet_stream_connect in net/ipv4/af_inet.c). */
    tcpdiag_evidence_state(call->fd, &evidence);
    if (error == 0 && !blocking && established(&evidence))
        goto out;
    if (error == EINTR || (error == EINPROGRESS && !blocking)) {
        goes_on(attempt); /* connect(2): after EINTR the kernel goes on by itself */
        goto out;
    }
    if (error == EINPROGRESS) { /* SO_SNDTIMEO ran out (socket(7)) */
        stop_asking(attempt);
        write_end(attempt, TCPDIAG_ENDED_LIMIT, 0, sys_nanoseconds(CLOCK_MONOTONIC), &evidence);
    } else if (error == 0 && !established(&evidence) && evidence.tcp_state > 0) {
        goes_on(attempt); /* TCP_FASTOPEN_CONNECT: success without a handshake */
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
    if (cookie_of(attempt->fd) == attempt->cookie)
        return true;
    if (attempt->alias >= 0 && cookie_of(attempt->alias) == attempt->cookie &&
        tcpdiag_attempts_take(attempt->fd, attempt->number)) {
        attempt->fd = attempt->alias;
        attempt->alias = -1;
        return tcpdiag_attempts_add(attempt);
    }
    forget_stale(attempt->fd);
    return false;
}

static void forget_stale(int fd)
{
    struct tcpdiag_attempt old;
    struct tcpdiag_evidence evidence = TCPDIAG_NO_EVIDENCE;
    if (!tcpdiag_attempts_look(fd, &old) || !tcpdiag_attempts_take(fd, old.number))
        return;
    write_end(&old, TCPDIAG_ENDED_CLOSED, 0, sys_nanoseconds(CLOCK_MONOTONIC), &evidence);
}

static bool find(int fd, struct tcpdiag_attempt *attempt)
{
    if (tcpdiag_attempts_look(fd, attempt))
        return mine(attempt);
    /* Perhaps under its other number. */
    for (unsigned at = 0; tcpdiag_attempts_next(&at, attempt);)
        if (attempt->alias == fd)
            return mine(attempt);
    return false;
}

static void check(struct tcpdiag_attempt *attempt)
{
    struct tcpdiag_evidence evidence = TCPDIAG_NO_EVIDENCE;
    tcpdiag_evidence_state(attempt->fd, &evidence);
    if (established(&evidence)) {
        if (tcpdiag_attempts_take(attempt->fd, attempt->number))
            end_with_error(attempt, 0, &evidence);
    } else if (attempt->failed_ns == 0 &&
               (evidence.tcp_state == TCP_CLOSE || sys_poll_now(attempt->fd, 0) & POLLERR)) {
        /* Why it failed only SO_ERROR tells, which is the program's to read. */
        attempt->failed_ns = sys_nanoseconds(CLOCK_MONOTONIC);
        tcpdiag_attempts_update(attempt);
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
    if (find(fd, &attempt) && tcpdiag_attempts_take(attempt.fd, attempt.number)) {
        tcpdiag_evidence_state(attempt.fd, &evidence);
        attempt.failed_ns = 0; /* now the program knows it */
        if (attempt.blocking == TCPDIAG_BLOCKING)
            attempt.blocking = TCPDIAG_BLOCKING_UNKNOWN; /* interrupted: its counters are kept */
        end_with_error(&attempt, error, &evidence);
    }
    errno = saved;
}

static void give_up(struct tcpdiag_attempt *attempt, enum tcpdiag_ending ending)
{
    struct tcpdiag_evidence evidence = TCPDIAG_NO_EVIDENCE;
    if (!tcpdiag_attempts_take(attempt->fd, attempt->number))
        return;
    tcpdiag_evidence_state(attempt->fd, &evidence);
    bool failed = attempt->failed_ns != 0 || evidence.tcp_state == TCP_CLOSE;
    if (failed && !established(&evidence) && !attempt->shared) {
        int error = sys_int_option(attempt->fd, SOL_SOCKET, SO_ERROR, 0);
        ask_why(attempt, error, &evidence);
        if (error == 0 && evidence.icmp)
            error =
                evidence.icmp_type == 3 && evidence.icmp_code == 3 ? ECONNREFUSED : EHOSTUNREACH;
        if (error != 0) {
            int64_t known = attempt->failed_ns;
            write_end(attempt, TCPDIAG_ENDED_RESULT, error,
                      known ? known : sys_nanoseconds(CLOCK_MONOTONIC), &evidence);
            return;
        }
    }
    stop_asking(attempt);
    write_end(attempt, ending, 0, sys_nanoseconds(CLOCK_MONOTONIC), &evidence);
}

void tcpdiag_giving_up(int fd)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    if (find(fd, &attempt)) {
        if (attempt.alias >= 0 && cookie_of(attempt.alias) == attempt.cookie) {
            /* dup'd: one number goes, the socket stays under the other. */
            int other = attempt.fd == fd ? attempt.alias : attempt.fd;
            if (tcpdiag_attempts_take(attempt.fd, attempt.number)) {
                attempt.fd = other;
                attempt.alias = -1;
                tcpdiag_attempts_add(&attempt);
            }
        } else {
            give_up(&attempt, TCPDIAG_ENDED_CLOSED);
        }
    }
    errno = saved;
}

void tcpdiag_shutting_down(int fd)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    if (find(fd, &attempt))
        give_up(&attempt, TCPDIAG_ENDED_CLOSED);
    errno = saved;
}

void tcpdiag_giving_up_all(enum tcpdiag_ending ending)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    for (unsigned at = 0; tcpdiag_attempts_next(&at, &attempt);)
        if (mine(&attempt))
            give_up(&attempt, ending);
    errno = saved;
}

/* ---- lookups ---- */

static void fill_lookup(const struct tcpdiag_lookup *lookup, struct tcpdiag_record *record)
{
    record->event = TCPDIAG_RESOLVE;
    record->attempt = lookup->number;
    if (lookup->name)
        record->name = (struct tcpdiag_text){lookup->name, strlen(lookup->name)};
    if (lookup->service)
        record->service = (struct tcpdiag_text){lookup->service, strlen(lookup->service)};
}

uint64_t tcpdiag_lookup_numbers(unsigned count)
{
    return atomic_fetch_add_explicit(&numbers, count, memory_order_relaxed) + 1;
}

void tcpdiag_lookup_begin(struct tcpdiag_lookup *lookup, const char *name, const char *service,
                          bool numeric)
{
    tcpdiag_lookup_begin_as(lookup, next_number(), name, service, numeric);
}

void tcpdiag_lookup_begin_as(struct tcpdiag_lookup *lookup, uint64_t number, const char *name,
                             const char *service, bool numeric)
{
    int saved = errno;
    *lookup = (struct tcpdiag_lookup){.name = name, .service = service, .number = number};
    if (!numeric && tcpdiag_config.events == TCPDIAG_EVENTS_ALL) {
        struct tcpdiag_record record = {.phase = TCPDIAG_BEGIN};
        fill_lookup(lookup, &record);
        tcpdiag_sink_record(&record);
    }
    lookup->begin_ns = sys_nanoseconds(CLOCK_MONOTONIC);
    errno = saved;
}

static void keep_answer(struct tcpdiag_record *record, const struct tcpdiag_endpoint *answer,
                        const struct tcpdiag_text *name)
{
    for (unsigned i = 0; i < record->answer_count; i++)
        if (tcpdiag_same_address(&record->answers[i], answer))
            return; /* getaddrinfo repeats an address for each socket type */
    if (record->answer_count < TCPDIAG_ANSWERS_MAX)
        record->answers[record->answer_count++] = *answer;
    if (name->bytes)
        tcpdiag_answers_store(answer, name->bytes, name->length);
}

static void end_lookup(const struct tcpdiag_lookup *lookup, struct tcpdiag_record *record)
{
    record->phase = TCPDIAG_END;
    record->duration_ns = sys_nanoseconds(CLOCK_MONOTONIC) - lookup->begin_ns;
    if (wanted(record->verdict.outcome))
        tcpdiag_sink_record(record);
}

void tcpdiag_lookup_end(const struct tcpdiag_lookup *lookup, int gai, int error,
                        const struct addrinfo *answers)
{
    struct tcpdiag_record record = {.gai = gai, .error = gai == EAI_SYSTEM ? error : 0};
    int saved = errno;
    fill_lookup(lookup, &record);
    record.verdict = tcpdiag_classify_gai(gai);
    for (; gai == 0 && answers; answers = answers->ai_next) {
        struct tcpdiag_endpoint answer;
        tcpdiag_endpoint_from(&answer, answers->ai_addr, answers->ai_addrlen);
        answer.port = 0;
        if (answer.family != 0)
            keep_answer(&record, &answer, &record.name);
    }
    end_lookup(lookup, &record);
    errno = saved;
}

void tcpdiag_lookup_end_host(const struct tcpdiag_lookup *lookup, int h_error,
                             const struct hostent *answers)
{
    struct tcpdiag_record record = {.h_error = h_error};
    int saved = errno;
    fill_lookup(lookup, &record);
    record.verdict = tcpdiag_classify_h_errno(h_error);
    for (char **at = answers ? answers->h_addr_list : NULL; at && *at; at++) {
        struct tcpdiag_endpoint answer = {.family = (uint16_t)answers->h_addrtype};
        memcpy(answer.address, *at, answer.family == AF_INET ? 4 : 16);
        keep_answer(&record, &answer, &record.name);
    }
    end_lookup(lookup, &record);
    errno = saved;
}
