/* SPDX-License-Identifier: MIT */
/* Results on their way to the output: as they come or in the order of their numbers, and counted.
 */
#ifndef TCPDIAG_PROBE_ORDER_H
#define TCPDIAG_PROBE_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/results/result.h"
#include "shim/diagnosis/outcome.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ORDER_WINDOW = 8192 /* results that can wait for an earlier one; a power of two */ };

struct order;

/* show is called for each result, with context. ordered: in the order of the numbers. */
struct order *order_new(void (*show)(void *context, const struct result *result), void *context,
                        bool ordered);
void order_free(struct order *order);

/* Each number from 0 on comes exactly once. */
void order_add(struct order *order, uint64_t number, const struct result *result);

/* Whether `number` has to wait because an earlier one, still under way, holds up too many. */
bool order_full(const struct order *order, uint64_t number);

/* Connects that ended, and lookups that failed. */
uint64_t order_total(const struct order *order);
uint64_t order_connected(const struct order *order);

#ifdef __cplusplus
}
#endif
#endif
