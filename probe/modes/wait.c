/* SPDX-License-Identifier: MIT */
#include "probe/modes/wait.h"

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "probe/base/interrupt.h"
#include "probe/base/memory.h"
#include "probe/base/terminal.h"
#include "probe/results/progress.h"
#include "probe/results/status.h"
#include "shim/evidence/kernel.h"

/* A round's results, shown only when no other follows. */
struct round {
    struct result **results;
    size_t count, room;
};

struct waiting {
    struct session *session;
    const struct wait_options *options;
    struct round round;
    int64_t begin, deadline;
    bool watched; /* by a person, on standard error */
    char last[RESULT_TARGET_SIZE + 32];
};

static void clear(struct round *round)
{
    for (size_t i = 0; i < round->count; i++)
        free(round->results[i]);
    round->count = 0;
}

static void take_result(void *context, uint64_t number, const struct result *result)
{
    struct waiting *waiting = context;
    struct round *round = &waiting->round;
    const struct tcpdiag_record *record = &result->record;
    char target[RESULT_TARGET_SIZE];
    (void)number;
    if (round->count == round->room) {
        round->room = round->room ? 2 * round->room : 16;
        round->results =
            memory_need(realloc(round->results, round->room * sizeof(struct result *)));
    }
    round->results[round->count++] = result_copy(result);
    if (!waiting->watched || record->verdict.outcome == TCPDIAG_RESOLVED)
        return;
    result_target(result, target);
    snprintf(waiting->last, sizeof waiting->last, "%s: %s", target,
             tcpdiag_outcome_info(record->verdict.outcome)->name);
}

static void tick(void *context)
{
    const struct waiting *waiting = context;
    double spent = (double)(sys_nanoseconds(CLOCK_MONOTONIC) - waiting->begin) / 1e9;
    if (waiting->watched)
        fprintf(stderr, "\rwaiting %.0f s%s%.60s\033[K", spent, *waiting->last ? ", " : "",
                waiting->last);
}

static void idle(void *context)
{
    (void)context;
}

/* Until the next round is due. */
static void rest(const struct waiting *waiting, int64_t until)
{
    struct pollfd one = {interrupt_fd(), POLLIN, 0};
    if (until > waiting->deadline)
        until = waiting->deadline;
    int64_t left = until - sys_nanoseconds(CLOCK_MONOTONIC);
    struct timespec time = {left / TCPDIAG_SECOND, left % TCPDIAG_SECOND};
    if (left > 0 && !interrupt_stop)
        ppoll(&one, 1, &time, NULL);
}

static struct scan_end play_round(struct waiting *waiting)
{
    struct scan_client client = {take_result, NULL, tick, idle, waiting};
    struct scan_options scan = waiting->options->scan;
    /* The last connects end with the time, so that they have a result. */
    int64_t left = waiting->deadline - sys_nanoseconds(CLOCK_MONOTONIC) - TCPDIAG_MILLISECOND;
    if (left < scan.engine.limit_ns)
        scan.engine.limit_ns = left > 0 ? left : 1;
    scan.engine.tick_ns = PROGRESS_TICK;
    scan.engine.deadline_ns = waiting->deadline;
    scan.until_open = !waiting->options->closed;
    clear(&waiting->round);
    return scan_run(&scan, waiting->session->source, waiting->session->pool, &client);
}

/* expected: the failures are what was waited for. */
static void show(struct waiting *waiting, bool expected)
{
    for (size_t i = 0; i < waiting->round.count; i++) {
        waiting->round.results[i]->expected = expected;
        output_result(&waiting->session->output, waiting->round.results[i]);
    }
}

static int status_of(enum tcpdiag_outcome outcome)
{
    return tcpdiag_outcome_info(outcome)->exit_status;
}

static bool as_wanted(const struct waiting *waiting, const struct scan_end *end)
{
    return end->end == ENGINE_DONE && (waiting->options->closed ? !end->any_open : end->each_open);
}

/* False: a file of targets has gone, and was said. */
static bool play(struct waiting *waiting, struct scan_end *end)
{
    for (;;) {
        int64_t next = sys_nanoseconds(CLOCK_MONOTONIC) + waiting->options->interval_ns;
        *end = play_round(waiting);
        if (as_wanted(waiting, end) || end->end != ENGINE_DONE ||
            sys_nanoseconds(CLOCK_MONOTONIC) >= waiting->deadline)
            return true;
        rest(waiting, next);
        if (interrupt_stop || sys_nanoseconds(CLOCK_MONOTONIC) >= waiting->deadline)
            return true;
        if (!source_rewind(waiting->session->source))
            return false;
    }
}

static int conclude(struct waiting *waiting, const struct scan_end *end)
{
    bool good = as_wanted(waiting, end);
    int status = good ? 0 : waiting->options->closed ? status_of(TCPDIAG_TIMEOUT) : end->status;
    show(waiting, good && waiting->options->closed);
    if (waiting->round.count == 0) {
        warnx("the time is over, and the name is still being looked up");
        status = status_of(TCPDIAG_DNS);
    }
    return status;
}

int wait_run(struct session *session, const struct wait_options *options)
{
    int64_t begin = sys_nanoseconds(CLOCK_MONOTONIC);
    struct waiting waiting = {.session = session,
                              .options = options,
                              .begin = begin,
                              .deadline = options->limit_ns ? begin + options->limit_ns : INT64_MAX,
                              .watched = terminal_redraws(STDERR_FILENO)};
    struct scan_end end;
    if (!play(&waiting, &end))
        return STATUS_USAGE;
    if (waiting.watched)
        fputs("\r\033[K", stderr);
    if (interrupt_stop)
        session_interrupted("after %.1f s of waiting",
                            (double)(sys_nanoseconds(CLOCK_MONOTONIC) - waiting.begin) / 1e9);
    int status = conclude(&waiting, &end);
    clear(&waiting.round);
    free(waiting.round.results);
    return status;
}
