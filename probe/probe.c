/* SPDX-License-Identifier: MIT */
#include "probe/probe.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "shim/evidence/endpoint.h"
#include "shim/evidence/evidence.h"

enum { STATE_SYN_SENT = 2, STATE_CLOSE = 7 }; /* net/tcp_states.h */

#define SECOND INT64_C(1000000000)

struct run {
    const struct probe *probe;
    struct tcpdiag_identity who;
    struct utsname host;
    uint64_t attempts;
};

static int64_t now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

static struct tcpdiag_record new_record(struct run *run, enum tcpdiag_event event)
{
    const char *name = run->probe->host;
    return (struct tcpdiag_record){
        .event = event,
        .phase = TCPDIAG_END,
        .who = &run->who,
        .attempt = ++run->attempts,
        .pid = (int32_t)getpid(),
        .tid = (int32_t)gettid(),
        .name = {name, strlen(name)},
        .evidence = TCPDIAG_NO_EVIDENCE,
    };
}

static void report(struct run *run, struct tcpdiag_record *record, int64_t begin)
{
    record->duration_ns = now(CLOCK_MONOTONIC) - begin;
    record->wall_ns = now(CLOCK_REALTIME);
    if (record->event == TCPDIAG_CONNECT)
        record->verdict = tcpdiag_classify_connect(record->ending, record->error, &record->peer,
                                                   record->duration_ns, &record->evidence);
    else
        record->verdict = tcpdiag_classify_gai(record->gai);
    run->probe->report(run->probe->context, record);
}

/* So that the queue holds the ICMP error for IPv6 too. A v4-mapped address is an AF_INET6 socket
   with IPv4's errors. */
static void ask_for_errors(int fd, int family)
{
    int on = 1;
    setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
}

/* True when the socket has something to say; false when the deadline has passed. */
static bool wait_until(int fd, int64_t deadline)
{
    for (;;) {
        int64_t left = deadline - now(CLOCK_MONOTONIC);
        struct pollfd one = {fd, POLLOUT, 0};
        struct timespec time = {left / SECOND, left % SECOND};
        if (left <= 0)
            return false;
        int ready = ppoll(&one, 1, &time, NULL);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return true; /* SO_ERROR will tell */
    }
}

/* The errno that the kernel gives such an ICMP error (icmp_err_convert in net/ipv4/icmp.c,
   icmpv6_err_convert in net/ipv6/icmp.c); 0 for one that does not end a connect. */
static int icmp_error(const struct tcpdiag_evidence *e)
{
    bool v6 = e->icmp_from.family == AF_INET6;
    if (e->icmp_type != (v6 ? 1 : 3))
        return e->icmp_type == (v6 ? 3 : 11) ? EHOSTUNREACH : 0;
    if (v6)
        return e->icmp_code == 4 ? ECONNREFUSED : e->icmp_code == 1 ? EACCES : EHOSTUNREACH;
    switch (e->icmp_code) {
    case 2:
        return ENOPROTOOPT;
    case 3:
        return ECONNREFUSED;
    case 4: /* fragmentation needed: path MTU discovery goes on */
        return 0;
    default:
        return EHOSTUNREACH;
    }
}

static void fail(int fd, struct tcpdiag_record *record, int error)
{
    record->error = error;
    tcpdiag_evidence_failure(fd, &record->peer, error, true, &record->evidence);
}

/* Waits for the pending connect. The state is read before the error: taking the error and the queue
   changes it. */
static void finish(int fd, struct tcpdiag_record *record, int64_t deadline)
{
    while (wait_until(fd, deadline)) {
        int error = 0;
        socklen_t length = sizeof error;
        tcpdiag_evidence_state(fd, &record->evidence);
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
            error = errno;
        if (error != 0) {
            fail(fd, record, error);
            return;
        }
        if (record->evidence.tcp_state != STATE_SYN_SENT)
            return;
        /* With IP_RECVERR poll reports POLLERR for an entry in the queue even where the connect
           goes on. Left there it would be reported for ever; a fatal one is the answer. */
        tcpdiag_evidence_failure(fd, &record->peer, 0, true, &record->evidence);
        record->error = record->evidence.icmp ? icmp_error(&record->evidence) : 0;
        if (record->error != 0)
            return;
        record->evidence = TCPDIAG_NO_EVIDENCE;
    }
    tcpdiag_evidence_state(fd, &record->evidence);
    record->ending = TCPDIAG_ENDED_LIMIT;
}

/* A connect to a free port of this machine can meet its own source port: TCP's simultaneous open
   (RFC 9293, 3.5). Nobody listens there, or the kernel would not have chosen the port; most of the
   time a reset says so. */
static void mind_own_port(int fd, struct tcpdiag_record *record)
{
    struct sockaddr_in6 name;
    socklen_t length = sizeof name;
    struct tcpdiag_endpoint self;
    if (record->error != 0 || record->ending != TCPDIAG_ENDED_RESULT ||
        getsockname(fd, (struct sockaddr *)&name, &length) != 0)
        return;
    tcpdiag_endpoint_from(&self, &name, length);
    if (self.port != record->peer.port || !tcpdiag_same_address(&self, &record->peer))
        return;
    record->error = ECONNREFUSED;
    record->evidence = TCPDIAG_NO_EVIDENCE;
    record->evidence.tcp_state = STATE_CLOSE;
    record->evidence.queue_complete = true;
}

static struct tcpdiag_verdict try_address(struct run *run, const struct addrinfo *address)
{
    int64_t begin = now(CLOCK_MONOTONIC);
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = errno;
    struct tcpdiag_record record = new_record(run, TCPDIAG_CONNECT);
    record.blocking = TCPDIAG_NONBLOCKING;
    tcpdiag_endpoint_from(&record.peer, address->ai_addr, address->ai_addrlen);
    if (fd < 0) {
        record.error = error;
        report(run, &record, begin);
        return record.verdict;
    }
    ask_for_errors(fd, address->ai_family);
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
        tcpdiag_evidence_state(fd, &record.evidence);
    } else if (errno == EINPROGRESS) {
        finish(fd, &record, begin + run->probe->limit_ns);
    } else {
        error = errno;
        tcpdiag_evidence_state(fd, &record.evidence);
        fail(fd, &record, error);
    }
    mind_own_port(fd, &record);
    close(fd);
    report(run, &record, begin);
    return record.verdict;
}

static int status_of(struct tcpdiag_verdict verdict)
{
    return tcpdiag_outcome_info(verdict.outcome)->exit_status;
}

static int try_addresses(struct run *run, const struct addrinfo *list)
{
    int status = -1;
    for (const struct addrinfo *at = list; at; at = at->ai_next) {
        int one = status_of(try_address(run, at));
        if (one == 0)
            return 0;
        status = status < 0 || status == one ? one : PROBE_STATUS_MIXED;
    }
    return status;
}

static void note_answers(struct tcpdiag_record *record, const struct addrinfo *list)
{
    for (; list && record->answer_count < TCPDIAG_ANSWERS_MAX; list = list->ai_next)
        tcpdiag_endpoint_from(&record->answers[record->answer_count++], list->ai_addr,
                              list->ai_addrlen);
}

int probe(const struct probe *probe)
{
    struct run run = {.probe = probe};
    const char *executable = program_invocation_short_name;
    run.who.executable = (struct tcpdiag_text){executable, strlen(executable)};
    run.who.start = (uint64_t)now(CLOCK_REALTIME);
    if (uname(&run.host) == 0)
        run.who.host = (struct tcpdiag_text){run.host.nodename, strlen(run.host.nodename)};

    char service[8];
    struct addrinfo *list = NULL;
    struct addrinfo hints = {
        .ai_family = probe->family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    snprintf(service, sizeof service, "%u", probe->port);
    int64_t begin = now(CLOCK_MONOTONIC);
    struct tcpdiag_record record = new_record(&run, TCPDIAG_RESOLVE);
    record.service = (struct tcpdiag_text){service, strlen(service)};
    record.gai = getaddrinfo(probe->host, service, &hints, &list);
    record.error = record.gai == EAI_SYSTEM ? errno : 0;
    note_answers(&record, record.gai == 0 ? list : NULL);
    report(&run, &record, begin);
    if (record.gai != 0)
        return status_of(record.verdict);
    int status = try_addresses(&run, list);
    freeaddrinfo(list);
    return status;
}
