/* SPDX-License-Identifier: MIT */
/* One pass over all targets: looks names up, connects to every address, asks on where the host
   stayed silent, and hands each result on. */
#ifndef TCPDIAG_SCAN_H
#define TCPDIAG_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/connect/engine.h"
#include "probe/options.h"
#include "probe/results/output.h"
#include "probe/targets/destinations.h"

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
    const struct options *options;
    int64_t tick_ns;     /* 0: no ticks */
    int64_t deadline_ns; /* 0: none */
    bool until_open;     /* ends as soon as each target has an address that connects */
    bool explain;        /* further questions after silence and failed lookups */
};

struct scan_end {
    enum engine_end end;
    int status;          /* of the exit; -1: no target at all */
    bool each_open;      /* every target has an address that connects */
    bool any_open;       /* some target has */
    uint64_t unfinished; /* connects and lookups dropped at an early end, as far as begun */
};

struct scan_end scan_run(const struct scan_options *options, struct source *source,
                         struct pool *pool, const struct scan_client *client);

#endif
