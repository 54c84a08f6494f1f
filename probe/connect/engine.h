/* SPDX-License-Identifier: MIT */
/*
 * Many connects at once from one thread: an epoll loop that pulls its work from the client one job
 * at a time, so that its memory depends on how many are in flight and never on how many there are.
 *
 * What this machine lacks is never reported as a target's fault while waiting can mend it: where
 * descriptors or source ports are used up, the job is held until some are free again.
 */
#ifndef TCPDIAG_ENGINE_H
#define TCPDIAG_ENGINE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "probe/connect/dial.h"

#ifdef __cplusplus
extern "C" {
#endif

struct job {
    struct tcpdiag_endpoint peer;
    void *owner; /* the client's */
    uint64_t number;
};

enum engine_next { ENGINE_JOB, ENGINE_LATER, ENGINE_NO_MORE };

/* What the engine calls; context is the first argument of each. */
struct engine_client {
    /* LATER: ask again when a watched descriptor is ready, when a job has ended, or at *wake_ns
       (CLOCK_MONOTONIC) where it is set. NO_MORE: the run ends when all jobs have. */
    enum engine_next (*next)(void *context, struct job *job, int64_t *wake_ns);
    /* A job's end. The record lacks who and what name asked; it lives only as long as the call. */
    void (*ended)(void *context, const struct job *job, struct tcpdiag_record *record);
    /* A watched descriptor is readable. */
    void (*readable)(void *context, int fd);
    /* Every tick_ns, for what a person watches. */
    void (*tick)(void *context);
    /* Nothing to do for now: what has been written should reach its reader. */
    void (*idle)(void *context);
    /* A job has to wait, for a descriptor or for a source port (the first time of each). */
    void (*held)(void *context, enum dial_state why);
    void *context;
};

struct engine_options {
    struct dial_options dial;
    int64_t limit_ns;    /* for each connect */
    unsigned jobs;       /* at most so many at once */
    int64_t tick_ns;     /* 0: no ticks */
    int64_t deadline_ns; /* CLOCK_MONOTONIC: the run ends, whatever is in flight; 0: never */
};

enum engine_end { ENGINE_DONE, ENGINE_INTERRUPTED, ENGINE_DEADLINE };

struct engine;

/* NULL with errno set. */
struct engine *engine_new(const struct engine_options *options, const struct engine_client *client);
void engine_free(struct engine *engine);

void engine_watch(struct engine *engine, int fd);
void engine_unwatch(struct engine *engine, int fd);

/* Until all jobs have ended, *stop is not 0, or the deadline; what is in flight then is dropped
   with the engine. Who sets *stop in a signal handler also makes a watched descriptor readable. */
enum engine_end engine_run(struct engine *engine, const volatile sig_atomic_t *stop);

/* From a callback: the run ends when it returns, as ENGINE_DONE. */
void engine_stop(struct engine *engine);

/* Raises this process's limit of descriptors to what it may have; returns how many jobs fit into
   it, at most `wanted`. */
unsigned engine_fit(unsigned wanted);

#ifdef __cplusplus
}
#endif
#endif
