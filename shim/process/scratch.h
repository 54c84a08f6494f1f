/* SPDX-License-Identifier: MIT */
/*
 * Big buffers that a hook may not have on the stack: a stranger's thread may own 16 KiB in all, of
 * which a hook has a few. A fixed pool; lock-free, async-signal-safe; no slot is ever held across a
 * call that the program asked for.
 */
#ifndef TCPDIAG_SCRATCH_H
#define TCPDIAG_SCRATCH_H

#define TCPDIAG_SCRATCH_SIZE 4096

struct tcpdiag_scratch {
    char line[TCPDIAG_SCRATCH_SIZE]; /* TCPDIAG_RECORD_MAX; also any list of a kernel's answer */
    char name[256];
};

/* NULL when all slots have stayed busy for a second: the caller loses its record and says so. */
struct tcpdiag_scratch *tcpdiag_scratch_take(void);
void tcpdiag_scratch_give(struct tcpdiag_scratch *slot);

#endif
