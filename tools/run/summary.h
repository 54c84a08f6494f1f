/* SPDX-License-Identifier: MIT */
/* What was recorded between two moments. */
#ifndef TCPDIAG_TOOLS_RUN_SUMMARY_H
#define TCPDIAG_TOOLS_RUN_SUMMARY_H

#include "tools/log/logpath.h"

struct summary;

/* Remembers how long the logs at this place are; place must outlive the summary. */
struct summary *summary_begin(const struct log_place *place);

/* Prints, where wanted, what came since to standard error, a few lines at most; frees the summary.
 */
void summary_end(struct summary *summary, bool wanted);

#endif
