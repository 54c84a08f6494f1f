/* SPDX-License-Identifier: MIT */
/*
 * Results for people (text.h) and for programs: the records of libtcpdiag's log (json.h), or CSV
 * (csv.h). All of it goes to standard output, in pieces: output_flush sends it on.
 */
#ifndef TCPDIAG_PROBE_OUTPUT_H
#define TCPDIAG_PROBE_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "probe/results/result.h"
#include "probe/results/text.h"

#ifdef __cplusplus
extern "C" {
#endif

enum output_form { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_CSV };

struct output_options {
    enum output_form form;
    bool quiet; /* no explanations */
};

struct output {
    struct output_options options;
    struct text text;
    FILE *file;
};

/* widest: the longest target that is known beforehand. */
void output_begin(struct output *output, const struct output_options *options, int widest);
void output_result(struct output *output, const struct result *result);

/* Whether an explanation would be shown; else nobody need be asked for it. */
bool output_explains(const struct output *output);

/* Whether there is something to flush. */
bool output_pending(const struct output *output);

/* False with errno set where standard output cannot be written. */
bool output_flush(struct output *output);

#ifdef __cplusplus
}
#endif
#endif
