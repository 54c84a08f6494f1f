/* SPDX-License-Identifier: MIT */
/* Results on their way to the output: as they come or in the order of their numbers, counted, and
   folded into one exit status. */
#ifndef TCPDIAG_REPORT_H
#define TCPDIAG_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/results/output.h"

enum { REPORT_STATUS_MIXED = 10 };

struct report;

struct report *report_new(struct output *output, bool ordered);
void report_free(struct report *report);

/* Each number from 0 on comes exactly once. */
void report_add(struct report *report, uint64_t number, const struct result *result);

/* Whether `number` has to wait because an earlier one, still under way, holds up too many. */
bool report_full(const struct report *report, uint64_t number);

/* The status of one target, once all of its addresses have ended. */
void report_fold(int *status, int one);

/* Connects that ended, by outcome. */
uint64_t report_count(const struct report *report, enum tcpdiag_outcome outcome);
uint64_t report_total(const struct report *report);

/* With its texts, in one piece for free(). */
struct result *report_copy(const struct result *result);

#endif
