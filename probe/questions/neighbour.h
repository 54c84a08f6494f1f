/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_PROBE_NEIGHBOUR_H
#define TCPDIAG_PROBE_NEIGHBOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/diagnosis/classify.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The state (NUD_... of linux/neighbour.h) of the kernel's neighbour entry for the address: what
   ARP or neighbour discovery found (RTM_GETNEIGH, rtnetlink(7); needs no privilege). False where
   there is none, as for every address that is not on a local link. */
bool neighbour_state(const struct tcpdiag_endpoint *address, uint16_t *state);

#ifdef __cplusplus
}
#endif
#endif
