/* SPDX-License-Identifier: MIT */
/*
 * Records put together: attempts that ended alike, to the same place, are one group. The memory it
 * takes grows with the groups and with the attempts that are still open, not with the log.
 */
#ifndef TCPDIAG_TOOLS_REPORT_TALLY_H
#define TCPDIAG_TOOLS_REPORT_TALLY_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/log/journal.h"
#include "tools/report/names.h"

struct group {
    enum tcpdiag_outcome outcome; /* NONE: still under way, or missing */
    enum tcpdiag_cause cause;
    bool connect;
    bool cut_short; /* lookups only: the process ended before the resolver did */
    bool missing;   /* it may have ended: records of its process were lost or are torn */
    char *target;   /* the name asked for, else the address */
    long port;
    unsigned long count;
    unsigned long unfinished; /* of them: the process ended first */
    char *first;
    char *last;
    struct names programs, addresses, senders, errors;
};

struct tally {
    unsigned long attempts, connected, resolved, failed, abandoned, pending, unknown;
    unsigned long lost, torn;
    struct group **groups; /* after tally_close, the most frequent first */
    size_t group_count;
    void *group_tree; /* tsearch(3) */
    void *begin_tree;
    unsigned long sequence;  /* of the last record */
    double now;              /* its time */
    void *loser_tree;        /* processes that say that records of theirs are lost */
    void *torn_tree;         /* the attempts of torn ends */
    struct moment *nameless; /* when records were torn whose attempt is torn off */
    size_t nameless_count;
    /* Called with each attempt that has ended, or never will; may be NULL. Where no end record
       came, entry->json is NULL. */
    void (*attempt)(void *context, const struct logged *entry);
    void *context;
};

void tally_add(struct tally *tally, const struct logged *entry);
void tally_torn(struct tally *tally, const struct torn *half);

/* After the last record: decides about attempts that never ended, and sorts. */
void tally_close(struct tally *tally);

void tally_free(struct tally *tally);

/* Whether an attempt that ended so is a failure. */
bool outcome_failed(enum tcpdiag_outcome outcome);
bool group_failed(const struct group *group);

#endif
