/* SPDX-License-Identifier: MIT */
/* One non-blocking TCP connect and everything that its socket can tell about it. */
#ifndef TCPDIAG_DIAL_H
#define TCPDIAG_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/diagnosis/record.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dial_options {
    struct tcpdiag_endpoint source; /* family 0: any address; port 0: any port */
    const char *interface;          /* NULL: any */
    bool marked;
    uint32_t mark; /* SO_MARK */
};

enum dial_state {
    DIAL_PENDING,
    DIAL_ENDED,         /* the record has its end; the socket is closed */
    DIAL_NO_DESCRIPTOR, /* this process or machine has none left: nothing was tried */
    DIAL_NO_PORT,       /* no source port is free: nothing was sent */
};

struct dial {
    int fd;
    int64_t begin; /* CLOCK_MONOTONIC, ns */
    struct tcpdiag_endpoint peer;
};

/* Starts to connect to dial->peer. After NO_DESCRIPTOR and NO_PORT the record tells the error, for
   a caller that does not want to wait until there is one. */
enum dial_state dial_start(struct dial *dial, const struct dial_options *options,
                           struct tcpdiag_record *record);

/* The socket has something to say. */
enum dial_state dial_check(struct dial *dial, struct tcpdiag_record *record);

/* Ends a pending connect whose time limit has run out. */
void dial_expire(struct dial *dial, struct tcpdiag_record *record);

/* Ends a pending connect without a word. */
void dial_drop(struct dial *dial);

/* Whether the options can be had at all, on an unconnected socket; else errno. */
int dial_test(const struct dial_options *options);

#ifdef __cplusplus
}
#endif
#endif
