/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_PROBE_REPEAT_H
#define TCPDIAG_PROBE_REPEAT_H

#include <stdint.h>

#include "probe/connect/engine.h"
#include "probe/modes/session.h"

struct repeat_options {
    struct engine_options engine;
    int family;          /* AF_UNSPEC, or the only one that names are looked up for */
    bool dns;            /* after a failed lookup the name servers are asked */
    uint64_t count;      /* rounds, 0: until interrupted */
    int64_t interval_ns; /* from one round to the next */
};

/* Rounds of connects to each address at a fixed pace, and what they amount to. Returns the exit
   status. */
int repeat_run(struct session *session, const struct repeat_options *options);

#endif
