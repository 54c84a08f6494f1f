/* SPDX-License-Identifier: MIT */
/* What the resolver and the prober find now. */
#ifndef TCPDIAG_TOOLS_COMPARE_ASK_H
#define TCPDIAG_TOOLS_COMPARE_ASK_H

#include <stdbool.h>

#include "tools/compare/comparison.h"

/* Asks the resolver and the prober. False where the prober cannot be run, after one line. */
bool compare_ask(struct comparison *comparison);

const struct probed *compare_probed(const struct comparison *comparison, const char *address,
                                    long port);

#endif
