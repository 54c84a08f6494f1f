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

/* Before the process gets a thread. */
void tcpdiag_threads_begin(void);

/* Another process is to have the same descriptors (clone with CLONE_FILES). */
void tcpdiag_descriptors_shared(void);

#endif
