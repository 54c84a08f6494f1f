/* SPDX-License-Identifier: MIT */
/* What the name servers have said, for people and for programs. */
#ifndef TCPDIAG_PROBE_DNS_TEXT_H
#define TCPDIAG_PROBE_DNS_TEXT_H

#include "probe/questions/dns.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    DNS_LINES_MAX = 4,
    DNS_LINE_SIZE = 81, /* 80 columns */
    DNS_JSON_SIZE = 32768,
};

const char *dns_why_name(enum dns_why why); /* "all-silent" */

/* One to DNS_LINES_MAX plain lines of at most 80 columns, no newline; returns how many. */
unsigned dns_lines(const struct dns_result *result, char lines[DNS_LINES_MAX][DNS_LINE_SIZE]);

/* One JSON object, no newline. NUL-terminated; returns the length. */
size_t dns_json(const struct dns_result *result, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif
#endif
