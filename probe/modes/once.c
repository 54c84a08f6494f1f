/* SPDX-License-Identifier: MIT */
#include "probe/modes/once.h"

#include <unistd.h>

#include "probe/base/terminal.h"
#include "probe/results/order.h"
#include "probe/results/progress.h"
#include "probe/results/status.h"

struct once {
    struct session *session;
    struct order *order;
    struct progress progress;
    bool one_terminal; /* results and bar share it */
};

static void take_result(void *context, uint64_t number, const struct result *result)
{
    struct once *once = context;
    order_add(once->order, number, result);
}

static bool may_begin(void *context, uint64_t number)
{
    struct once *once = context;
    return !order_full(once->order, number);
}

static void draw(struct once *once)
{
    progress_draw(&once->progress, order_total(once->order), order_connected(once->order));
}

static void idle(void *context)
{
    struct once *once = context;
    bool redraw =
        once->progress.drawn && once->one_terminal && output_pending(&once->session->output);
    if (redraw)
        progress_erase(&once->progress);
    session_flush(once->session);
    if (redraw)
        draw(once);
}

static void tick(void *context)
{
    struct once *once = context;
    idle(once);
    draw(once);
}

static void show(void *context, const struct result *result)
{
    struct session *session = context;
    output_result(&session->output, result);
}

int once_run(struct session *session, const struct scan_options *options)
{
    struct once once = {.session = session,
                        .order = order_new(show, session, options->ordered),
                        .one_terminal = isatty(STDOUT_FILENO)};
    struct scan_client client = {take_result, may_begin, tick, idle, &once};
    struct scan_options scan = *options;
    if (source_many(session->source) && terminal_redraws(STDERR_FILENO)) {
        scan.engine.tick_ns = PROGRESS_TICK;
        progress_begin(&once.progress, source_total(session->source));
    }
    struct scan_end end = scan_run(&scan, session->source, session->pool, &client);
    progress_erase(&once.progress);
    session_flush(session);
    uint64_t tried = order_total(once.order);
    progress_end(&once.progress, tried, order_connected(once.order));
    order_free(once.order);
    if (end.end == ENGINE_INTERRUPTED)
        session_interrupted("%llu done, %llu under way", (unsigned long long)tried,
                            (unsigned long long)end.unfinished);
    return end.status == STATUS_NONE ? 0 : end.status;
}
