/* SPDX-License-Identifier: MIT */
/*
 * The seccomp filters that the program has put on itself. What a filter does not allow may kill the
 * program (seccomp(2)), so each is kept, and the shim asks them before every system call of its
 * own: the same answer as the kernel's, without the kernel.
 *
 * Lock-free, async-signal-safe. A filter that one thread put on itself counts for all, since the
 * threads that it makes have it too, and so does one of a vfork child: rather a record too few than
 * a call too many.
 */
#ifndef TCPDIAG_CONFINE_H
#define TCPDIAG_CONFINE_H

#include <stdbool.h>

struct sock_filter;

#ifndef __cplusplus
#include <stdatomic.h>
/* 0 where there is no filter; one load for whoever has none. */
extern _Atomic unsigned tcpdiag_filters;
#endif

/* Whether all of them allow the call. */
bool tcpdiag_confine_allows(long number, const long arguments[6]);

/* The same of one filter that is not in force yet. */
bool tcpdiag_filter_allows(const struct sock_filter *code, unsigned count, long number,
                           const long arguments[6]);

/* False: the kernel refuses it with EINVAL. Of the others it refuses some too. */
bool tcpdiag_filter_is_valid(const struct sock_filter *code, unsigned count);

/* The caller calls begin before the kernel gets the filter, and end with the kernel's answer. From
   begin on the filter counts, as if it were in force: for the calling thread, or for all threads.
   After end with in_force false it counts no more. code NULL: a filter that allows no call. */
int tcpdiag_confine_begin(const struct sock_filter *code, unsigned count, bool all);
void tcpdiag_confine_end(int ticket, bool in_force);

enum { TCPDIAG_CONFINED_ALREADY = -1, TCPDIAG_CONFINED_UNKNOWN = -2 };

#endif
