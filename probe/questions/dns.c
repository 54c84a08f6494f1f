/* SPDX-License-Identifier: MIT */
#include "probe/questions/dns.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "probe/base/socket.h"
#include "probe/questions/dns_setup.h"
#include "probe/questions/dns_why.h"
#include "shim/evidence/kernel.h"

enum {
    QUESTIONS = 1 + 2 * DNS_NAMES_MAX, /* the root, then A and AAAA of each name */
    QUERY_MAX = 512,                   /* RFC 1035, 4.2.1 */
    SENDINGS = 3,                      /* UDP loses packets */
};

struct question {
    unsigned char query[QUERY_MAX];
    int length;
};

/* The same questions go to each server, each by a connected socket, so that an ICMP error comes
   back as its error. The id of a question's query is id + its index. */
struct inquiry {
    struct dns_result *result;
    struct question questions[QUESTIONS];
    unsigned count;
    uint16_t id;
    int fds[DNS_SERVERS_MAX];
    int64_t begin;
};

static struct dns_answer *answer_at(struct dns_server *server, unsigned question)
{
    if (question == 0)
        return &server->root;
    unsigned name = (question - 1) / 2;
    return question % 2 ? &server->a[name] : &server->aaaa[name];
}

static bool make_question(struct inquiry *inquiry, res_state state, const char *name, int type)
{
    struct question *question = &inquiry->questions[inquiry->count];
    question->length = res_nmkquery(state, ns_o_query, name, ns_c_in, type, NULL, 0, NULL,
                                    question->query, sizeof question->query);
    if (question->length < (int)sizeof(HEADER))
        return false;
    ns_put16((uint16_t)(inquiry->id + inquiry->count), question->query);
    inquiry->count++;
    return true;
}

/* A name of a search domain that makes no query is left out; the name itself has to make one. */
static bool make_questions(struct inquiry *inquiry, res_state state)
{
    struct dns_result *result = inquiry->result;
    unsigned kept = 0;
    if (!make_question(inquiry, state, ".", ns_t_ns))
        return false;
    for (unsigned i = 0; i < result->name_count; i++) {
        if (!make_question(inquiry, state, result->names[i], ns_t_a) ||
            !make_question(inquiry, state, result->names[i], ns_t_aaaa)) {
            if (i == 0)
                return false;
            continue;
        }
        if (kept != i)
            memcpy(result->names[kept], result->names[i], DNS_NAME_SIZE);
        kept++;
    }
    result->name_count = kept;
    return kept > 0;
}

static void unreachable(struct inquiry *inquiry, unsigned server, int error)
{
    for (unsigned i = 0; i < inquiry->count; i++) {
        struct dns_answer *answer = answer_at(&inquiry->result->servers[server], i);
        if (answer->reply == DNS_SILENT)
            *answer = (struct dns_answer){DNS_UNREACHABLE, -1, error, -1};
    }
    if (inquiry->fds[server] >= 0)
        close(inquiry->fds[server]);
    inquiry->fds[server] = -1;
}

static void open_server(struct inquiry *inquiry, unsigned server)
{
    const struct tcpdiag_endpoint *endpoint = &inquiry->result->servers[server].endpoint;
    struct sockaddr_storage address;
    socklen_t length = tcpdiag_endpoint_to(endpoint, &address);
    for (unsigned i = 0; i < inquiry->count; i++)
        *answer_at(&inquiry->result->servers[server], i) =
            (struct dns_answer){DNS_SILENT, -1, 0, -1};
    int fd = socket(endpoint->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    inquiry->fds[server] = fd;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, length) != 0)
        unreachable(inquiry, server, errno);
}

/* Sends what has no answer yet. */
static void send_to(struct inquiry *inquiry, unsigned server)
{
    for (unsigned i = 0; i < inquiry->count && inquiry->fds[server] >= 0; i++) {
        const struct question *question = &inquiry->questions[i];
        if (answer_at(&inquiry->result->servers[server], i)->reply != DNS_SILENT)
            continue;
        ssize_t sent = send(inquiry->fds[server], question->query, (size_t)question->length, 0);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            unreachable(inquiry, server, errno);
    }
}

/* The number of records of the type that was asked for; CNAMEs lead to them and do not count. */
static unsigned count_records(ns_msg *message, ns_type type)
{
    unsigned records = 0;
    for (int i = 0; i < ns_msg_count(*message, ns_s_an); i++) {
        ns_rr record;
        if (ns_parserr(message, ns_s_an, i, &record) == 0)
            records += ns_rr_type(record) == type;
    }
    return records;
}

static enum dns_reply read_reply(ns_msg *message, ns_type type)
{
    switch (ns_msg_getflag(*message, ns_f_rcode)) {
    case ns_r_noerror:
        /* A truncated answer had more records than fit: some exist. */
        return count_records(message, type) > 0 || ns_msg_getflag(*message, ns_f_tc) ? DNS_FOUND
                                                                                     : DNS_EMPTY;
    case ns_r_nxdomain:
        return DNS_NXDOMAIN;
    case ns_r_refused:
        return DNS_REFUSED;
    case ns_r_servfail:
        return DNS_SERVFAIL;
    default:
        return DNS_OTHER;
    }
}

void dns_read_packet(struct dns_answer *answer, int type, const unsigned char *packet,
                     size_t length)
{
    ns_msg message;
    answer->reply = DNS_OTHER;
    if (ns_initparse(packet, (int)length, &message) != 0 || !ns_msg_getflag(message, ns_f_qr))
        return;
    answer->rcode = (int)ns_msg_getflag(message, ns_f_rcode);
    answer->reply = read_reply(&message, (ns_type)type);
}

static ns_type type_of(unsigned question)
{
    return question == 0 ? ns_t_ns : question % 2 ? ns_t_a : ns_t_aaaa;
}

static void take_packet(struct inquiry *inquiry, unsigned server, const unsigned char *packet,
                        ssize_t length)
{
    if (length < 2)
        return;
    unsigned question = (uint16_t)(ns_get16(packet) - inquiry->id);
    if (question >= inquiry->count)
        return;
    struct dns_answer *answer = answer_at(&inquiry->result->servers[server], question);
    if (answer->reply != DNS_SILENT)
        return;
    answer->rtt_us = (sys_nanoseconds(CLOCK_MONOTONIC) - inquiry->begin) / 1000;
    dns_read_packet(answer, type_of(question), packet, (size_t)length);
}

static void read_from(struct inquiry *inquiry, unsigned server)
{
    unsigned char packet[4096];
    while (inquiry->fds[server] >= 0) {
        ssize_t length = recv(inquiry->fds[server], packet, sizeof packet, MSG_DONTWAIT);
        if (length >= 0)
            take_packet(inquiry, server, packet, length);
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            unreachable(inquiry, server, errno);
    }
}

static bool waits_for(struct inquiry *inquiry, unsigned server)
{
    for (unsigned i = 0; i < inquiry->count && inquiry->fds[server] >= 0; i++)
        if (answer_at(&inquiry->result->servers[server], i)->reply == DNS_SILENT)
            return true;
    return false;
}

/* True once nothing is waited for. */
static bool wait_until(struct inquiry *inquiry, int64_t deadline)
{
    for (;;) {
        struct pollfd polled[DNS_SERVERS_MAX];
        bool waiting = false;
        for (unsigned i = 0; i < inquiry->result->server_count; i++) {
            bool wanted = waits_for(inquiry, i);
            polled[i] = (struct pollfd){wanted ? inquiry->fds[i] : -1, POLLIN, 0};
            waiting = waiting || wanted;
        }
        int64_t left = deadline - sys_nanoseconds(CLOCK_MONOTONIC);
        struct timespec time = {left / TCPDIAG_SECOND, left % TCPDIAG_SECOND};
        if (!waiting || left <= 0)
            return !waiting;
        int ready = ppoll(polled, inquiry->result->server_count, &time, NULL);
        if (ready < 0 && errno != EINTR)
            return false;
        for (unsigned i = 0; ready > 0 && i < inquiry->result->server_count; i++)
            if (polled[i].revents)
                read_from(inquiry, i);
    }
}

static void inquire(struct inquiry *inquiry, int64_t limit)
{
    unsigned servers = inquiry->result->server_count;
    bool done = false;
    inquiry->begin = sys_nanoseconds(CLOCK_MONOTONIC);
    for (unsigned i = 0; i < servers; i++)
        open_server(inquiry, i);
    for (int sending = 1; sending <= SENDINGS && !done; sending++) {
        for (unsigned i = 0; i < servers; i++)
            send_to(inquiry, i);
        done = wait_until(inquiry, inquiry->begin + limit * sending / SENDINGS);
    }
    for (unsigned i = 0; i < servers; i++)
        if (inquiry->fds[i] >= 0)
            close(inquiry->fds[i]);
}

static bool fits(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length < DNS_NAME_SIZE;
}

void dns_ask(const struct dns_request *request, struct dns_result *result)
{
    int64_t begin = sys_nanoseconds(CLOCK_MONOTONIC);
    struct __res_state state;
    struct inquiry inquiry = {.result = result};
    memset(result, 0, sizeof *result);
    result->family = request->family;
    result->why = DNS_WHY_BAD_NAME;
    if (fits(request->name)) {
        memcpy(result->name, request->name, strlen(request->name) + 1);
        bool ready = dns_setup(result, &state);
        if (getrandom(&inquiry.id, sizeof inquiry.id, GRND_NONBLOCK) < 0)
            inquiry.id = (uint16_t)begin;
        if (!ready)
            result->why = DNS_WHY_UNKNOWN;
        else if (make_questions(&inquiry, &state)) {
            inquire(&inquiry, request->limit_ns > 0 ? request->limit_ns : 3 * TCPDIAG_SECOND);
            dns_conclude(result);
        }
        if (ready)
            res_nclose(&state);
    }
    result->duration_ns = sys_nanoseconds(CLOCK_MONOTONIC) - begin;
}
