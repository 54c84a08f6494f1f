/* SPDX-License-Identifier: MIT */
/* CSV as RFC 4180 has it, but with the line ends of this system. */
#ifndef TCPDIAG_PROBE_CSV_H
#define TCPDIAG_PROBE_CSV_H

#include <stdio.h>

#include "probe/results/result.h"

#ifdef __cplusplus
extern "C" {
#endif

void csv_header(FILE *file);
void csv_result(FILE *file, const struct result *result);

#ifdef __cplusplus
}
#endif
#endif
