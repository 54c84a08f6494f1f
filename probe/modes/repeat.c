/* SPDX-License-Identifier: MIT */
/* -n: rounds of connects to each address at a fixed pace, and what they amount to. */
#include <err.h>
#include <stdlib.h>
#include <unistd.h>

#include "probe/base/clock.h"
#include "probe/base/interrupt.h"
#include "probe/base/memory.h"
#include "probe/base/terminal.h"
#include "probe/modes/session.h"
#include "probe/results/identity.h"
#include "probe/results/live.h"
#include "probe/results/order.h"

enum { DESTINATIONS_MAX = 1024 /* statistics of all of them are kept */ };

#define LIVE_TICK (200 * CLOCK_MILLISECOND)

struct repeat {
    struct session *session;
    struct walk *walk;
    struct engine *engine;
    struct live_row *rows;
    struct name **names;
    size_t count;
    bool collected, too_many;
    int watched_fd;
    int failed_lookups; /* the statuses of names that did not resolve, folded; -1: none */
    uint64_t round;
    size_t at;
    uint64_t begun, ended;
    int64_t round_begin;
    bool live; /* a terminal shows statistics instead of lines */
};

static void lookup_ended(struct repeat *repeat, struct name *name)
{
    char service[IDENTITY_SERVICE_SIZE];
    struct result result = {.record = identity_lookup(name, service),
                            .port = name->port,
                            .name_ns = -1,
                            .asked = name->why};
    output_result(&repeat->session->options->output, &result);
    if (name->gai != 0)
        report_fold(&repeat->failed_lookups,
                    tcpdiag_outcome_info(result.record.verdict.outcome)->exit_status);
    walk_release(name);
}

static void add_row(struct repeat *repeat, const struct destination *destination)
{
    if (repeat->count == DESTINATIONS_MAX) {
        repeat->too_many = true;
        walk_release(destination->name);
        return;
    }
    size_t count = repeat->count++;
    repeat->rows = memory_need(realloc(repeat->rows, repeat->count * sizeof *repeat->rows));
    repeat->names = memory_need(realloc(repeat->names, repeat->count * sizeof(struct name *)));
    struct live_row *row = &repeat->rows[count];
    *row = (struct live_row){.peer = destination->peer, .status = -1};
    row->alternative = destination->name && destination->index > 0;
    repeat->names[count] = destination->name;
}

/* True when all destinations are known. */
static bool collect(struct repeat *repeat)
{
    struct destination destination;
    while (!repeat->too_many)
        switch (walk_next(repeat->walk, &destination)) {
        case WALK_LOOKUP:
            lookup_ended(repeat, destination.name);
            break;
        case WALK_DESTINATION:
            add_row(repeat, &destination);
            break;
        case WALK_LATER: {
            int fd = walk_fd(repeat->walk);
            if (fd >= 0 && repeat->watched_fd < 0)
                engine_watch(repeat->engine, repeat->watched_fd = fd);
            return false;
        }
        default:
            return true;
        }
    return true;
}

static enum engine_next next(void *context, struct job *job, int64_t *wake_ns)
{
    struct repeat *repeat = context;
    const struct options *options = repeat->session->options;
    if (!repeat->collected) {
        if (!collect(repeat))
            return ENGINE_LATER;
        repeat->collected = true;
        repeat->round_begin = clock_now(CLOCK_MONOTONIC);
    }
    if (repeat->count == 0 || repeat->too_many)
        return ENGINE_NO_MORE;
    if (repeat->at == repeat->count) {
        if (options->count > 0 && repeat->round + 1 == options->count)
            return ENGINE_NO_MORE;
        /* Without an interval one round follows the other. */
        if (options->interval_ns == 0 && repeat->ended < repeat->begun)
            return ENGINE_LATER;
        if (clock_now(CLOCK_MONOTONIC) < repeat->round_begin + options->interval_ns) {
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
    identity_name(record, name, address);
    identity_sign(record);
    struct result result = {.record = *record, .name_ns = name ? name->lookup_ns : -1};
    repeat->ended++;
    report_fold(&row->status, tcpdiag_outcome_info(record->verdict.outcome)->exit_status);
    if (record->verdict.outcome == TCPDIAG_CONNECTED)
        stats_connected(&row->stats, record->duration_ns);
    else
        stats_failed(&row->stats);
    if (record->verdict.outcome != TCPDIAG_CONNECTED)
        row->failure = record->verdict;
    if (row->target[0] == '\0')
        output_target(&result, row->target);
    if (!repeat->live)
        output_result(&repeat->session->options->output, &result);
}

static void readable(void *context, int fd)
{
    struct repeat *repeat = context;
    if (fd == pool_fd(repeat->session->pool)) {
        pool_reap(repeat->session->pool);
    } else if (fd == repeat->watched_fd) {
        engine_unwatch(repeat->engine, fd);
        repeat->watched_fd = -1;
    }
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
        live_draw(repeat->rows, repeat->count, true);
}

static void held(void *context, enum dial_state why)
{
    const struct repeat *repeat = context;
    if (why == DIAL_NO_PORT && !repeat->live)
        warnx("this machine has no free source port left: waiting for one");
}

/* A name's target is well where one of its addresses was well each time. */
static int fold_rows(const struct repeat *repeat)
{
    int status = repeat->failed_lookups;
    for (size_t i = 0; i < repeat->count;) {
        int target = -1;
        bool open = false;
        do {
            if (repeat->rows[i].status >= 0)
                report_fold(&target, repeat->rows[i].status);
            open = open || repeat->rows[i].status == 0;
        } while (++i < repeat->count && repeat->rows[i].alternative);
        if (target >= 0)
            report_fold(&status, open ? 0 : target);
    }
    return status < 0 ? 0 : status;
}

static void run(struct repeat *repeat)
{
    const struct options *options = repeat->session->options;
    struct engine_client client = {next, ended, readable, tick, idle, held, repeat};
    struct engine_options engine = options->engine;
    struct walk_options walk = {.family = options->source.family, .ordered = true, .explain = true};
    engine.tick_ns = repeat->live ? LIVE_TICK : 0;
    repeat->walk = walk_new(&walk, repeat->session->source, repeat->session->pool);
    repeat->engine = memory_need(engine_new(&engine, &client));
    engine_watch(repeat->engine, pool_fd(repeat->session->pool));
    engine_watch(repeat->engine, interrupt_fd());
    engine_run(repeat->engine, &interrupt_stop);
    engine_free(repeat->engine);
    if (repeat->collected)
        walk_free(repeat->walk);
}

int mode_repeat(struct session *session)
{
    struct options *options = session->options;
    struct repeat repeat = {.session = session, .watched_fd = -1, .failed_lookups = -1};
    repeat.live = options->output.form == OUTPUT_TEXT && terminal_redraws(STDOUT_FILENO);
    if (repeat.live)
        live_begin();
    run(&repeat);
    if (repeat.too_many) {
        warnx("-n keeps statistics of at most %d addresses and ports", DESTINATIONS_MAX);
        return STATUS_USAGE;
    }
    if (repeat.live)
        live_end();
    if (options->output.form == OUTPUT_TEXT && repeat.ended > 0)
        live_draw(repeat.rows, repeat.count, false);
    if (interrupt_stop && repeat.ended == 0)
        session_interrupted("before the first result");
    int status = fold_rows(&repeat);
    for (size_t i = 0; i < repeat.count; i++)
        walk_release(repeat.names[i]);
    free(repeat.names);
    free(repeat.rows);
    return status;
}
