/* SPDX-License-Identifier: MIT */
#include "shim/evidence/evidence.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>

/* Uses struct timespec without declaring it. */
#include <linux/errqueue.h>

#ifndef SO_INCOMING_CPU
#define SO_INCOMING_CPU 49
#endif

#include "shim/evidence/kernel.h"

/* For want of TCP_INFO, which an emulator (qemu-user) or a sandbox may not have: a socket has a
   peer once it is established (inet_getname in net/ipv4/af_inet.c), and while it connects it is
   neither writable nor in error (tcp_poll in net/ipv4/tcp.c). */
static int guessed_state(int fd)
{
    struct sockaddr_in6 name;
    socklen_t length = sizeof name;
    if (sys_getpeername(fd, &name, &length) == 0)
        return TCP_ESTABLISHED;
    return errno == ENOTCONN && sys_poll_now(fd, POLLOUT) == 0 ? TCP_SYN_SENT : -1;
}

void tcpdiag_evidence_state(int fd, struct tcpdiag_evidence *evidence)
{
    struct tcp_info info;
    socklen_t length = sizeof info;
    /* Older kernels fill in less: what this reads was there in Linux 2.6. */
    if (sys_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 ||
        length < offsetof(struct tcp_info, tcpi_total_retrans) + sizeof info.tcpi_total_retrans) {
        evidence->tcp_state = guessed_state(fd);
        return;
    }
    evidence->tcp_state = info.tcpi_state;
    evidence->syn_retransmits = (int)info.tcpi_total_retrans;
    if (info.tcpi_rtt > 0 && info.tcpi_state != TCP_SYN_SENT)
        evidence->rtt_us = info.tcpi_rtt;
}

/* family: as the socket says it, 0 unknown. */
static struct tcpdiag_endpoint own_name(int fd, int *family)
{
    struct sockaddr_in6 name;
    socklen_t length = sizeof name;
    struct tcpdiag_endpoint self = {0};
    *family = 0;
    if (sys_getsockname(fd, &name, &length) == 0) {
        *family = name.sin6_family;
        tcpdiag_endpoint_from(&self, &name, length);
    }
    return self;
}

/* struct tcp_info of linux/tcp.h, which netinet/tcp.h lags behind and which cannot be included
   beside it: tcpi_segs_out. */
enum { SEGMENTS_OUT = 136 };

struct tcpdiag_history tcpdiag_evidence_history(int fd)
{
    struct tcpdiag_history history = {-1, -1, -1};
    union {
        struct tcp_info info;
        char bytes[SEGMENTS_OUT + 2 * sizeof(uint32_t)];
    } now;
    uint32_t segments[2];
    socklen_t length = sizeof now;
    if (sys_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &now, &length) != 0)
        return history;
    history.tcp_state = now.info.tcpi_state;
    if (length < sizeof now.bytes)
        return history;
    memcpy(segments, now.bytes + SEGMENTS_OUT, sizeof segments);
    history.sent = segments[0] > INT_MAX ? INT_MAX : (int)segments[0];
    history.received = segments[1] > INT_MAX ? INT_MAX : (int)segments[1];
    return history;
}

int tcpdiag_evidence_port(int fd)
{
    int family;
    return own_name(fd, &family).port;
}

/* -1: no segment has come; -2: this kernel does not tell. */
static int incoming_cpu(int fd)
{
    return sys_int_option(fd, SOL_SOCKET, SO_INCOMING_CPU, -2);
}

bool tcpdiag_evidence_untouched(int fd)
{
    return incoming_cpu(fd) == -1;
}

void tcpdiag_evidence_answered(int fd, struct tcpdiag_evidence *evidence)
{
    int cpu = incoming_cpu(fd);
    evidence->answered = cpu >= 0 ? 1 : cpu == -1 ? 0 : -1;
}

bool tcpdiag_queue_is_the_programs(int fd)
{
    return sys_int_option(fd, IPPROTO_IP, IP_RECVERR, 0) != 0 ||
           sys_int_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 0) != 0;
}

static void take_error(const struct cmsghdr *message, struct tcpdiag_evidence *evidence)
{
    bool known = (message->cmsg_level == IPPROTO_IP && message->cmsg_type == IP_RECVERR) ||
                 (message->cmsg_level == IPPROTO_IPV6 && message->cmsg_type == IPV6_RECVERR);
    if (!known || message->cmsg_len < CMSG_LEN(sizeof(struct sock_extended_err)))
        return;
    struct sock_extended_err error;
    memcpy(&error, CMSG_DATA(message), sizeof error);
    if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6)
        return;
    evidence->icmp = true;
    evidence->icmp_type = error.ee_type;
    evidence->icmp_code = error.ee_code;
    /* The offender follows the error (SO_EE_OFFENDER, ip(7)). */
    tcpdiag_endpoint_from(&evidence->icmp_from, CMSG_DATA(message) + sizeof error,
                          (socklen_t)(message->cmsg_len - CMSG_LEN(sizeof error)));
}

/* The kernel names where the packet went that the error is about; a port only for TCP's. */
static bool is_about(const struct sockaddr_storage *name, socklen_t length,
                     const struct tcpdiag_endpoint *peer)
{
    struct tcpdiag_endpoint went;
    tcpdiag_endpoint_from(&went, name, length);
    return went.family == 0 ||
           (tcpdiag_same_address(&went, peer) && (went.port == 0 || went.port == peer->port));
}

/* All of the queue: what stayed in it would pass for the answer to the socket's next connect. An
   error of an earlier connect of the same socket may still be in it, and is left out. */
static void read_queue(int fd, const struct tcpdiag_endpoint *peer,
                       struct tcpdiag_evidence *evidence)
{
    struct sockaddr_storage name;
    union {
        struct cmsghdr align;
        char bytes[256];
    } control;
    for (int i = 0; i < 16; i++) {
        struct msghdr message = {.msg_name = &name,
                                 .msg_namelen = sizeof name,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof control};
        if (sys_recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return;
        struct cmsghdr *at = NULL;
        while (is_about(&name, message.msg_namelen, peer) && (at = sys_control(&message, at)))
            take_error(at, evidence);
    }
}

/* A UDP connect to the address sends nothing. Its errno or 0; from: the address that it would send
   from. -1: no socket could be had. */
static int udp_connect(const struct tcpdiag_endpoint *address, struct tcpdiag_endpoint *from)
{
    struct sockaddr_storage name;
    struct tcpdiag_endpoint to = *address;
    int error = 0;
    memset(from, 0, sizeof *from);
    to.port = 1;
    int fd = sys_socket(to.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    socklen_t length = tcpdiag_endpoint_to(&to, &name);
    if (sys_connect(fd, &name, length) != 0) {
        error = errno;
    } else {
        length = sizeof name;
        if (sys_getsockname(fd, &name, &length) == 0)
            tcpdiag_endpoint_from(from, &name, length);
    }
    sys_close(fd);
    return error;
}

int tcpdiag_sends_from(const struct tcpdiag_endpoint *address)
{
    struct tcpdiag_endpoint from;
    int error = udp_connect(address, &from);
    return error < 0 ? -1 : tcpdiag_same_address(&from, address);
}

/* A failed blocking connect has forgotten its source address (tcp_disconnect in net/ipv4/tcp.c), so
   where the socket does not name it the machine's addresses are asked. */
static int own_address(int fd, const struct tcpdiag_endpoint *self,
                       const struct tcpdiag_endpoint *address)
{
    bool loopback = address->family == AF_INET && address->address[0] == 127;
    return loopback || tcpdiag_same_address(self, address) ? 1 : tcpdiag_own_address(fd, address);
}

/* The errors of which UDP knows more: a broadcast address answers EACCES there, a sandbox of TCP
   nothing, and a machine without an IPv6 address the same. */
static bool udp_knows_more(int error)
{
    return error == ENETUNREACH || error == EACCES || error == EADDRNOTAVAIL;
}

void tcpdiag_evidence_local(int fd, int family, int error, const struct tcpdiag_endpoint *peer,
                            struct tcpdiag_evidence *evidence)
{
    int own;
    struct tcpdiag_endpoint self = own_name(fd, &own);
    /* The route is looked up before a source port is taken, and a port once taken stays in the
       socket's name: none means that no packet was sent. */
    evidence->local = self.family != 0 && self.port == 0;
    evidence->foreign = family != 0 && own != 0 && family != own;
    if (evidence->local && udp_knows_more(error) && tcpdiag_may_open()) {
        struct tcpdiag_endpoint from;
        evidence->udp_error = udp_connect(peer, &from);
    }
    if (error == EACCES) {
        char label[1];
        socklen_t length = sizeof label;
        /* ENOPROTOOPT: no security module gives sockets labels. */
        evidence->labelled =
            sys_getsockopt(fd, SOL_SOCKET, SO_PEERSEC, label, &length) == 0 || errno == ERANGE;
    }
}

void tcpdiag_evidence_queue(int fd, const struct tcpdiag_endpoint *peer,
                            struct tcpdiag_evidence *evidence)
{
    read_queue(fd, peer, evidence);
    if (!evidence->icmp)
        return;
    int family;
    struct tcpdiag_endpoint self = own_name(fd, &family);
    int own = own_address(fd, &self, &evidence->icmp_from);
    evidence->icmp = own >= 0;
    evidence->icmp_own = own > 0;
}

void tcpdiag_evidence_failure(int fd, const struct tcpdiag_endpoint *peer, int error,
                              struct tcpdiag_evidence *evidence)
{
    tcpdiag_evidence_local(fd, 0, error, peer, evidence);
    evidence->queue_complete = true;
    tcpdiag_evidence_queue(fd, peer, evidence);
}
