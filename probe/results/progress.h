/* SPDX-License-Identifier: MIT */
/* The bar of a long scan, on standard error and only where that is a terminal. */
#ifndef TCPDIAG_PROGRESS_H
#define TCPDIAG_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/diagnosis/duration.h"

struct progress {
    bool shown;     /* standard error is a terminal, and there is something to watch */
    bool drawn;     /* the bar stands on the screen now */
    int64_t begin;  /* CLOCK_MONOTONIC, ns */
    uint64_t total; /* 0: not known */
};

#define PROGRESS_TICK (100 * TCPDIAG_MILLISECOND)

void progress_begin(struct progress *progress, uint64_t total);
void progress_draw(struct progress *progress, uint64_t done, uint64_t connected);
void progress_erase(struct progress *progress);

/* The last word, in the bar's place. */
void progress_end(struct progress *progress, uint64_t done, uint64_t connected);

#endif
