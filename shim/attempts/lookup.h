/* SPDX-License-Identifier: MIT */
/*
 * The life of a lookup: its begin, its end, and the answers that later connects are named after.
 * Nothing here changes errno. Async-signal-safe.
 */
#ifndef TCPDIAG_LOOKUP_H
#define TCPDIAG_LOOKUP_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "shim/attempts/answers.h"

struct tcpdiag_lookup {
    const char *name;    /* may be NULL */
    const char *service; /* may be NULL */
    uint64_t number;
    int64_t begin_ns;
    bool missed; /* there is a name, and the kernel says that nobody can read it */
    char name_copy[TCPDIAG_NAME_MAX + 1];
    char service_copy[32];
};

/* A begin is written where somebody will be asked. name and service may be any pointers. */
void tcpdiag_lookup_begin(struct tcpdiag_lookup *lookup, const char *name, const char *service);
void tcpdiag_lookup_begin_as(struct tcpdiag_lookup *lookup, uint64_t number, const char *name,
                             const char *service);
void tcpdiag_lookup_end(const struct tcpdiag_lookup *lookup, int gai, int error,
                        const struct addrinfo *answers);
void tcpdiag_lookup_end_host(const struct tcpdiag_lookup *lookup, int h_error,
                             const struct hostent *answers);

#endif
