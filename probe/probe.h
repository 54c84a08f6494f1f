/* SPDX-License-Identifier: MIT */
/* The prober's engine: one destination, each of its addresses in order until one connects. */
#ifndef TCPDIAG_PROBE_H
#define TCPDIAG_PROBE_H

#include <stdint.h>

#include "shim/diagnosis/record.h"

struct probe {
    const char *host;
    uint16_t port;
    int family;       /* AF_UNSPEC, AF_INET or AF_INET6 */
    int64_t limit_ns; /* for each address */
    /* Called with each end record; what it points to lives only as long as the call. */
    void (*report)(void *context, const struct tcpdiag_record *record);
    void *context;
};

/* Several addresses failed, and not all in the same way. */
enum { PROBE_STATUS_MIXED = 10 };

/* The exit status: 0 where an address connected, else that of the outcome that all came to. */
int probe(const struct probe *probe);

#endif
