/* SPDX-License-Identifier: MIT */
/*
 * The life of a lookup: its begin, its end, and the answers that later connects are named after. A
 * lookup of an address asks nobody: it has no records, unless it fails, and then an end alone.
 * Nothing here changes errno. Async-signal-safe.
 */
#ifndef TCPDIAG_LOOKUP_H
#define TCPDIAG_LOOKUP_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "shim/attempts/answers.h"
#include "shim/attempts/waiting.h"

struct tcpdiag_lookup {
    const char *name;    /* may be NULL */
    const char *service; /* may be NULL */
    uint64_t number;
    int64_t begin_ns;
    int place;             /* in the table of waiting calls; -1: none */
    bool missed;           /* there is a name, and the kernel says that nobody can read it */
    bool numeric;          /* the name is an address, or there is none */
    bool wrong_family;     /* an address of another family than was asked for */
    bool only_looks;       /* AI_NUMERICHOST: whether it is an address, and nothing else */
    bool service_is_wrong; /* AI_NUMERICSERV, and it is no number */
    char name_copy[TCPDIAG_NAME_MAX + 1];
    char service_copy[32];
};

/* A begin is written where somebody will be asked. name, service and hints may be any pointers. */
void tcpdiag_lookup_begin(struct tcpdiag_lookup *lookup, const char *name, const char *service,
                          const struct addrinfo *hints);
void tcpdiag_lookup_begin_host(struct tcpdiag_lookup *lookup, const char *name, int family);
void tcpdiag_lookup_begin_as(struct tcpdiag_lookup *lookup, uint64_t number, const char *name,
                             const char *service, const struct addrinfo *hints);

/* What a begin finds out of them, without a record. */
void tcpdiag_lookup_describe(struct tcpdiag_lookup *lookup, uint64_t number, const char *name,
                             const char *service, const struct addrinfo *hints);

/* error: the errno that the call has left, 0: none. */
void tcpdiag_lookup_end(const struct tcpdiag_lookup *lookup, int gai, int error,
                        const struct addrinfo *answers);
void tcpdiag_lookup_end_host(const struct tcpdiag_lookup *lookup, int h_error, int error,
                             const struct hostent *answers);

/* ERANGE: the call had no room for its answer, and the program is to ask again. The next call of
   this thread for the same name is the same lookup. */
void tcpdiag_lookup_again(struct tcpdiag_lookup *lookup);

/* The end of a lookup that the process does not live to see, or has left by a jump. lost: nobody
   knows when. */
void tcpdiag_lookup_unfinished(const struct tcpdiag_waiting *call, bool lost);

#endif
