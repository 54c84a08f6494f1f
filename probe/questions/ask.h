/* SPDX-License-Identifier: MIT */
/*
 * One SYN to one port, or one ICMP echo, and what came back, for the questions that follow a
 * failure: many at once, in a poll loop that ends by itself.
 */
#ifndef TCPDIAG_PROBE_ASK_H
#define TCPDIAG_PROBE_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/diagnosis/classify.h"

#ifdef __cplusplus
extern "C" {
#endif

enum ask_says {
    ASK_PENDING = 0, /* no answer yet; in the end: silent */
    ASK_CONNECTED,   /* SYN/ACK */
    ASK_RESET,       /* TCP reset */
    ASK_REPLY,       /* echo reply */
    ASK_ICMP,        /* an ICMP error: evidence says which and whose */
    ASK_FAILED,      /* an error of this machine: see error */
};

struct ask {
    int fd; /* -1: closed */
    bool echo;
    enum ask_says says;
    struct tcpdiag_endpoint target;
    struct tcpdiag_evidence evidence;
    int error;
    int64_t begin; /* CLOCK_MONOTONIC, nanoseconds */
    int64_t rtt_us;
};

/* Sends the SYN. ttl: of the packet, 0: the usual; min_ttl: answers that arrive with less are not
   seen (IP_MINTTL, IPV6_MINHOPCOUNT), 0: all are. */
void ask_tcp(struct ask *ask, const struct tcpdiag_endpoint *target, int ttl, int min_ttl);

/* Sends an ICMP echo request from a ping socket, which icmp(7) gives to the groups of
   net.ipv4.ping_group_range: to others it is ASK_FAILED with EACCES. */
void ask_echo(struct ask *ask, const struct tcpdiag_endpoint *target);

/* Waits for answers until the deadline, or until done (which may be NULL: all have answered) says
   so after an answer. An answer closes its socket. False where the deadline has passed. */
bool ask_wait(struct ask *asks, unsigned count, int64_t deadline, bool (*done)(void *context),
              void *context);

/* Closes what is still pending; such an ask stays ASK_PENDING: it was silent. */
void ask_close(struct ask *asks, unsigned count);

#ifdef __cplusplus
}
#endif
#endif
