/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_PROBE_ONCE_H
#define TCPDIAG_PROBE_ONCE_H

#include "probe/modes/scan.h"
#include "probe/modes/session.h"

/* Every target once. Returns the exit status. */
int once_run(struct session *session, const struct scan_options *options);

#endif
