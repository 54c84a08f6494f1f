/* SPDX-License-Identifier: MIT */
/* What the prober can do with its targets, a file each. They return the exit status. */
#ifndef TCPDIAG_MODES_H
#define TCPDIAG_MODES_H

#include "probe/base/pool.h"
#include "probe/options.h"
#include "probe/targets/source.h"

struct session {
    struct options *options;
    struct source *source;
    struct pool *pool;
    bool output_failed; /* standard output cannot be written, and that was said */
};

int mode_once(struct session *session);
int mode_repeat(struct session *session);
int mode_wait(struct session *session);

/* Sends on what was written. Where that fails it is said once, and the run is to end. */
bool session_flush(struct session *session);

/* "interrupted" and how far it came; then the process ends as the signal wants it. */
__attribute__((format(printf, 1, 2))) void session_interrupted(const char *how_far, ...);

#endif
