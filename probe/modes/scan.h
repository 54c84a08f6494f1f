/* SPDX-License-Identifier: MIT */
/* One pass over all targets: looks names up, connects to every address, asks on where the host
   stayed silent, and hands each result on. */
#ifndef TCPDIAG_PROBE_SCAN_H
#define TCPDIAG_PROBE_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/base/pool.h"
#include "probe/connect/engine.h"
#include "probe/results/result.h"
#include "probe/targets/source.h"

/* What takes the results; context is the first argument of each. */
struct scan_client {
    /* Numbers are given in the order of the targets, and each comes once. result lives only as long
       as the call. */
    void (*result)(void *context, uint64_t number, const struct result *result);
    /* False: `number` may not begin yet. NULL: always. */
    bool (*may_begin)(void *context, uint64_t number);
    void (*tick)(void *context);
    void (*idle)(void *context);
    void *context;
};

struct scan_options {
    struct engine_options engine;
    int family;      /* AF_UNSPEC, or the only one that names are looked up for */
    bool ordered;    /* a slow lookup holds up what comes after it */
    bool until_open; /* ends as soon as each target has an address that connects */
    /* What is asked after a failure: the name servers, the same host elsewhere, the way to it. */
    bool dns, control, trace;
};

struct scan_end {
    enum engine_end end;
    int status;          /* of the exit; STATUS_NONE: no target at all */
    bool each_open;      /* every target has an address that connects */
    bool any_open;       /* some target has */
    uint64_t unfinished; /* connects and lookups dropped at an early end, as far as begun */
};

struct scan_end scan_run(const struct scan_options *options, struct source *source,
                         struct pool *pool, const struct scan_client *client);

#endif
