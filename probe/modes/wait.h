/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_PROBE_WAIT_H
#define TCPDIAG_PROBE_WAIT_H

#include "probe/modes/scan.h"
#include "probe/modes/session.h"

struct wait_options {
    struct scan_options scan; /* of each round */
    bool closed;              /* until no target connects; else until each one does */
    int64_t interval_ns;      /* from one round to the next */
    int64_t limit_ns;         /* at most so long, 0: for ever */
};

/* Rounds over all targets until they are as wanted. Returns the exit status. */
int wait_run(struct session *session, const struct wait_options *options);

#endif
