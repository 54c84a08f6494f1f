/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_PROBE_DNS_WHY_H
#define TCPDIAG_PROBE_DNS_WHY_H

#include "probe/questions/dns.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fills why, why_name and any_name_resolves from the answers and the files. Pure. */
void dns_conclude(struct dns_result *result);

/* The server answered something that it knows: for the root, or for one of the names. */
bool dns_works(const struct dns_result *result, const struct dns_server *server);

#ifdef __cplusplus
}
#endif
#endif
