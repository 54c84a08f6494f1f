/* SPDX-License-Identifier: MIT */
#include "probe/connect/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/base/socket.h"
#include "shim/diagnosis/icmp.h"
#include "shim/evidence/evidence.h"
#include "shim/evidence/kernel.h"

enum { STATE_SYN_SENT = 2, STATE_CLOSE = 7 }; /* net/tcp_states.h */

static void end(struct dial *dial, struct tcpdiag_record *record)
{
    record->duration_ns = sys_nanoseconds(CLOCK_MONOTONIC) - dial->begin;
    record->wall_ns = sys_nanoseconds(CLOCK_REALTIME);
    record->verdict = tcpdiag_classify_connect(record->ending, record->error, &record->peer,
                                               record->duration_ns, &record->evidence);
    if (dial->fd >= 0)
        close(dial->fd);
    dial->fd = -1;
}

static void begin_record(const struct dial *dial, struct tcpdiag_record *record)
{
    record->event = TCPDIAG_CONNECT;
    record->phase = TCPDIAG_END;
    record->blocking = TCPDIAG_NONBLOCKING;
    record->ending = TCPDIAG_ENDED_RESULT;
    record->error = 0;
    record->peer = dial->peer;
    record->evidence = TCPDIAG_NO_EVIDENCE;
}

static void fail(int fd, struct tcpdiag_record *record, int error)
{
    record->error = error;
    tcpdiag_evidence_failure(fd, &record->peer, error, &record->evidence);
}

static int apply(int fd, int family, const struct dial_options *options)
{
    static const int on = 1;
    if (options->interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options->interface,
                                         (socklen_t)strlen(options->interface)) != 0)
        return errno;
    if (options->marked &&
        setsockopt(fd, SOL_SOCKET, SO_MARK, &options->mark, sizeof options->mark) != 0)
        return errno;
    if (options->source.family == 0 && options->source.port == 0)
        return 0;
    struct sockaddr_storage address;
    struct tcpdiag_endpoint source = options->source;
    source.family = (uint16_t)family;
    socklen_t length = tcpdiag_endpoint_to(&source, &address);
    if (source.port == 0) /* chosen at connect, where it may be one that other peers have (ip(7)) */
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    else
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return bind(fd, (struct sockaddr *)&address, length) == 0 ? 0 : errno;
}

int dial_test(const struct dial_options *options)
{
    int family = options->source.family ? options->source.family : AF_INET;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 && options->source.family == 0)
        fd = socket(family = AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    int error = apply(fd, family, options);
    close(fd);
    return error;
}

/* IPv6 says EADDRNOTAVAIL as well where no source address suits the peer; then it says so to a UDP
   socket, which needs no port of TCP's. */
static bool ports_used_up(const struct dial *dial, const struct dial_options *options,
                          const struct tcpdiag_record *record)
{
    if (record->error != EADDRNOTAVAIL || !record->evidence.local || options->source.port != 0)
        return false;
    if (dial->peer.family == AF_INET)
        return true;
    struct sockaddr_storage address;
    socklen_t length = tcpdiag_endpoint_to(&dial->peer, &address);
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool has_source = fd >= 0 && connect(fd, (struct sockaddr *)&address, length) == 0;
    if (fd >= 0)
        close(fd);
    return has_source;
}

static void mind_own_port(int fd, struct tcpdiag_record *record)
{
    if (record->error != 0 || !socket_met_itself(fd, &record->peer))
        return;
    record->error = ECONNREFUSED;
    record->evidence = TCPDIAG_NO_EVIDENCE;
    record->evidence.tcp_state = STATE_CLOSE;
    record->evidence.queue_complete = true;
}

/* 0 where the connect goes on. */
static int queued_error(const struct tcpdiag_evidence *e)
{
    return e->icmp ? tcpdiag_icmp_errno(e->icmp_from.family, e->icmp_type, e->icmp_code) : 0;
}

/* The state is read before the error: taking the error and the queue changes it. */
static enum dial_state take_result(struct dial *dial, struct tcpdiag_record *record)
{
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        error = errno;
    if (error != 0) {
        fail(dial->fd, record, error);
    } else if (record->evidence.tcp_state == STATE_SYN_SENT) {
        /* With IP_RECVERR poll reports POLLERR for an entry in the queue even where the connect
           goes on. Left there it would be reported for ever; a fatal one is the answer. */
        tcpdiag_evidence_failure(dial->fd, &record->peer, 0, &record->evidence);
        record->error = queued_error(&record->evidence);
        if (record->error == 0)
            return DIAL_PENDING;
    }
    mind_own_port(dial->fd, record);
    end(dial, record);
    return DIAL_ENDED;
}

enum dial_state dial_check(struct dial *dial, struct tcpdiag_record *record)
{
    begin_record(dial, record);
    tcpdiag_evidence_state(dial->fd, &record->evidence);
    return take_result(dial, record);
}

static enum dial_state fail_at_once(struct dial *dial, const struct dial_options *options,
                                    struct tcpdiag_record *record, int error)
{
    tcpdiag_evidence_state(dial->fd, &record->evidence);
    fail(dial->fd, record, error);
    bool no_port = ports_used_up(dial, options, record);
    end(dial, record);
    return no_port ? DIAL_NO_PORT : DIAL_ENDED;
}

enum dial_state dial_start(struct dial *dial, const struct dial_options *options,
                           struct tcpdiag_record *record)
{
    struct sockaddr_storage address;
    socklen_t length = tcpdiag_endpoint_to(&dial->peer, &address);
    begin_record(dial, record);
    dial->begin = sys_nanoseconds(CLOCK_MONOTONIC);
    dial->fd = socket(dial->peer.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dial->fd < 0) {
        record->error = errno;
        end(dial, record);
        return record->error == EMFILE || record->error == ENFILE ? DIAL_NO_DESCRIPTOR : DIAL_ENDED;
    }
    socket_queue_errors(dial->fd, dial->peer.family);
    int error = apply(dial->fd, dial->peer.family, options);
    if (error != 0) {
        record->error = error;
        end(dial, record);
        return DIAL_ENDED;
    }
    if (connect(dial->fd, (struct sockaddr *)&address, length) != 0 && errno != EINPROGRESS)
        return fail_at_once(dial, options, record, errno);
    /* A peer on this machine has answered by now: then nobody has to wait for it. */
    tcpdiag_evidence_state(dial->fd, &record->evidence);
    return record->evidence.tcp_state == STATE_SYN_SENT ? DIAL_PENDING : take_result(dial, record);
}

void dial_expire(struct dial *dial, struct tcpdiag_record *record)
{
    begin_record(dial, record);
    tcpdiag_evidence_state(dial->fd, &record->evidence);
    record->ending = TCPDIAG_ENDED_LIMIT;
    end(dial, record);
}

void dial_drop(struct dial *dial)
{
    if (dial->fd >= 0)
        close(dial->fd);
    dial->fd = -1;
}
