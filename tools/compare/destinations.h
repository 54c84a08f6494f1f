/* SPDX-License-Identifier: MIT */
/* What the log says of each destination. */
#ifndef TCPDIAG_TOOLS_COMPARE_DESTINATIONS_H
#define TCPDIAG_TOOLS_COMPARE_DESTINATIONS_H

#include <stdbool.h>

#include "tools/compare/comparison.h"

/* For tally.attempt: context is the comparison. */
void compare_note(void *context, const struct logged *entry);

/* Chooses what is compared: all, or what failed at least once or was given up without success; the
   most frequent failure first. */
void compare_choose(struct comparison *comparison, bool all);

/* Another address of the same name, where the same program connected by itself; else NULL. */
const struct destination *compare_elsewhere(const struct comparison *comparison,
                                            const struct destination *destination);

void compare_free(struct comparison *comparison);

#endif
