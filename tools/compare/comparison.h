/* SPDX-License-Identifier: MIT */
/*
 * What tcpdiag compare knows: what the log says of each destination, what the prober finds from
 * here and now, and what the difference tells.
 */
#ifndef TCPDIAG_TOOLS_COMPARE_COMPARISON_H
#define TCPDIAG_TOOLS_COMPARE_COMPARISON_H

#include <stdbool.h>
#include <stddef.h>

#include "shim/diagnosis/outcome.h"
#include "tools/report/tally.h"

/* What the prober found about one address and port. */
struct probed {
    char *address;
    long port;
    bool answered; /* there is a result */
    enum tcpdiag_outcome outcome;
    enum tcpdiag_cause cause;
    double ms;
    char *message;
};

/* What this machine's resolver says of a name. */
struct looked_up {
    char *name;
    int gai; /* getaddrinfo's */
    struct names answers;
    char *why; /* where it failed: what asking the servers themselves brought out */
};

enum verdict {
    VERDICT_FINE,         /* worked, and works */
    VERDICT_SAME,         /* fails in the same way: it is the network */
    VERDICT_DIFFERENT,    /* fails, but in another way */
    VERDICT_MENDED,       /* failed, works now */
    VERDICT_ONLY_PROGRAM, /* works for the prober, and the evidence says why not for the program */
    VERDICT_ONLY_PROBER,  /* worked for the program */
    VERDICT_NOT_ASKED,
    VERDICT_COUNT
};

struct reason {
    const char *name; /* "time-limit" */
    char *text;
};

enum { REASONS_MAX = 8 };

/* A log is written by strangers: what it costs to compare it is bounded. */
enum {
    ASKED_MAX = 500,  /* destinations that are asked */
    KEPT_MAX = 10000, /* that are kept to choose from */
};

/* One program and one place that it went to. */
struct destination {
    bool connect; /* else a lookup */
    char *executable, *server, *peer;
    long port;
    unsigned long attempts, failures;
    bool given_up; /* it only gave up, before the network could answer (abandoned) */

    /* The last attempt that failed, or where none has the last. */
    enum tcpdiag_outcome outcome;
    enum tcpdiag_cause cause;
    char *time, *host, *error, *service;
    long pid;
    double ms;            /* < 0: unknown, the process ended first */
    bool recovered;       /* a later attempt worked */
    struct names answers; /* the last lookup that worked had these */

    const struct probed *now;
    const struct looked_up *lookup;
    enum verdict verdict;
    bool fails_now;
    struct reason reasons[REASONS_MAX];
    unsigned reason_count;
    bool process_gone; /* nothing can be said about it any more */
};

struct comparison {
    struct destination **list;
    size_t count;
    size_t wanted;   /* the first so many of the list are compared; judge.c looks at the others only
                        for addresses of the same name that worked */
    size_t left_out; /* destinations that would be compared but for ASKED_MAX */
    unsigned long not_kept; /* attempts to destinations beyond KEPT_MAX */
    void *tree;             /* of destinations, by tsearch(3) */
    struct probed *probed;
    size_t probed_count;
    struct looked_up *lookups;
    size_t lookup_count;
    const char *wait; /* seconds for each connect, as the prober takes them */
    long netns;       /* asked from the network namespace of this process; 0: from here */
};

#endif
