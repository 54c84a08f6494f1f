/* SPDX-License-Identifier: MIT */
// Results as the prober has them, and what a writer makes of them.
#ifndef TCPDIAG_TESTS_PROBE_RESULTS_H
#define TCPDIAG_TESTS_PROBE_RESULTS_H

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <functional>
#include <string>

#include "probe/results/result.h"
#include "shim/diagnosis/classify_lookup.h"

// A connect to 10.0.2.2 that took 1.5 ms; name NULL: the address was asked for.
inline result Connect(tcpdiag_outcome outcome, tcpdiag_cause cause = TCPDIAG_CAUSE_NONE,
                      const char *name = "10.0.2.2", int error = 0)
{
    static const unsigned char address[] = {10, 0, 2, 2};
    static const tcpdiag_identity who = {{"prober", 6}, {"here", 4}, 1};
    result result = {};
    result.name_ns = -1;
    result.record.event = TCPDIAG_CONNECT;
    result.record.phase = TCPDIAG_END;
    result.record.blocking = TCPDIAG_NONBLOCKING;
    result.record.who = &who;
    result.record.attempt = result.record.pid = result.record.tid = 7;
    result.record.name = {name, strlen(name)};
    result.record.peer.family = AF_INET;
    result.record.peer.port = 80;
    memcpy(result.record.peer.address, address, sizeof address);
    result.record.verdict = {outcome, cause};
    result.record.duration_ns = 1500000;
    result.record.error = error;
    result.record.evidence.answered = -1; // TCPDIAG_NO_EVIDENCE, which is C
    result.record.evidence.tcp_state = -1;
    result.record.evidence.syn_retransmits = -1;
    result.record.evidence.rtt_us = -1;
    return result;
}

inline result Refused(const char *name = "10.0.2.2")
{
    return Connect(TCPDIAG_REFUSED, TCPDIAG_CAUSE_PORT_CLOSED, name, ECONNREFUSED);
}

inline result Lookup(int gai, const char *name = "db.test")
{
    result result = Connect(TCPDIAG_RESOLVED, TCPDIAG_CAUSE_NONE, name);
    result.port = 80;
    result.record.event = TCPDIAG_RESOLVE;
    result.record.peer = {};
    result.record.gai = gai;
    result.record.verdict = tcpdiag_classify_gai(gai);
    return result;
}

inline std::string Written(const std::function<void(FILE *)> &write)
{
    char *text = nullptr;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    write(file);
    fclose(file);
    std::string all(text, size);
    free(text);
    return all;
}

#endif
