/* SPDX-License-Identifier: MIT */
#include "shim/diagnosis/classify.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "shim/diagnosis/duration.h"
#include "shim/diagnosis/icmp.h"

/* enum in the kernel's net/tcp_states.h; tcpi_state of TCP_INFO. */
enum { STATE_SYN_SENT = 2, STATE_SYN_RECV = 3, STATE_CLOSE = 7 };

/* RFC 6298: the first SYN is sent again after one second. */
#define FIRST_RETRANSMISSION TCPDIAG_SECOND
/* A rule of this machine answers within the system call that sent the packet. */
#define AT_ONCE (100 * TCPDIAG_MILLISECOND)
/* ARP and NDP ask three times, a second apart, before they give up (arp(7), mcast_solicit).
   Half of it: another socket's question may already have been under way. */
#define NEIGHBOUR_GIVES_UP (1500 * TCPDIAG_MILLISECOND)

#define VERDICT(outcome_, cause_)                                                                  \
    (struct tcpdiag_verdict)                                                                       \
    {                                                                                              \
        TCPDIAG_##outcome_, TCPDIAG_CAUSE_##cause_                                                 \
    }

static bool link_local(const struct tcpdiag_endpoint *peer)
{
    return peer->family == AF_INET6 && peer->address[0] == 0xfe &&
           (peer->address[1] & 0xc0) == 0x80;
}

/* 224.0.0.0/4 and above, which has the limited broadcast; ff00::/8. */
static bool multicast(const struct tcpdiag_endpoint *peer)
{
    return peer->family == AF_INET ? peer->address[0] >= 224 : peer->address[0] == 0xff;
}

static bool zero_network(const struct tcpdiag_endpoint *peer)
{
    return peer->family == AF_INET && peer->address[0] == 0;
}

static enum tcpdiag_icmp_kind icmp_kind(const struct tcpdiag_evidence *e)
{
    return tcpdiag_icmp_kind(e->icmp_from.family, e->icmp_type, e->icmp_code);
}

/* This machine's own ICMP "host unreachable" has two senders: its firewall, at once, and its
   neighbour discovery, when nobody has answered for seconds. In between, neither is proved. */
static struct tcpdiag_verdict own_unreachable(int64_t duration, const struct tcpdiag_evidence *e)
{
    if (duration >= NEIGHBOUR_GIVES_UP)
        return VERDICT(NO_ROUTE, NEIGHBOUR_SILENT);
    if (duration < AT_ONCE && e->syn_retransmits <= 0)
        return VERDICT(DENIED, LOCAL_FIREWALL);
    return VERDICT(NO_ROUTE, NONE);
}

static struct tcpdiag_verdict from_icmp(const struct tcpdiag_endpoint *peer, int64_t duration,
                                        const struct tcpdiag_evidence *e)
{
    enum tcpdiag_icmp_kind kind = icmp_kind(e);
    if (kind == TCPDIAG_ICMP_TTL)
        return VERDICT(NO_ROUTE, TTL_EXCEEDED);
    if (e->icmp_own)
        return kind == TCPDIAG_ICMP_UNREACHABLE ? own_unreachable(duration, e)
                                                : VERDICT(DENIED, LOCAL_FIREWALL);
    switch (kind) {
    case TCPDIAG_ICMP_PORT:
        return VERDICT(REFUSED, FIREWALL_REJECT);
    case TCPDIAG_ICMP_PROHIBITED:
        return VERDICT(NO_ROUTE, ADMIN_PROHIBITED);
    case TCPDIAG_ICMP_UNREACHABLE:
        return tcpdiag_same_address(&e->icmp_from, peer) ? VERDICT(NO_ROUTE, HOST_REJECT)
                                                         : VERDICT(NO_ROUTE, ROUTER_UNREACHABLE);
    default:
        return VERDICT(NO_ROUTE, NONE);
    }
}

static struct tcpdiag_verdict refused(const struct tcpdiag_evidence *e)
{
    /* An ICMP error that found the socket busy is a soft error: SO_ERROR hands it out while the
       connection still waits in SYN_SENT. A reset would have closed it. */
    if (e->tcp_state == STATE_SYN_SENT)
        return VERDICT(REFUSED, FIREWALL_REJECT);
    if (e->queue_complete || e->answered == 1)
        return VERDICT(REFUSED, PORT_CLOSED);
    return e->answered == 0 ? VERDICT(REFUSED, FIREWALL_REJECT) : VERDICT(REFUSED, NONE);
}

static struct tcpdiag_verdict unreachable(int error, const struct tcpdiag_endpoint *peer,
                                          int64_t duration, const struct tcpdiag_evidence *e)
{
    if (e->local && e->foreign)
        return VERDICT(ERROR, WRONG_FAMILY);
    if (e->local && error == ENETUNREACH && (multicast(peer) || e->udp_error == EACCES))
        return VERDICT(ERROR, NOT_UNICAST);
    if (e->local)
        return error == EHOSTUNREACH ? VERDICT(NO_ROUTE, LOCAL_UNREACHABLE)
                                     : VERDICT(NO_ROUTE, NO_LOCAL_ROUTE);
    /* Seconds have passed and the first SYN was never sent again: it still lies in this machine's
       queue, waiting for a neighbour (skb_still_in_host_queue in net/ipv4/tcp_output.c). */
    if (error == EHOSTUNREACH && duration >= NEIGHBOUR_GIVES_UP && e->syn_retransmits == 0)
        return VERDICT(NO_ROUTE, NEIGHBOUR_SILENT);
    return VERDICT(NO_ROUTE, NONE);
}

static struct tcpdiag_verdict invalid(const struct tcpdiag_endpoint *peer,
                                      const struct tcpdiag_evidence *e)
{
    if (link_local(peer) && peer->scope == 0)
        return VERDICT(ERROR, SCOPE_MISSING);
    if (e->foreign)
        return VERDICT(ERROR, WRONG_FAMILY);
    /* fib_props[RTN_BLACKHOLE].error is EINVAL (net/ipv4/fib_semantics.c, net/ipv6/route.c). */
    if (peer->family != 0 && e->local && !zero_network(peer))
        return VERDICT(NO_ROUTE, BLACKHOLE_ROUTE);
    return VERDICT(ERROR, NONE);
}

static struct tcpdiag_verdict forbidden(const struct tcpdiag_endpoint *peer,
                                        const struct tcpdiag_evidence *e)
{
    if (e->local && (e->labelled || e->udp_error == 0)) /* a route forbids UDP as well */
        return VERDICT(DENIED, PERMISSION);
    if (e->local)
        return VERDICT(DENIED, PROHIBITED_ROUTE);
    /* ICMPv6 "administratively prohibited" arrives as EACCES; without the queue nobody knows
       whether this machine, a router or the host has sent it. */
    return peer->family == AF_INET6 ? VERDICT(NO_ROUTE, NONE) : VERDICT(DENIED, NONE);
}

/* For IPv6 also where no address of this machine's suits; then UDP, which needs no port of TCP's,
   says the same. */
static struct tcpdiag_verdict no_source(const struct tcpdiag_endpoint *peer,
                                        const struct tcpdiag_evidence *e)
{
    if (e->local && (peer->family == AF_INET || e->udp_error == 0))
        return VERDICT(ERROR, PORTS_USED_UP);
    return e->local && e->udp_error == EADDRNOTAVAIL ? VERDICT(ERROR, NO_SOURCE_ADDRESS)
                                                     : VERDICT(ERROR, NONE);
}

static struct tcpdiag_verdict from_error(int error, const struct tcpdiag_endpoint *peer,
                                         int64_t duration, const struct tcpdiag_evidence *e)
{
    switch (error) {
    case 0:
        return e->syn_retransmits > 0 ? VERDICT(CONNECTED, SLOW_HANDSHAKE)
                                      : VERDICT(CONNECTED, NONE);
    case ECONNREFUSED:
        return refused(e);
    case ECONNRESET:
        /* Where no segment came, this machine itself has ended it: tcp_disconnect. */
        return e->answered == 0 ? VERDICT(ABANDONED, NONE) : VERDICT(REFUSED, CONNECTION_RESET);
    case ENOPROTOOPT: /* ICMP protocol unreachable: icmp_err_convert in net/ipv4/icmp.c */
        return VERDICT(REFUSED, NONE);
    case ETIMEDOUT:
        return VERDICT(TIMEOUT, NO_ANSWER);
    case EHOSTUNREACH:
    case ENETUNREACH:
        return unreachable(error, peer, duration, e);
    case ENETDOWN:
    case EHOSTDOWN:
    case ENONET:
        return VERDICT(NO_ROUTE, NONE);
    case EINVAL:
        return invalid(peer, e);
    case EACCES:
        return forbidden(peer, e);
    case EPERM:
        return VERDICT(DENIED, PERMISSION);
    case EADDRNOTAVAIL:
        return no_source(peer, e);
    case EAFNOSUPPORT:
        return e->foreign ? VERDICT(ERROR, WRONG_FAMILY) : VERDICT(ERROR, NONE);
    default:
        return VERDICT(ERROR, NONE);
    }
}

static struct tcpdiag_verdict given_up(enum tcpdiag_ending ending, int64_t duration,
                                       const struct tcpdiag_evidence *e)
{
    if (ending == TCPDIAG_ENDED_UNSEEN)
        return VERDICT(ABANDONED, OUT_OF_SIGHT);
    if (ending == TCPDIAG_ENDED_FAILED)
        return VERDICT(ERROR, REASON_UNSEEN);
    bool waiting =
        e->tcp_state < 0 || e->tcp_state == STATE_SYN_SENT || e->tcp_state == STATE_CLOSE;
    if (!waiting && e->tcp_state != STATE_SYN_RECV) /* established meanwhile, and nobody looked */
        return from_error(0, &(struct tcpdiag_endpoint){0}, duration, e);
    if (ending == TCPDIAG_ENDED_LIMIT || e->syn_retransmits > 0 || duration >= FIRST_RETRANSMISSION)
        return VERDICT(TIMEOUT, GAVE_UP_WAITING);
    return VERDICT(ABANDONED, NONE);
}

struct tcpdiag_verdict tcpdiag_classify_connect(enum tcpdiag_ending ending, int error,
                                                const struct tcpdiag_endpoint *peer,
                                                int64_t duration_ns,
                                                const struct tcpdiag_evidence *evidence)
{
    if (ending != TCPDIAG_ENDED_RESULT && error == 0)
        return given_up(ending, duration_ns, evidence);
    if (error != 0 && evidence->icmp)
        return from_icmp(peer, duration_ns, evidence);
    return from_error(error, peer, duration_ns, evidence);
}
