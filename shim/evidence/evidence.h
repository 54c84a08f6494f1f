/* SPDX-License-Identifier: MIT */
/*
 * What a TCP socket can tell about its connect, read without changing what the program sees.
 *
 * Reading the error queue clears the socket's pending error (sock_dequeue_err_skb in
 * net/core/skbuff.c), so tcpdiag_evidence_failure may be called only after the program has had its
 * error or has given the socket up. tcpdiag_evidence_state has no side effect at any time.
 *
 * Every call is a bare system call: no hook is entered. Async-signal-safe; errno is changed.
 */
#ifndef TCPDIAG_EVIDENCE_H
#define TCPDIAG_EVIDENCE_H

#include "shim/diagnosis/classify.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fills tcp_state, syn_retransmits and rtt_us from TCP_INFO. A socket that TCP_INFO says nothing
   about (closed and reset by a failed blocking connect) leaves them unknown. */
void tcpdiag_evidence_state(int fd, struct tcpdiag_evidence *evidence);

/* What a socket is about before a connect. A connect on one that has connected or failed before,
   and has not been told so by connect itself, starts nothing: it answers about the earlier one
   (__inet_stream_connect in net/ipv4/af_inet.c). */
struct tcpdiag_history {
    int tcp_state; /* -1 unknown */
    int sent;      /* segments since it was last idle (tcpi_segs_out, Linux 4.2); -1 unknown */
    int received;  /* the same (tcpi_segs_in) */
};
struct tcpdiag_history tcpdiag_evidence_history(int fd);

/* The socket's own port, 0: none, or unknown. A new connect has a new one, unless it was bound. */
int tcpdiag_evidence_port(int fd);

/* Whether no TCP segment has come for this socket yet; false where the kernel does not tell
   (SO_INCOMING_CPU, Linux 3.19). Asked before a connect, it makes the next one a proof. */
bool tcpdiag_evidence_untouched(int fd);

/* After a connect was refused on a socket that was untouched before: fills `answered`. A reset is a
   segment, an ICMP error is none, and the socket remembers it even where a blocking connect has
   reset everything else (tcp_v6_rcv in net/ipv6/tcp_ipv6.c, tcp_disconnect in net/ipv4/tcp.c). */
void tcpdiag_evidence_answered(int fd, struct tcpdiag_evidence *evidence);

/* Whether the program itself asked for the error queue: then what is in it is the program's. */
bool tcpdiag_queue_is_the_programs(int fd);

/* Fills local, foreign, labelled and udp_error, after connect to peer, an address of this family as
   sa_family says it, failed with error; without side effect. */
void tcpdiag_evidence_local(int fd, int family, int error, const struct tcpdiag_endpoint *peer,
                            struct tcpdiag_evidence *evidence);

/* 1: the address is one of this machine's, 0: it is not, -1: that cannot be known. To an address of
   its own a machine sends from that address, and connect(2) of a UDP socket says from which address
   it would send, without a packet. Opens a descriptor for the moment. */
int tcpdiag_sends_from(const struct tcpdiag_endpoint *address);

/* Empties the error queue of a socket whose connect to peer has failed, and fills icmp, icmp_own
   and their kin. Where it cannot be known whether this machine sent the error, it is left out: who
   said no is the heart of it. */
void tcpdiag_evidence_queue(int fd, const struct tcpdiag_endpoint *peer,
                            struct tcpdiag_evidence *evidence);

/* All of these and queue_complete, after a connect to peer has failed with error on a socket for
   which the caller itself has set IP_RECVERR or IPV6_RECVERR, so that the queue is the caller's to
   read. */
void tcpdiag_evidence_failure(int fd, const struct tcpdiag_endpoint *peer, int error,
                              struct tcpdiag_evidence *evidence);

#ifdef __cplusplus
}
#endif
#endif
