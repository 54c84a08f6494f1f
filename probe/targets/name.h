/* SPDX-License-Identifier: MIT */
/* A name's lookup and its answer, shared by its destinations. */
#ifndef TCPDIAG_PROBE_NAME_H
#define TCPDIAG_PROBE_NAME_H

#include <stdint.h>

#include "probe/targets/target.h"
#include "shim/diagnosis/record.h"

struct name {
    char host[TARGET_HOST_MAX + 2];
    uint16_t port;                      /* the only one that is asked for, 0: several */
    int gai, error;                     /* getaddrinfo's code; errno where that is EAI_SYSTEM */
    int64_t lookup_ns;                  /* how long it took */
    int64_t wall_ns;                    /* CLOCK_REALTIME at its end */
    struct tcpdiag_endpoint *addresses; /* in the order of RFC 6724; the port is not set */
    uint32_t address_count;
    char *why; /* about a failure: lines, each ended by a newline; NULL: none */
    char *dns; /* the same as one JSON object; NULL: none */
    unsigned references;
};

/* With one reference, and not looked up yet. */
struct name *name_new(const struct target *target);
struct name *name_keep(struct name *name); /* one reference more; name may be NULL */
void name_release(struct name *name);      /* one less; the last frees it; name may be NULL */

/* Blocks as long as the resolver does. family: AF_UNSPEC, or the only one that is wanted. */
void name_look_up(struct name *name, int family);

/* The record of the lookup; its texts live as long as the name and text. */
enum { NAME_SERVICE_SIZE = 8 };
struct tcpdiag_record name_record(const struct name *name, char text[NAME_SERVICE_SIZE]);

#endif
