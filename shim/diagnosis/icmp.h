/* SPDX-License-Identifier: MIT */
/*
 * What an ICMP error says, for both families. Pure: no system call, no allocation, no locale;
 * thread-safe and async-signal-safe.
 */
#ifndef TCPDIAG_ICMP_H
#define TCPDIAG_ICMP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum tcpdiag_icmp_kind {
    TCPDIAG_ICMP_OTHER,
    TCPDIAG_ICMP_PORT,       /* the host has nobody at this port, or a firewall says so */
    TCPDIAG_ICMP_PROHIBITED, /* somebody forbids it */
    TCPDIAG_ICMP_UNREACHABLE,
    TCPDIAG_ICMP_TTL, /* the packet has met too many routers */
};

/* Of an error of RFC 792 (family AF_INET) or RFC 4443 (AF_INET6). */
enum tcpdiag_icmp_kind tcpdiag_icmp_kind(int family, int type, int code);

/* The errno by which it ends a connect; 0: the connect goes on. (tcp_v4_err in net/ipv4/tcp_ipv4.c
   and tcp_v6_err in net/ipv6/tcp_ipv6.c, in SYN_SENT; icmp_err_convert in net/ipv4/icmp.c,
   icmpv6_err_convert in net/ipv6/icmp.c.) */
int tcpdiag_icmp_errno(int family, int type, int code);

#ifdef __cplusplus
}
#endif
#endif
