/* SPDX-License-Identifier: MIT */
/* Groups and counts in words; what is a char * is the caller's to free. */
#ifndef TCPDIAG_TOOLS_REPORT_TALLY_TEXT_H
#define TCPDIAG_TOOLS_REPORT_TALLY_TEXT_H

#include <stdbool.h>

#include "tools/report/tally.h"

/* "db.staging:5432 (10.0.2.2)", "refused / firewall-reject" */
char *group_target(const struct group *group, bool with_addresses);
char *group_verdict(const struct group *group);
const char *group_meaning(const struct group *group);
char *group_advice(const struct group *group);

/* "12 attempts: 9 connected, 2 failed" */
char *tally_text(const struct tally *tally);

#endif
