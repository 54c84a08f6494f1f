/* SPDX-License-Identifier: MIT */
/* --wait and --wait-closed: rounds over all targets until they are as wanted. */
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "probe/base/clock.h"
#include "probe/base/interrupt.h"
#include "probe/base/memory.h"
#include "probe/base/terminal.h"
#include "probe/modes/scan.h"
#include "probe/modes/session.h"
#include "probe/results/order.h"
#include "probe/results/progress.h"

enum { STATUS_STILL_OPEN = 6, STATUS_DNS = 3 };

/* A round's results, shown only when no other follows. */
struct round {
    struct result **results;
    size_t count, room;
};

struct waiting {
    struct session *session;
    struct round round;
    int64_t begin, deadline;
    bool watched; /* by a person, on standard error */
    char last[OUTPUT_TARGET_SIZE + 32];
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
    char target[OUTPUT_TARGET_SIZE];
    (void)number;
    if (round->count == round->room) {
        round->room = round->room ? 2 * round->room : 16;
        round->results =
            memory_need(realloc(round->results, round->room * sizeof(struct result *)));
    }
    round->results[round->count++] = report_copy(result);
    if (!waiting->watched || record->verdict.outcome == TCPDIAG_RESOLVED)
        return;
    output_target(result, target);
    snprintf(waiting->last, sizeof waiting->last, "%s: %s", target,
             tcpdiag_outcome_info(record->verdict.outcome)->name);
}

static void tick(void *context)
{
    const struct waiting *waiting = context;
    double spent = (double)(clock_now(CLOCK_MONOTONIC) - waiting->begin) / 1e9;
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
    int64_t left = until - clock_now(CLOCK_MONOTONIC);
    struct timespec time = {left / CLOCK_SECOND, left % CLOCK_SECOND};
    if (left > 0 && !interrupt_stop)
        ppoll(&one, 1, &time, NULL);
}

static struct scan_end play_round(struct waiting *waiting, struct options *options,
                                  int64_t limit_ns)
{
    struct scan_client client = {take_result, NULL, tick, idle, waiting};
    struct scan_options scan = {.options = options,
                                .tick_ns = PROGRESS_TICK,
                                .deadline_ns = waiting->deadline,
                                .until_open = options->mode == MODE_WAIT};
    /* The last connects end with the time, so that they have a result. */
    int64_t left = waiting->deadline - clock_now(CLOCK_MONOTONIC) - CLOCK_MILLISECOND;
    options->engine.limit_ns = left < limit_ns ? (left > 0 ? left : 1) : limit_ns;
    clear(&waiting->round);
    return scan_run(&scan, waiting->session->source, waiting->session->pool, &client);
}

static int show(struct waiting *waiting, int status)
{
    for (size_t i = 0; i < waiting->round.count; i++)
        output_result(&waiting->session->options->output, waiting->round.results[i]);
    if (waiting->round.count == 0) {
        warnx("the time is over, and the name is still being looked up");
        status = STATUS_DNS;
    }
    clear(&waiting->round);
    free(waiting->round.results);
    return status;
}

int mode_wait(struct session *session)
{
    struct options *options = session->options;
    bool opens = options->mode == MODE_WAIT;
    int64_t limit = options->engine.limit_ns;
    struct waiting waiting = {.session = session,
                              .begin = clock_now(CLOCK_MONOTONIC),
                              .watched = terminal_redraws(STDERR_FILENO)};
    struct scan_end end;
    bool good;
    waiting.deadline = options->wait_ns ? waiting.begin + options->wait_ns : INT64_MAX;
    for (;;) {
        int64_t next = clock_now(CLOCK_MONOTONIC) + options->interval_ns;
        end = play_round(&waiting, options, limit);
        good = end.end == ENGINE_DONE && (opens ? end.each_open : !end.any_open);
        if (good || end.end != ENGINE_DONE || clock_now(CLOCK_MONOTONIC) >= waiting.deadline)
            break;
        rest(&waiting, next);
        if (interrupt_stop || clock_now(CLOCK_MONOTONIC) >= waiting.deadline)
            break;
        if (!source_rewind(session->source))
            return STATUS_USAGE;
    }
    if (waiting.watched)
        fputs("\r\033[K", stderr);
    if (interrupt_stop)
        session_interrupted("after %.1f s of waiting",
                            (double)(clock_now(CLOCK_MONOTONIC) - waiting.begin) / 1e9);
    if (good && !opens)
        options->output.quiet = true; /* what is wanted needs no advice */
    return show(&waiting, good ? 0 : opens ? end.status : STATUS_STILL_OPEN);
}
