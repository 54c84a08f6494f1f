/* SPDX-License-Identifier: MIT */
/*
 * Who else would see a descriptor that the library opens. Linux opens at the lowest free number,
 * which another thread may be about to get, replace or hand to a child, so a process with threads
 * opens nothing: what it needs was opened before its first thread.
 *
 * Async-signal-safe, thread-safe; errno is changed.
 */
#ifndef TCPDIAG_THREADS_H
#define TCPDIAG_THREADS_H

#include <stdbool.h>

/* Once, at the start. */
void tcpdiag_threads_init(void);

/* Whether no other thread has the calling thread's descriptors. */
bool tcpdiag_alone(void);

/* In a new process, which has memory of its own; one that has its parent's (vfork) is told by it.
 */
void tcpdiag_process_begins(void);

/* The process has threads from now on. True: it had none before, as far as is known. */
bool tcpdiag_threads_mark(void);

/* Another process has the same descriptors from now on. */
void tcpdiag_descriptors_mark(void);

#endif
