/* SPDX-License-Identifier: MIT */
/*
 * One call that connects, from before it to its return: whether it begins an attempt, and whether
 * it ends it.
 *
 * Nothing here changes errno or what the program will see of its socket. Async-signal-safe.
 */
#ifndef TCPDIAG_CALL_H
#define TCPDIAG_CALL_H

#include <stdbool.h>

#include "shim/attempts/table.h"

/* One call of connect, or of sendto or sendmsg with MSG_FASTOPEN, to its return. */
struct tcpdiag_call {
    bool tcp;    /* false: no TCP connect, nothing to record */
    bool missed; /* it may have been one, but the kernel did not say: a seccomp filter, perhaps */
    int fd;
    int place;       /* in the table of waiting calls; -1: none */
    int sent_before; /* segments of an earlier connect whose end connect itself has not told; else 0
                      */
    struct tcpdiag_attempt attempt;
};

/* connect with AF_UNSPEC dissolves what there is (connect(2)). */
bool tcpdiag_disconnects(const void *address, unsigned length);

/* Before the real call. address may be any pointer: it is read only where the kernel could. */
void tcpdiag_call_begin(struct tcpdiag_call *call, int fd, const void *address, unsigned length,
                        int flags);

/* The same after the real call has shown that it starts a new connect. */
void tcpdiag_call_begun(struct tcpdiag_call *call, int fd, const void *address, unsigned length);

/* After it: error is 0 or the errno that it returned. */
void tcpdiag_call_end(struct tcpdiag_call *call, int error);

#endif
