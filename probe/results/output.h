/* SPDX-License-Identifier: MIT */
/*
 * Results for people (a line each, an explanation under a failure) and for programs: the records of
 * libtcpdiag's log, or CSV. All of it goes to standard output, in pieces: output_flush sends it on.
 */
#ifndef TCPDIAG_OUTPUT_H
#define TCPDIAG_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/diagnosis/record.h"

struct result {
    struct tcpdiag_record record;
    uint16_t port;          /* of a lookup: the only port that was asked for, 0: several */
    int64_t name_ns;        /* how long the lookup of the name took; -1: there was none */
    const char *asked;      /* what was asked after the failure and what came of it: one sentence or
                               several lines; NULL: nothing */
    const char *trace_text; /* the way to the host, in lines and as JSON; NULL: not asked for */
    const char *trace_json;
};

enum output_form { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_CSV };

struct output {
    enum output_form form;
    bool quiet;  /* no explanations */
    bool colour; /* a terminal reads it */
    int width;   /* of the column of targets */
    int columns; /* of the terminal that reads it, which a line has to fit; 0: none does */
    bool explained[TCPDIAG_OUTCOME_COUNT][TCPDIAG_CAUSE_COUNT];
};

/* widest: the longest target that is known beforehand. */
void output_begin(struct output *output, int widest);
void output_result(struct output *output, const struct result *result);

/* Whether there is something to flush. */
bool output_pending(void);

/* False with errno set where standard output cannot be written. */
bool output_flush(void);

/* "db.staging:5432 [10.0.2.2]", "[::1]:80": NUL-terminated; returns the length. */
enum { OUTPUT_TARGET_SIZE = 400 };
int output_target(const struct result *result, char text[OUTPUT_TARGET_SIZE]);

/* The forms, each in its file. */
void output_text(struct output *output, const struct result *result);
void output_csv_header(void);
void output_csv(const struct result *result);

#endif
