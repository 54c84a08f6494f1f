/* SPDX-License-Identifier: MIT */
#include "probe/modes/repeat.h"

#include <err.h>
#include <stdlib.h>
#include <unistd.h>

#include "probe/base/interrupt.h"
#include "probe/base/memory.h"
#include "probe/base/terminal.h"
#include "probe/modes/follow.h"
#include "probe/modes/run.h"
#include "probe/results/live.h"
#include "probe/results/status.h"
#include "shim/evidence/kernel.h"

enum { DESTINATIONS_MAX = 1024 /* statistics of all of them are kept */ };

#define LIVE_TICK (200 * TCPDIAG_MILLISECOND)

struct repeat {
    struct session *session;
    const struct repeat_options *options;
    struct run run;
    struct live_row *rows;
    struct name **names;
    size_t count;
    bool collected, too_many;
    int failed_lookups; /* the statuses of names that did not resolve, folded */
    uint64_t round;
    size_t at;
    uint64_t begun, ended;
    int64_t round_begin;
    bool live; /* a terminal shows statistics instead of lines */
};

static void lookup_ended(struct repeat *repeat, struct name *name)
{
    char service[NAME_SERVICE_SIZE];
    struct result result = run_lookup_result(name, service);
    output_result(&repeat->session->output, &result);
    if (name->gai != 0)
        status_fold(&repeat->failed_lookups,
                    tcpdiag_outcome_info(result.record.verdict.outcome)->exit_status);
    name_release(name);
}

static void add_row(struct repeat *repeat, const struct destination *destination)
{
    if (repeat->count == DESTINATIONS_MAX) {
        repeat->too_many = true;
        name_release(destination->name);
        return;
    }
    size_t count = repeat->count++;
    repeat->rows = memory_need(realloc(repeat->rows, repeat->count * sizeof *repeat->rows));
    repeat->names = memory_need(realloc(repeat->names, repeat->count * sizeof(struct name *)));
    struct live_row *row = &repeat->rows[count];
    *row = (struct live_row){.peer = destination->peer, .status = STATUS_NONE};
    row->alternative = destination->name && destination->index > 0;
    repeat->names[count] = destination->name;
}

/* True when all destinations are known. */
static bool collect(struct repeat *repeat)
{
    struct destination destination;
    while (!repeat->too_many)
        switch (run_next(&repeat->run, &destination)) {
        case DESTINATIONS_LOOKUP:
            lookup_ended(repeat, destination.name);
            break;
        case DESTINATIONS_ONE:
            add_row(repeat, &destination);
            break;
        case DESTINATIONS_LATER:
            return false;
        default:
            return true;
        }
    return true;
}

static enum engine_next next(void *context, struct job *job, int64_t *wake_ns)
{
    struct repeat *repeat = context;
    const struct repeat_options *options = repeat->options;
    if (!repeat->collected) {
        if (!collect(repeat))
            return ENGINE_LATER;
        repeat->collected = true;
        repeat->round_begin = sys_nanoseconds(CLOCK_MONOTONIC);
    }
    if (repeat->count == 0 || repeat->too_many)
        return ENGINE_NO_MORE;
    if (repeat->at == repeat->count) {
        if (options->count > 0 && repeat->round + 1 == options->count)
            return ENGINE_NO_MORE;
        /* Without an interval one round follows the other. */
        if (options->interval_ns == 0 && repeat->ended < repeat->begun)
            return ENGINE_LATER;
        if (sys_nanoseconds(CLOCK_MONOTONIC) < repeat->round_begin + options->interval_ns) {
            *wake_ns = repeat->round_begin + options->interval_ns;
            return ENGINE_LATER;
        }
        repeat->round_begin += options->interval_ns;
        repeat->round++;
        repeat->at = 0;
    }
    *job = (struct job){repeat->rows[repeat->at].peer, NULL, repeat->at};
    repeat->at++;
    repeat->begun++;
    return ENGINE_JOB;
}

static void ended(void *context, const struct job *job, struct tcpdiag_record *record)
{
    struct repeat *repeat = context;
    struct live_row *row = &repeat->rows[job->number];
    const struct name *name = repeat->names[job->number];
    char address[TCPDIAG_ADDRESS_MAX];
    struct result result = run_connect_result(record, name, address);
    repeat->ended++;
    status_fold(&row->status, tcpdiag_outcome_info(record->verdict.outcome)->exit_status);
    if (record->verdict.outcome == TCPDIAG_CONNECTED)
        stats_connected(&row->stats, record->duration_ns);
    else
        stats_failed(&row->stats);
    if (record->verdict.outcome != TCPDIAG_CONNECTED)
        row->failure = record->verdict;
    if (row->target[0] == '\0')
        result_target(&result, row->target);
    if (!repeat->live)
        output_result(&repeat->session->output, &result);
}

static void idle(void *context)
{
    const struct repeat *repeat = context;
    session_flush(repeat->session);
}

static void tick(void *context)
{
    const struct repeat *repeat = context;
    if (repeat->live && repeat->collected)
        live_draw(repeat->session->output.file, repeat->rows, repeat->count, true);
}

/* A name's target is well where one of its addresses was well each time. */
static int fold_rows(const struct repeat *repeat)
{
    int status = repeat->failed_lookups;
    for (size_t i = 0; i < repeat->count;) {
        int target = STATUS_NONE;
        bool open = false;
        do {
            if (repeat->rows[i].status != STATUS_NONE)
                status_fold(&target, repeat->rows[i].status);
            open = open || repeat->rows[i].status == 0;
        } while (++i < repeat->count && repeat->rows[i].alternative);
        if (target != STATUS_NONE)
            status_fold(&status, open ? 0 : target);
    }
    return status == STATUS_NONE ? 0 : status;
}

static void play(struct repeat *repeat)
{
    const struct repeat_options *options = repeat->options;
    struct run_client client = {next, ended, tick, idle, repeat};
    struct run_options run = {.engine = options->engine,
                              .destinations = {.family = options->family,
                                               .ordered = true,
                                               .explain = options->dns ? follow_lookup : NULL},
                              .quiet = repeat->live};
    run.engine.tick_ns = repeat->live ? LIVE_TICK : 0;
    run_begin(&repeat->run, &run, repeat->session->source, repeat->session->pool, &client);
    run_engine(&repeat->run);
    run_free(&repeat->run, !repeat->collected);
}

static void free_rows(struct repeat *repeat)
{
    for (size_t i = 0; i < repeat->count; i++)
        name_release(repeat->names[i]);
    free(repeat->names);
    free(repeat->rows);
}

int repeat_run(struct session *session, const struct repeat_options *options)
{
    struct output *output = &session->output;
    bool text = output->options.form == OUTPUT_TEXT;
    struct repeat repeat = {.session = session, .options = options, .failed_lookups = STATUS_NONE};
    repeat.live = text && terminal_redraws(STDOUT_FILENO);
    if (repeat.live)
        live_begin(output->file);
    play(&repeat);
    if (repeat.live)
        live_end(output->file);
    if (repeat.too_many) {
        warnx("-n keeps statistics of at most %d addresses and ports", DESTINATIONS_MAX);
        return STATUS_USAGE;
    }
    if (text && repeat.ended > 0)
        live_draw(output->file, repeat.rows, repeat.count, false);
    if (interrupt_stop && repeat.ended == 0)
        session_interrupted("before the first result");
    int status = fold_rows(&repeat);
    free_rows(&repeat);
    return status;
}
