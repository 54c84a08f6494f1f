/* SPDX-License-Identifier: MIT */
/*
 * The log: one record, one write. Async-signal-safe, thread-safe, lock-free; never blocks on a
 * pipe, never raises SIGPIPE or SIGXFSZ, never writes to a descriptor that is not provably the log.
 * A record that cannot be written is counted, and the count goes with the next one.
 */
#ifndef TCPDIAG_SINK_H
#define TCPDIAG_SINK_H

#include <stddef.h>

#include "shim/diagnosis/record.h"

/* Opens the log, while the program still may. */
void tcpdiag_sink_prepare(void);

/* Fills in the record's time, process and thread, and writes it. errno is changed. */
void tcpdiag_sink_record(struct tcpdiag_record *record);

/* Counts records that could not even be begun; why goes to tcpdiag_sink_complain. */
void tcpdiag_sink_lose(unsigned count, const char *why);

/* One line to standard error, at most once in a process and only under `tcpdiag run`. */
void tcpdiag_sink_complain(const char *what);

/* The calling thread and its process; right in the child of a fork and of a vfork as well. */
int tcpdiag_sink_pid(void);

#endif
