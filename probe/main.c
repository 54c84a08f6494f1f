/* SPDX-License-Identifier: MIT */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "probe/base/interrupt.h"
#include "probe/modes/once.h"
#include "probe/modes/repeat.h"
#include "probe/modes/wait.h"
#include "probe/options.h"
#include "probe/results/status.h"

enum { POOL_THREADS = 32 };

/* With as many jobs as the limit of descriptors allows. */
static struct engine_options engine_of(const struct options *options)
{
    struct engine_options engine = options->engine;
    engine.jobs = engine_fit(engine.jobs);
    return engine;
}

static int once(struct session *session, const struct options *options)
{
    struct scan_options scan = {.engine = engine_of(options),
                                .family = options->source.family,
                                .ordered = options->ordered,
                                .dns = output_explains(&session->output),
                                .control = !options->no_control,
                                .trace = options->trace};
    return once_run(session, &scan);
}

static int repeat(struct session *session, const struct options *options)
{
    struct repeat_options repeat = {.engine = engine_of(options),
                                    .family = options->source.family,
                                    .dns = output_explains(&session->output),
                                    .count = options->count,
                                    .interval_ns = options->interval_ns};
    return repeat_run(session, &repeat);
}

/* Nobody is asked on: a round that is not the last is not even shown. */
static int await(struct session *session, const struct options *options)
{
    struct wait_options wait = {.scan = {.engine = engine_of(options),
                                         .family = options->source.family,
                                         .ordered = options->ordered},
                                .closed = options->mode == MODE_WAIT_CLOSED,
                                .interval_ns = options->interval_ns,
                                .limit_ns = options->wait_ns};
    return wait_run(session, &wait);
}

static int run(struct session *session, const struct options *options)
{
    switch (options->mode) {
    case MODE_REPEAT:
        return repeat(session, options);
    case MODE_WAIT:
    case MODE_WAIT_CLOSED:
        return await(session, options);
    default:
        return once(session, options);
    }
}

/* A standard descriptor that is closed would be taken by the next thing that is opened, and read or
   written for what it is not. In its place stands one that answers as if it were closed. */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            err(STATUS_USAGE, "/dev/null");
}

int main(int argc, char **argv)
{
    static struct options options;
    static struct session session;
    fill_standard_descriptors();
    if (argc > 0)
        argv[0] = program_invocation_short_name; /* getopt's messages begin with it, as err's do */
    if (!options_parse(argc, argv, &options))
        return STATUS_USAGE;
    session.source = source_new(&options.source);
    if (!session.source)
        return STATUS_USAGE;
    session.pool = pool_new(POOL_THREADS);
    if (!session.pool || !interrupt_catch())
        err(STATUS_USAGE, "cannot begin");
    output_begin(&session.output, &options.output, source_widest(session.source));
    int status = run(&session, &options);
    if (!session_flush(&session) || source_bad(session.source) > 0)
        status = STATUS_USAGE;
    return status;
}
