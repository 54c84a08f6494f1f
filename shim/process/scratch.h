/* SPDX-License-Identifier: MIT */
/*
 * Big buffers that a hook may not have on the stack: a stranger's thread may own 16 KiB in all, of
 * which a hook has a few. A fixed pool; lock-free, async-signal-safe; no slot is ever held across a
 * call that the program asked for.
 */
#ifndef TCPDIAG_SCRATCH_H
#define TCPDIAG_SCRATCH_H

#include <stdatomic.h>
#include <stdint.h>

#define TCPDIAG_SCRATCH_SIZE 4096

struct tcpdiag_scratch {
    char line[TCPDIAG_SCRATCH_SIZE]; /* TCPDIAG_RECORD_MAX; also any list of a kernel's answer */
    char name[256];
};

/* NULL when all slots have stayed busy for a second: the caller loses its record and says so. */
struct tcpdiag_scratch *tcpdiag_scratch_take(void);
void tcpdiag_scratch_give(struct tcpdiag_scratch *slot);

/* What belongs to one process alone: the child of a fork starts with zeros. */
struct tcpdiag_this_process {
    _Atomic uint64_t scratch_busy; /* bit n: slot n is taken */
    _Atomic uint64_t lost;         /* records that could not be written, not yet told */
    _Atomic int log_torn;          /* our last write was short: the next begins a new line */
    _Atomic int stderr_torn;
    _Atomic int opening;    /* a thread opens the log and makes it known to the others */
    _Atomic int threaded;   /* it has, or has had, a second thread */
    _Atomic int pid;        /* whose this is; a vfork child has its parent's */
    _Atomic uint64_t start; /* see struct tcpdiag_identity */
};
extern struct tcpdiag_this_process *const tcpdiag_this_process;

/* Once, at the start: asks the kernel to wipe that in the child of a fork, whose other threads,
   which may have held some of it, are gone. */
void tcpdiag_scratch_init(void);

#endif
