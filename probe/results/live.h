/* SPDX-License-Identifier: MIT */
/* What repeated connects amount to: redrawn in its place on a terminal, and once at the end. */
#ifndef TCPDIAG_LIVE_H
#define TCPDIAG_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "probe/results/result.h"
#include "probe/results/stats.h"

struct live_row {
    struct tcpdiag_endpoint peer;
    bool alternative;               /* one more address of the target before it */
    int status;                     /* of all its results; -1: none yet */
    struct tcpdiag_verdict failure; /* the last one */
    char target[RESULT_TARGET_SIZE];
    struct stats stats;
};

void live_begin(FILE *file); /* hides the cursor */
void live_end(FILE *file);   /* shows it again, wherever the drawing has come to */

/* in_place: over the one before, as much as fits the screen. Else all, below it. */
void live_draw(FILE *file, const struct live_row *rows, size_t count, bool in_place);

#endif
