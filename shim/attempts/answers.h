/* SPDX-License-Identifier: MIT */
/*
 * Which name an address came from: this process's own latest lookups, in a small fixed table.
 * Lock-free, async-signal-safe. Survives a fork: servers resolve first and fork then.
 */
#ifndef TCPDIAG_ANSWERS_H
#define TCPDIAG_ANSWERS_H

#include <stddef.h>

#include "shim/diagnosis/classify.h"

#define TCPDIAG_NAME_MAX 254 /* RFC 1035: 253 characters and the root's dot */

void tcpdiag_answers_store(const struct tcpdiag_endpoint *address, const char *name, size_t length);

/* Copies the name that address was last an answer to, of this thread's lookups rather than
   another's; returns its length, 0: no lookup of this process gave the address. */
size_t tcpdiag_answers_find(const struct tcpdiag_endpoint *address, char name[TCPDIAG_NAME_MAX]);

#endif
