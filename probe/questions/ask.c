/* SPDX-License-Identifier: MIT */
#include "probe/questions/ask.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "probe/base/socket.h"
#include "shim/diagnosis/icmp.h"
#include "shim/evidence/evidence.h"
#include "shim/evidence/kernel.h"

enum { STATE_SYN_SENT = 2 }; /* net/tcp_states.h */

static void end(struct ask *ask, enum ask_says says, int error)
{
    ask->says = says;
    ask->error = error;
    ask->rtt_us = says == ASK_CONNECTED && ask->evidence.rtt_us > 0
                      ? ask->evidence.rtt_us
                      : (sys_nanoseconds(CLOCK_MONOTONIC) - ask->begin) / 1000;
    if (ask->fd >= 0)
        close(ask->fd);
    ask->fd = -1;
}

/* An ICMP message that ends no connect (path MTU discovery goes on by itself) answers nothing. */
static bool ends_nothing(const struct tcpdiag_evidence *e)
{
    return tcpdiag_icmp_errno(e->icmp_from.family, e->icmp_type, e->icmp_code) == 0;
}

/* connect or SO_ERROR said error, or (0) the queue may hold an ICMP error. True where it ended. */
static bool end_by_error(struct ask *ask, int error)
{
    tcpdiag_evidence_failure(ask->fd, &ask->target, error, &ask->evidence);
    if (ask->evidence.icmp && ends_nothing(&ask->evidence))
        ask->evidence.icmp = false;
    if (ask->evidence.icmp)
        end(ask, ASK_ICMP, error);
    else if (error == ECONNREFUSED || error == ECONNRESET)
        end(ask, ASK_RESET, error);
    else if (error != 0)
        end(ask, ASK_FAILED, error);
    return ask->fd < 0;
}

static void end_connected(struct ask *ask)
{
    bool met_itself = socket_met_itself(ask->fd, &ask->target);
    end(ask, met_itself ? ASK_RESET : ASK_CONNECTED, met_itself ? ECONNREFUSED : 0);
}

static bool set_hops(const struct ask *ask, int ttl, int min_ttl)
{
    bool v6 = ask->target.family == AF_INET6;
    int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    if (ttl > 0 && setsockopt(ask->fd, level, v6 ? IPV6_UNICAST_HOPS : IP_TTL, &ttl, sizeof ttl))
        return false;
    return min_ttl <= 0 || setsockopt(ask->fd, level, v6 ? IPV6_MINHOPCOUNT : IP_MINTTL, &min_ttl,
                                      sizeof min_ttl) == 0;
}

void ask_tcp(struct ask *ask, const struct tcpdiag_endpoint *target, int ttl, int min_ttl)
{
    struct sockaddr_storage address;
    socklen_t length = tcpdiag_endpoint_to(target, &address);
    *ask = (struct ask){.target = *target,
                        .evidence = TCPDIAG_NO_EVIDENCE,
                        .begin = sys_nanoseconds(CLOCK_MONOTONIC)};
    ask->rtt_us = -1;
    ask->fd = socket(target->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (ask->fd < 0 || !set_hops(ask, ttl, min_ttl)) {
        end(ask, ASK_FAILED, errno);
        return;
    }
    /* A server that was only asked whether it answers needs no orderly farewell: the reset spares
       it a connection in CLOSE_WAIT and us one in TIME_WAIT. */
    setsockopt(ask->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    socket_queue_errors(ask->fd, target->family);
    if (connect(ask->fd, (struct sockaddr *)&address, length) == 0) {
        tcpdiag_evidence_state(ask->fd, &ask->evidence);
        end_connected(ask);
    } else if (errno != EINPROGRESS) {
        end_by_error(ask, errno);
    }
}

/* The identifier, which pairs the answer with the socket, and the checksum are the kernel's. */
static bool send_echo(int fd, const struct tcpdiag_endpoint *target)
{
    static const struct icmphdr v4 = {.type = ICMP_ECHO, .un.echo.sequence = 1};
    static const struct icmp6_hdr v6 = {.icmp6_type = ICMP6_ECHO_REQUEST};
    struct sockaddr_storage address;
    struct tcpdiag_endpoint host = *target;
    host.port = 0;
    socklen_t length = tcpdiag_endpoint_to(&host, &address);
    socket_queue_errors(fd, target->family);
    if (connect(fd, (struct sockaddr *)&address, length) != 0)
        return false;
    return target->family == AF_INET6 ? send(fd, &v6, sizeof v6, 0) >= 0
                                      : send(fd, &v4, sizeof v4, 0) >= 0;
}

void ask_echo(struct ask *ask, const struct tcpdiag_endpoint *target)
{
    *ask = (struct ask){.target = *target,
                        .evidence = TCPDIAG_NO_EVIDENCE,
                        .begin = sys_nanoseconds(CLOCK_MONOTONIC)};
    ask->echo = true;
    ask->rtt_us = -1;
    ask->fd = socket(target->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                     target->family == AF_INET6 ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP);
    if (ask->fd < 0 || !send_echo(ask->fd, target))
        end(ask, ASK_FAILED, errno);
}

static void look_at_echo(struct ask *ask)
{
    unsigned char answer[64];
    ssize_t length = recv(ask->fd, answer, sizeof answer, MSG_DONTWAIT);
    if (length < 0)
        end_by_error(ask, errno == EAGAIN ? 0 : errno);
    else if (length > 0 &&
             answer[0] == (ask->target.family == AF_INET6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY))
        end(ask, ASK_REPLY, 0);
}

/* The state is read before the error: taking the error and the queue changes it. */
static void look(struct ask *ask)
{
    int error = 0;
    socklen_t length = sizeof error;
    if (ask->echo) {
        look_at_echo(ask);
        return;
    }
    tcpdiag_evidence_state(ask->fd, &ask->evidence);
    if (getsockopt(ask->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        error = errno;
    if (error != 0)
        end_by_error(ask, error);
    else if (ask->evidence.tcp_state != STATE_SYN_SENT)
        end_connected(ask);
    else
        end_by_error(ask, 0); /* an entry in the queue, while the connect itself goes on */
}

/* How many answered; -1 when the deadline has passed. */
static int look_at_all(struct ask *asks, unsigned count, struct pollfd *polled, int64_t deadline)
{
    nfds_t pending = 0;
    for (unsigned i = 0; i < count; i++)
        if (asks[i].fd >= 0)
            polled[pending++] = (struct pollfd){asks[i].fd, asks[i].echo ? POLLIN : POLLOUT, 0};
    int64_t left = deadline - sys_nanoseconds(CLOCK_MONOTONIC);
    if (left < 0)
        left = 0;
    struct timespec time = {left / TCPDIAG_SECOND, left % TCPDIAG_SECOND};
    int ready = ppoll(polled, pending, &time, NULL);
    if (ready == 0)
        return -1;
    if (ready < 0)
        return errno == EINTR ? 0 : -1;
    int answered = 0;
    for (unsigned i = 0, at = 0; i < count; i++) {
        if (asks[i].fd < 0)
            continue;
        if (polled[at++].revents) {
            look(&asks[i]);
            answered += asks[i].fd < 0;
        }
    }
    return answered;
}

static bool all_done(const struct ask *asks, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (asks[i].fd >= 0)
            return false;
    return true;
}

bool ask_wait(struct ask *asks, unsigned count, int64_t deadline, bool (*done)(void *context),
              void *context)
{
    struct pollfd *polled = calloc(count + 1, sizeof *polled);
    bool in_time = polled != NULL;
    while (in_time && !all_done(asks, count) && !(done && done(context)))
        in_time = look_at_all(asks, count, polled, deadline) >= 0;
    free(polled);
    return in_time;
}

void ask_close(struct ask *asks, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (asks[i].fd >= 0) {
            close(asks[i].fd);
            asks[i].fd = -1;
        }
}
