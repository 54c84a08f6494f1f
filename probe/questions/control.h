/* SPDX-License-Identifier: MIT */
/*
 * After a silent timeout: is the host dead, or does something drop this port? The same host is
 * asked elsewhere, all questions at once, within one limit: a few other TCP ports, an ICMP echo
 * where this system lets users send one (net.ipv4.ping_group_range, icmp(7)), and the kernel's
 * neighbour table where the host is on a local link. Needs no privilege.
 */
#ifndef TCPDIAG_PROBE_CONTROL_H
#define TCPDIAG_PROBE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/diagnosis/classify.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { CONTROL_PORTS_MAX = 6, CONTROL_ANSWERS_MAX = CONTROL_PORTS_MAX + 2 };

enum control_kind { CONTROL_PORT, CONTROL_ECHO, CONTROL_NEIGHBOUR };

enum control_says {
    CONTROL_SILENT,      /* no answer within the limit */
    CONTROL_CONNECTED,   /* port: SYN/ACK */
    CONTROL_RESET,       /* port: TCP reset */
    CONTROL_REPLY,       /* echo: answered */
    CONTROL_ICMP,        /* port, echo: an ICMP error; from says whose */
    CONTROL_REACHABLE,   /* neighbour: it answers ARP or neighbour discovery */
    CONTROL_NOBODY,      /* neighbour: nobody answers for the address */
    CONTROL_UNSURE,      /* neighbour: an old entry, not confirmed lately; no entry of its own is no
                            answer at all: the host is not on a local link */
    CONTROL_NOT_ALLOWED, /* echo: this system does not let this user send one */
    CONTROL_FAILED,      /* a local error: see error */
};

struct control_answer {
    enum control_kind kind;
    uint16_t port; /* CONTROL_PORT */
    enum control_says says;
    struct tcpdiag_endpoint from; /* CONTROL_ICMP */
    uint8_t icmp_type, icmp_code; /* CONTROL_ICMP */
    int error;                    /* CONTROL_FAILED */
    int64_t rtt_us;               /* -1: silent or not measured */
};

struct control_request {
    struct tcpdiag_endpoint target; /* its port is the one that was silent: it is not asked again */
    int64_t limit_ns;               /* 0: one second */
    uint16_t ports[CONTROL_PORTS_MAX];
    unsigned port_count; /* 0: 80, 443, 22, 1 without the target's own */
};

struct control {
    struct tcpdiag_endpoint target;
    struct control_answer answers[CONTROL_ANSWERS_MAX];
    unsigned count;
    bool alive;  /* the host itself answered at least one question */
    bool silent; /* questions were asked, and neither the host nor anybody else answered any */
    int64_t duration_ns;
};

void control_ask(const struct control_request *request, struct control *control);

/* timeout becomes timeout / port-filtered where the host is alive, timeout / host-silent where it
   is silent. Any other verdict, and what the questions do not settle, stays. True where changed. */
bool control_upgrade(const struct control *control, struct tcpdiag_verdict *verdict);

/* One sentence with what was asked and what each said, without a newline:
   "the host is alive: port 80 connects, port 22 resets; no answer: port 443, ping". */
size_t control_sentence(const struct control *control, char *buffer, size_t size);

/* One JSON object, no newline. NUL-terminated. */
size_t control_json(const struct control *control, char *buffer, size_t size);

enum { CONTROL_SENTENCE_SIZE = 1024, CONTROL_JSON_SIZE = 4096 };

#ifdef __cplusplus
}
#endif
#endif
