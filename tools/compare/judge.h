/* SPDX-License-Identifier: MIT */
/* What the difference between then and now tells. */
#ifndef TCPDIAG_TOOLS_COMPARE_JUDGE_H
#define TCPDIAG_TOOLS_COMPARE_JUDGE_H

#include <stdbool.h>

#include "tools/compare/comparison.h"

/* What was given up and works is no finding: without all it is left out here. */
void compare_judge(struct comparison *comparison, bool all);

const char *verdict_name(enum verdict verdict);

#endif
