/* SPDX-License-Identifier: MIT */
/*
 * From targets to destinations: names are looked up (in the pool, several at once, while what needs
 * no lookup goes on), blocks and lists of ports are unfolded one destination at a time. What is in
 * memory at any time is a bounded number of targets, however many destinations they stand for.
 */
#ifndef TCPDIAG_WALK_H
#define TCPDIAG_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/base/pool.h"
#include "probe/targets/source.h"

/* A name's lookup and its answer, shared by its destinations. */
struct name {
    char host[TARGET_HOST_MAX + 2];
    uint16_t port;                      /* the only one that is asked for, 0: several */
    int gai, error;                     /* getaddrinfo's code; errno where that is EAI_SYSTEM */
    int64_t lookup_ns;                  /* how long it took */
    int64_t wall_ns;                    /* CLOCK_REALTIME at its end */
    struct tcpdiag_endpoint *addresses; /* in the order of RFC 6724; the port is not set */
    uint32_t address_count;
    char *why; /* lines about a failure, each ended by a newline; NULL: none */
    unsigned references;
};

struct destination {
    struct tcpdiag_endpoint peer;
    struct name *name; /* NULL: an address was asked for. Else to be given back: walk_release */
    uint32_t index;    /* of the address among the name's */
};

enum walk_next {
    WALK_DESTINATION,
    WALK_LOOKUP, /* a name's lookup has ended; its destinations follow, where it has any */
    WALK_LATER,  /* see walk_fd and the pool */
    WALK_END,
};

struct walk_options {
    int family;
    bool ordered; /* a slow lookup holds up what comes after it */
    bool explain; /* ask the name servers why a lookup failed */
};

struct walk;

/* The source and the pool stay the caller's. */
struct walk *walk_new(const struct walk_options *options, struct source *source, struct pool *pool);

/* Only without a lookup under way. */
void walk_free(struct walk *walk);

/* For a port, all the addresses of a name come in a row, then the next port's. */
enum walk_next walk_next(struct walk *walk, struct destination *destination);

/* After LATER: the descriptor from which more targets will come, or -1. */
int walk_fd(const struct walk *walk);

void walk_release(struct name *name);

#endif
