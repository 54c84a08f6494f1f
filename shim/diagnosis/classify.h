/* SPDX-License-Identifier: MIT */
/*
 * From what was seen to what it means. A cause is claimed only where the evidence
 * proves it; else the outcome stands alone. Pure: no system call, no allocation,
 * no locale; thread-safe and async-signal-safe.
 */
#ifndef TCPDIAG_CLASSIFY_H
#define TCPDIAG_CLASSIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/diagnosis/endpoint.h"
#include "shim/diagnosis/outcome.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the socket could tell. Unknown is never zero: see each field. */
struct tcpdiag_evidence {
    bool icmp; /* an ICMP error was on the socket's error queue: the next four are set */
    uint8_t icmp_type;
    uint8_t icmp_code;
    bool icmp_own; /* it was sent by an address of this machine */
    struct tcpdiag_endpoint icmp_from;
    bool queue_complete; /* the error queue would have held an ICMP error, had one come:
                            IPv4 always (ip(7), IP_RECVERR), IPv6 only with IPV6_RECVERR */
    int answered;        /* 1: a TCP segment came back, 0: none did, -1 unknown. Told by
                            SO_INCOMING_CPU (socket(7)), where the queue cannot tell a reset from an ICMP
                            error */
    bool local;          /* connect() failed without sending a packet: no source port was taken */
    bool foreign;        /* the address is of another family than the socket takes */
    int udp_error;       /* of a UDP connect to the same address, which sends nothing: 0 or errno;
                            -1 unknown */
    bool labelled;       /* a label-based security module (SELinux, Smack) mediates the socket */
    int tcp_state;       /* TCP_ESTABLISHED (1), ...; -1 unknown */
    int syn_retransmits; /* SYNs sent again; -1 unknown (the kernel forgets them when a
                            blocking connect fails: tcp_disconnect) */
    int64_t rtt_us;      /* of the handshake; -1 unknown */
};

/* Nothing known. */
#define TCPDIAG_NO_EVIDENCE                                                                        \
    (struct tcpdiag_evidence)                                                                      \
    {                                                                                              \
        .answered = -1, .udp_error = -1, .tcp_state = -1, .syn_retransmits = -1, .rtt_us = -1      \
    }

enum tcpdiag_ending {
    TCPDIAG_ENDED_RESULT,  /* the kernel's word: error is 0 or an errno */
    TCPDIAG_ENDED_CLOSED,  /* the program closed, shut down or abandoned the socket */
    TCPDIAG_ENDED_LIMIT,   /* the program's own time limit ran out (SO_SNDTIMEO) */
    TCPDIAG_ENDED_PROCESS, /* the process exited or replaced itself */
    TCPDIAG_ENDED_FAILED,  /* the kernel's word is an error, but which one is not known */
    TCPDIAG_ENDED_UNSEEN,  /* it is not known whether and how it ended */
};

struct tcpdiag_verdict {
    enum tcpdiag_outcome outcome;
    enum tcpdiag_cause cause;
};

/* How a TCP connect to peer ended after duration_ns (of CLOCK_MONOTONIC). error: errno or 0. */
struct tcpdiag_verdict tcpdiag_classify_connect(enum tcpdiag_ending ending, int error,
                                                const struct tcpdiag_endpoint *peer,
                                                int64_t duration_ns,
                                                const struct tcpdiag_evidence *evidence);

#ifdef __cplusplus
}
#endif
#endif
