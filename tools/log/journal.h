/* SPDX-License-Identifier: MIT */
/* Reads the log that docs/log-format.md specifies, line by line. */
#ifndef TCPDIAG_TOOLS_LOG_JOURNAL_H
#define TCPDIAG_TOOLS_LOG_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "shim/diagnosis/outcome.h"

/* One record, as far as reports need it. The strings belong to json; "" where the field is absent.
 */
struct logged {
    json_t *json;
    bool end;     /* else begin */
    bool connect; /* else resolve */
    enum tcpdiag_outcome outcome;
    enum tcpdiag_cause cause;
    const char *time;
    const char *attempt;
    const char *host;
    const char *executable;
    const char *server;
    const char *peer;
    const char *error; /* errno, gai or h_errno, by name */
    const char *sender;
    long pid;
    long port; /* 0: none */
    unsigned long lost;
};

/* What is left of a record whose writer was killed, or had no more room, in the middle of it. */
struct torn {
    const char *attempt; /* "" where it is torn off */
    bool begin;          /* known to be one: then no end is missing */
};

struct journal {
    void (*record)(void *context, const struct logged *entry);
    void (*torn)(void *context, const struct torn *half); /* may be NULL */
    void *context;
    const char *who;       /* the command whose messages these are */
    bool silent;           /* do not name lines that are no record */
    unsigned long skipped; /* lines that are no record, in all files read */
};

/* The time of the first record; "" where there is none near the beginning. The caller's to free. */
char *journal_first_time(FILE *from);

/* Reads the stream to its end and hands over each record, those too that stand in one line with
   half of another, and each half. Lines that are neither are counted, and the first few named on
   standard error. False where reading failed, after one line that says so. */
bool journal_read(struct journal *journal, FILE *from, const char *name);

#endif
