/* SPDX-License-Identifier: MIT */
/* What belongs to one process alone: the child of a fork starts with zeros. */
#ifndef TCPDIAG_STATE_H
#define TCPDIAG_STATE_H

#include <stdatomic.h>
#include <stdint.h>

struct tcpdiag_this_process {
    _Atomic uint64_t scratch_busy; /* bit n: slot n is taken */
    _Atomic uint64_t lost;         /* records that could not be written, not yet told */
    _Atomic int log_torn;          /* our last write was short: the next begins a new line */
    _Atomic int stderr_torn;
    _Atomic int opening;    /* the thread that opens the log and makes it known to the others */
    _Atomic int threaded;   /* it has, or has had, a second thread */
    _Atomic int pid;        /* whose this is; a vfork child has its parent's */
    _Atomic uint64_t start; /* see struct tcpdiag_identity */
};
extern struct tcpdiag_this_process *const tcpdiag_this_process;

/* Once, at the start: asks the kernel to wipe it in the child of a fork, whose other threads, which
   may have held some of it, are gone. */
void tcpdiag_state_init(void);

#endif
