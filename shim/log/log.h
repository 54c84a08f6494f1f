/* SPDX-License-Identifier: MIT */
/*
 * The log: one record, one write. Async-signal-safe, thread-safe, lock-free; never blocks on a
 * pipe, never raises SIGPIPE or SIGXFSZ, never writes to a descriptor that is not provably the log.
 * A record that cannot be written is counted, and the count goes with the next one.
 */
#ifndef TCPDIAG_LOG_H
#define TCPDIAG_LOG_H

#include <stdbool.h>

#include "shim/diagnosis/record.h"

/* Opens the log, while the program still may. */
void tcpdiag_log_prepare(void);

/* Fills in the record's time, process and thread, and writes it. errno is changed. */
void tcpdiag_log_record(struct tcpdiag_record *record);

/* Counts records that could not even be begun; why goes to tcpdiag_complain. */
void tcpdiag_log_lose(unsigned count, const char *why);

/* Whether the user wants records of such an end. */
bool tcpdiag_wanted(enum tcpdiag_outcome outcome);

#endif
