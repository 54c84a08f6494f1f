/* SPDX-License-Identifier: MIT */
/*
 * What has to be there before the first hook works, and before the first thread runs. Every room
 * may call this; start.c knows every room. Async-signal-safe; errno stays.
 */
#ifndef TCPDIAG_START_H
#define TCPDIAG_START_H

/* Everything that has to be there before the first hook does its work; once. Called by the
   constructor, and by a hook that another library's constructor enters before ours has run. */
void tcpdiag_start(void);

/* Before the process gets a thread: what a process with threads may not open is opened. */
void tcpdiag_threads_begin(void);

/* Another process is to have the same descriptors (clone with CLONE_FILES). */
void tcpdiag_descriptors_shared(void);

#endif
