/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_PROBE_JSON_H
#define TCPDIAG_PROBE_JSON_H

#include <stdio.h>

#include "probe/results/result.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The record as the log has it; unless quiet, the answers that stand behind it follow, which no
   record of the log has: a line for each kind, {"dns":...}, {"control":...}. The trace, which was
   asked for, follows always. */
void json_result(FILE *file, const struct result *result, bool quiet);

#ifdef __cplusplus
}
#endif
#endif
