/* SPDX-License-Identifier: MIT */
/*
 * What the records of an attempt are made of: what its socket tells, its begin and its ends. call.h
 * and flight.h decide which of them is written, and when. errno is changed. Async-signal-safe.
 */
#ifndef TCPDIAG_ATTEMPT_H
#define TCPDIAG_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/attempts/table.h"

/* The first of so many attempt numbers in a row. */
uint64_t tcpdiag_numbers(unsigned count);

/* SO_COOKIE (Linux 4.6): tells a socket from a later one with the same number; 0: not known. */
uint64_t tcpdiag_cookie_of(int fd);

/* Whether the handshake was done, by what tcpdiag_evidence_state has filled in. */
bool tcpdiag_established(const struct tcpdiag_evidence *evidence);

/* Takes IPV6_RECVERR back, where it is ours. */
void tcpdiag_stop_asking(const struct tcpdiag_attempt *attempt);

/* Why the attempt failed, as far as its socket knows, after the program has its error or has given
   the socket up. */
void tcpdiag_read_failure(const struct tcpdiag_attempt *attempt, int error,
                          struct tcpdiag_evidence *evidence);

void tcpdiag_write_begin(const struct tcpdiag_attempt *attempt);

/* end_ns: of CLOCK_MONOTONIC. error: errno or 0. */
void tcpdiag_write_end(const struct tcpdiag_attempt *attempt, enum tcpdiag_ending ending, int error,
                       int64_t end_ns, const struct tcpdiag_evidence *evidence);

/* The end by the kernel's word, which the program has. evidence: the socket's state. */
void tcpdiag_end_with_error(const struct tcpdiag_attempt *attempt, int error,
                            struct tcpdiag_evidence *evidence);

/* The end of which nobody knows how it came or will come. */
void tcpdiag_write_unseen_end(const struct tcpdiag_attempt *attempt);

/* Takes this attempt out of the table, with that end. */
void tcpdiag_forget(struct tcpdiag_attempt *attempt);

#endif
