/* SPDX-License-Identifier: MIT */
/* What is to be shown of one connect or lookup. */
#ifndef TCPDIAG_PROBE_RESULT_H
#define TCPDIAG_PROBE_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/diagnosis/record.h"

#ifdef __cplusplus
extern "C" {
#endif

struct result {
    struct tcpdiag_record record;
    uint16_t port;          /* of a lookup: the only port that was asked for, 0: several */
    int64_t name_ns;        /* how long the lookup of the name took; -1: there was none */
    bool expected;          /* a failure was wanted: it needs no explanation */
    const char *asked;      /* what was asked after the failure and what came of it: one sentence or
                               several lines; NULL: nothing */
    const char *trace_text; /* the way to the host, in lines; NULL: not asked for */
    /* The answers that stand behind them, each as one JSON object; NULL: not asked. */
    const char *dns_json, *control_json, *trace_json;
};

/* With its texts, in one piece for free(). */
struct result *result_copy(const struct result *result);

/* "db.staging:5432 [10.0.2.2]", "[::1]:80": NUL-terminated; returns the length. */
enum { RESULT_TARGET_SIZE = 400 };
int result_target(const struct result *result, char text[RESULT_TARGET_SIZE]);

/* The port that was asked for, 0: several. */
uint16_t result_port(const struct result *result);

/* A lookup that did well: it stands with each of the name's addresses. */
bool result_is_good_lookup(const struct result *result);

#ifdef __cplusplus
}
#endif
#endif
