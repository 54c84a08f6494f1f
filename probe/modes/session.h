/* SPDX-License-Identifier: MIT */
/* What every mode works with. */
#ifndef TCPDIAG_PROBE_SESSION_H
#define TCPDIAG_PROBE_SESSION_H

#include <stdbool.h>

#include "probe/base/pool.h"
#include "probe/results/output.h"
#include "probe/targets/source.h"

struct session {
    struct source *source;
    struct pool *pool;
    struct output output;
    bool output_failed; /* standard output cannot be written, and that was said */
};

/* Sends on what was written. Where that fails it is said once, and the run is to end. */
bool session_flush(struct session *session);

/* "interrupted" and how far it came; then the process ends as the signal wants it. */
__attribute__((format(printf, 1, 2))) void session_interrupted(const char *how_far, ...);

#endif
