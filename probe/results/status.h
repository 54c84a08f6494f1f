/* SPDX-License-Identifier: MIT */
/* The exit statuses that stand for no outcome of a connect, and how statuses become one. */
#ifndef TCPDIAG_PROBE_STATUS_H
#define TCPDIAG_PROBE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

enum {
    STATUS_NONE = -1, /* nothing has ended yet */
    STATUS_USAGE = 2, /* wrong usage, a bad line in a file, or standard output cannot be written */
    STATUS_MIXED = 10,
};

/* Of one target, once all of its addresses have ended; of the run, once all targets have. */
void status_fold(int *status, int one);

#ifdef __cplusplus
}
#endif
#endif
