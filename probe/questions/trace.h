/* SPDX-License-Identifier: MIT */
/*
 * Where on the way a connect ends: SYNs with a small TTL (hop limit) to the same port, all hops at
 * once, and what each hop's error queue or handshake says. Needs no privilege.
 *
 * Blocks for at most two limits: one for the hops, and one more only where the answer was a reset,
 * which may be forged, or none: there another port of the host, where it answers, is traced too.
 */
#ifndef TCPDIAG_PROBE_TRACE_H
#define TCPDIAG_PROBE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/diagnosis/classify.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRACE_HOPS_MAX = 64, TRACE_TRIES_MAX = 5, TRACE_CONTROLS_MAX = 4 };

/* What ended one SYN. The ones from TRACE_REJECTED on end the way: no later hop exists. */
enum trace_answer {
    TRACE_NOT_ASKED = 0,
    TRACE_SILENT,
    TRACE_EXPIRED,   /* ICMP time exceeded: a hop on the way */
    TRACE_REJECTED,  /* any other ICMP error: somebody says no */
    TRACE_RESET,     /* TCP reset */
    TRACE_CONNECTED, /* SYN/ACK */
    TRACE_FAILED,    /* a local error: see error */
};

struct trace_try {
    enum trace_answer answer;
    struct tcpdiag_endpoint from; /* who sent the ICMP error; else the target or family 0 */
    uint8_t icmp_type, icmp_code; /* EXPIRED and REJECTED */
    int error;                    /* errno of FAILED, 0 otherwise */
    int64_t rtt_us;               /* -1: silent */
};

struct trace_request {
    struct tcpdiag_endpoint target; /* address and port */
    int64_t limit_ns;               /* 0: one second */
    unsigned max_hops;              /* 0: 30 */
    unsigned tries;                 /* SYNs a hop, 0: 3 */
    /* Ports of the same host where it may answer too: the hop count there is the host's own. A
       forged reset can only be proved against one of them. count 0: 80, 443, 22, 1. */
    uint16_t control_ports[TRACE_CONTROLS_MAX];
    unsigned control_count;
    bool no_control; /* never ask other ports */
};

struct trace {
    struct tcpdiag_endpoint target;
    struct trace_try hops[TRACE_HOPS_MAX][TRACE_TRIES_MAX]; /* hops[0] was sent with TTL 1 */
    unsigned tries;
    unsigned asked; /* hops that were sent */
    unsigned shown; /* hops worth showing: up to the end of the way, or one past the last answer */

    unsigned last_hop; /* the highest TTL at which a router answered "time exceeded", 0: none */
    unsigned end_hop;  /* the lowest TTL that ended the way (REJECTED, RESET, CONNECTED), 0: none */
    struct trace_try end;  /* what did, at end_hop */
    bool end_own;          /* REJECTED by this machine itself */
    bool end_by_target;    /* a SYN/ACK, a reset, or ICMP from the target's own address */
    unsigned rejecter_hop; /* REJECTED: the hop that also answered "time exceeded" from the
                              same address, so the place of the one who says no; 0: unknown */
    int error;             /* errno: nothing could be sent at all */

    /* Only where the end was a reset or nothing: the way to a port where the host answers. */
    uint16_t control_port;  /* 0: it answered on none */
    bool control_connected; /* by SYN/ACK, else by a reset */
    unsigned control_hop;   /* the lowest TTL that it answered at, 0: unknown */
    struct tcpdiag_endpoint control_from[TRACE_HOPS_MAX]; /* as hops[], of the control port */

    /* A reset: the TTL that the answers arrive with (found by IP_MINTTL, ip(7)), 0: unknown. */
    unsigned reset_ttl, control_ttl;
    bool reset_nearer; /* proved, by control_hop or by control_ttl: a machine nearer than the one
                          that answers on control_port has sent the reset */

    int64_t duration_ns;
};

void trace_run(const struct trace_request *request, struct trace *trace);

#ifdef __cplusplus
}
#endif
#endif
