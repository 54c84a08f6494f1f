/* SPDX-License-Identifier: MIT */
/*
 * What is asked after a connect has ended, before its result is shown: where the host stayed
 * silent, the same host elsewhere (control.h); with --trace, the way to it (trace.h). The questions
 * run in the pool, while the scan goes on.
 */
#ifndef TCPDIAG_PROBE_FOLLOW_H
#define TCPDIAG_PROBE_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/base/pool.h"
#include "probe/results/result.h"
#include "probe/targets/name.h"

enum {
    FOLLOW_HOSTS_MAX = 16,  /* hosts that are asked elsewhere in one run: few questions */
    FOLLOW_TRACES_MAX = 16, /* traces at once: each sends some ninety SYNs */
};

struct follow_options {
    bool control;
    bool trace;
    int64_t limit_ns; /* of a connect; a question waits no longer */
};

struct follow_client {
    /* The result is whole. owner is what follow_begin was given. */
    void (*done)(void *context, uint64_t number, void *owner, const struct result *result);
    void *context;
};

struct follow;

struct follow *follow_new(const struct follow_options *options, struct pool *pool,
                          const struct follow_client *client);

/* False: nothing is to be asked, and the result is whole as it is. Else done() comes later. */
bool follow_begin(struct follow *follow, uint64_t number, void *owner, const struct result *result);

/* No further connect should begin for now. */
bool follow_full(const struct follow *follow);

/* Early end: hands on what waits, as far as it is known. Questions under way go unanswered. */
void follow_give_up(struct follow *follow);

/* After a failed lookup: asks the name servers, which getaddrinfo does not tell about, and fills in
   the name's why and dns. Blocks: on a thread of the pool. */
void follow_lookup(struct name *name, int family);

/* Nothing may wait any more. Where a question is still under way, its memory is left to it. */
void follow_free(struct follow *follow);

#endif
