/* SPDX-License-Identifier: MIT */
/* What this machine's files say about names: resolv.conf(5), hosts(5), nsswitch.conf(5). */
#ifndef TCPDIAG_PROBE_DNS_SETUP_H
#define TCPDIAG_PROBE_DNS_SETUP_H

#include <resolv.h>

#include "probe/questions/dns.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fills the fields of result that come from files, and the list of names to ask for. state is what
   libc's own resolver would begin with; it is initialised here, and res_nclose is the caller's.
   False where it cannot be. */
bool dns_setup(struct dns_result *result, res_state state);

#ifdef __cplusplus
}
#endif
#endif
