/* SPDX-License-Identifier: MIT */
/*
 * From targets to destinations: names are looked up (in the pool, several at once, while what needs
 * no lookup goes on), blocks and lists of ports are unfolded one destination at a time. What is in
 * memory at any time is a bounded number of targets, however many destinations they stand for.
 */
#ifndef TCPDIAG_PROBE_DESTINATIONS_H
#define TCPDIAG_PROBE_DESTINATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/base/pool.h"
#include "probe/targets/name.h"
#include "probe/targets/source.h"

struct destination {
    struct tcpdiag_endpoint peer;
    struct name *name; /* NULL: an address was asked for. Else to be given back: name_release */
    uint32_t index;    /* of the address among the name's */
};

enum destinations_next {
    DESTINATIONS_ONE,
    DESTINATIONS_LOOKUP, /* a name's lookup has ended; its destinations follow, where it has any */
    DESTINATIONS_LATER,  /* see destinations_fd and the pool */
    DESTINATIONS_END,
};

struct destinations_options {
    int family;
    bool ordered; /* a slow lookup holds up what comes after it */
    /* Fills in why and dns of a name that did not resolve, on a thread of the pool, for some of the
       names; NULL: of none. */
    void (*explain)(struct name *name, int family);
};

struct destinations;

/* The source and the pool stay the caller's. */
struct destinations *destinations_new(const struct destinations_options *options,
                                      struct source *source, struct pool *pool);

/* Only without a lookup under way. */
void destinations_free(struct destinations *destinations);

/* For a port, all the addresses of a name come in a row, then the next port's. */
enum destinations_next destinations_next(struct destinations *destinations,
                                         struct destination *destination);

/* After LATER: the descriptor from which more targets will come, or -1. */
int destinations_fd(const struct destinations *destinations);

#endif
