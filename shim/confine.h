/* SPDX-License-Identifier: MIT */
/*
 * The seccomp filters that the program has put on itself. What a filter does not allow may kill the
 * program (seccomp(2)), so each is kept, and the shim asks them before every system call of its
 * own: the same answer as the kernel's, without the kernel.
 *
 * Lock-free, async-signal-safe. A filter that one thread put on itself counts for all, and so does
 * one of a vfork child: rather a record too few than a call too many.
 */
#ifndef TCPDIAG_CONFINE_H
#define TCPDIAG_CONFINE_H

#include <stdbool.h>

struct sock_filter;

#ifndef __cplusplus
#include <stdatomic.h>
/* How many filters there are; one load for whoever has none. */
extern _Atomic unsigned tcpdiag_filters;
#endif

/* Whether all of them allow the call. */
bool tcpdiag_confine_allows(long number, const long arguments[6]);

/* The same of one filter that is not in force yet. */
bool tcpdiag_filter_allows(const struct sock_filter *code, unsigned count, long number,
                           const long arguments[6]);

/* To be called before the kernel gets the filter, and if it refuses it, undo with the answer. NULL:
   nothing is allowed from now on. */
unsigned tcpdiag_confine_add(const struct sock_filter *code, unsigned count);
void tcpdiag_confine_undo(unsigned before);

#endif
