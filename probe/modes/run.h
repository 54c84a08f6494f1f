/* SPDX-License-Identifier: MIT */
/* One run of the engine over the destinations of a source: what a scan and repeated connects do
   alike. */
#ifndef TCPDIAG_PROBE_RUN_H
#define TCPDIAG_PROBE_RUN_H

#include <stdbool.h>

#include "probe/connect/engine.h"
#include "probe/results/result.h"
#include "probe/targets/destinations.h"

struct run_options {
    struct engine_options engine;
    struct destinations_options destinations;
    bool quiet; /* a wait for a source port is not said */
};

/* The first four are the engine's own of these names; context is the first argument of each. */
struct run_client {
    enum engine_next (*next)(void *context, struct job *job, int64_t *wake_ns);
    void (*ended)(void *context, const struct job *job, struct tcpdiag_record *record);
    void (*tick)(void *context);
    void (*idle)(void *context);
    void *context;
};

struct run {
    struct run_client client;
    struct pool *pool;
    struct destinations *destinations;
    struct engine *engine;
    int watched_fd; /* of the source, -1: none */
    bool quiet;
};

void run_begin(struct run *run, const struct run_options *options, struct source *source,
               struct pool *pool, const struct run_client *client);

/* Until the engine ends or a signal comes. */
enum engine_end run_engine(struct run *run);

/* looking_up: a lookup may be under way, which writes into the destinations: they are left to it.
 */
void run_free(struct run *run, bool looking_up);

/* From the client's next: the next destination. After LATER the engine asks again by itself when
   there is more. */
enum destinations_next run_next(struct run *run, struct destination *destination);

/* The result of a lookup; its texts live as long as the name and service. */
struct result run_lookup_result(const struct name *name, char service[NAME_SERVICE_SIZE]);

/* The result of a connect. name: what was looked up for it, NULL: an address stands for itself,
   written into address. */
struct result run_connect_result(const struct tcpdiag_record *record, const struct name *name,
                                 char address[TCPDIAG_ADDRESS_MAX]);

#endif
