/* SPDX-License-Identifier: MIT */
/* A result for people: an aligned line, and what it means under it. */
#ifndef TCPDIAG_PROBE_TEXT_H
#define TCPDIAG_PROBE_TEXT_H

#include <stdio.h>

#include "probe/results/result.h"
#include "shim/diagnosis/outcome.h"

#ifdef __cplusplus
extern "C" {
#endif

struct text {
    bool quiet;  /* no explanations */
    bool colour; /* a terminal reads it */
    int width;   /* of the column of targets */
    int columns; /* of the terminal that reads it, which a line has to fit; 0: none does */
    bool explained[TCPDIAG_OUTCOME_COUNT][TCPDIAG_CAUSE_COUNT]; /* each is explained once */
};

void text_result(struct text *text, FILE *file, const struct result *result);

#ifdef __cplusplus
}
#endif
#endif
