/* SPDX-License-Identifier: MIT */
/* The command line of tcpdiag-probe. */
#ifndef TCPDIAG_PROBE_OPTIONS_H
#define TCPDIAG_PROBE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/connect/engine.h"
#include "probe/results/output.h"
#include "probe/targets/source.h"

enum mode {
    MODE_ONCE,
    MODE_REPEAT,
    MODE_WAIT,        /* until all targets connect */
    MODE_WAIT_CLOSED, /* until none does */
};

struct options {
    enum mode mode;
    struct engine_options engine;
    struct source_options source;
    struct output_options output;
    uint64_t count;      /* MODE_REPEAT: rounds, 0: until interrupted */
    int64_t interval_ns; /* MODE_REPEAT, MODE_WAIT*: from one round to the next */
    int64_t wait_ns;     /* MODE_WAIT*: at most so long, 0: for ever */
    bool ordered;
    bool no_control;
    bool trace;
};

/* False: something in it is wrong, and was said. --help does not return. */
bool options_parse(int argc, char **argv, struct options *options);

#endif
