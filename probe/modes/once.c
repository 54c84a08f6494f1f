/* SPDX-License-Identifier: MIT */
/* Every target once. */
#include <unistd.h>

#include "probe/base/terminal.h"
#include "probe/modes/scan.h"
#include "probe/modes/session.h"
#include "probe/results/order.h"
#include "probe/results/progress.h"

struct once {
    struct session *session;
    struct report *report;
    struct progress progress;
    bool one_terminal; /* results and bar share it */
};

static void take_result(void *context, uint64_t number, const struct result *result)
{
    struct once *once = context;
    report_add(once->report, number, result);
}

static bool may_begin(void *context, uint64_t number)
{
    struct once *once = context;
    return !report_full(once->report, number);
}

static void draw(struct once *once)
{
    progress_draw(&once->progress, report_total(once->report),
                  report_count(once->report, TCPDIAG_CONNECTED));
}

static void idle(void *context)
{
    struct once *once = context;
    bool redraw = once->progress.drawn && once->one_terminal && output_pending();
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

int mode_once(struct session *session)
{
    struct options *options = session->options;
    struct once once = {.session = session,
                        .report = report_new(&options->output, options->ordered),
                        .one_terminal = isatty(STDOUT_FILENO)};
    struct scan_client client = {take_result, may_begin, tick, idle, &once};
    struct scan_options scan = {.options = options, .explain = true};
    if (source_many(session->source) && terminal_redraws(STDERR_FILENO)) {
        scan.tick_ns = PROGRESS_TICK;
        progress_begin(&once.progress, source_total(session->source));
    }
    struct scan_end end = scan_run(&scan, session->source, session->pool, &client);
    progress_erase(&once.progress);
    session_flush(session);
    uint64_t tried = report_total(once.report);
    progress_end(&once.progress, tried, report_count(once.report, TCPDIAG_CONNECTED));
    report_free(once.report);
    if (end.end == ENGINE_INTERRUPTED)
        session_interrupted("%llu done, %llu under way", (unsigned long long)tried,
                            (unsigned long long)end.unfinished);
    return end.status < 0 ? 0 : end.status;
}
