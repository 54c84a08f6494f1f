/* SPDX-License-Identifier: MIT */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "probe/base/interrupt.h"
#include "probe/modes/session.h"

enum { POOL_THREADS = 32 };

bool session_flush(struct session *session)
{
    if (output_flush() || session->output_failed)
        return !session->output_failed;
    session->output_failed = true;
    if (!interrupt_signal()) /* which ends a write too */
        warn("standard output");
    interrupt_stop = 1;
    return false;
}

void session_interrupted(const char *how_far, ...)
{
    va_list arguments;
    if (!interrupt_signal()) /* standard output has failed, which was said */
        return;
    va_start(arguments, how_far);
    fprintf(stderr, "%s: interrupted: ", program_invocation_short_name);
    vfprintf(stderr, how_far, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    interrupt_die();
}

static int run(struct session *session)
{
    switch (session->options->mode) {
    case MODE_REPEAT:
        return mode_repeat(session);
    case MODE_WAIT:
    case MODE_WAIT_CLOSED:
        return mode_wait(session);
    default:
        return mode_once(session);
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
    static struct session session = {.options = &options};
    fill_standard_descriptors();
    if (argc > 0)
        argv[0] = program_invocation_short_name; /* getopt's messages begin with it, as err's do */
    if (!options_parse(argc, argv, &options))
        return STATUS_USAGE;
    options.engine.jobs = engine_fit(options.engine.jobs);
    session.source = source_new(&options.source);
    if (!session.source)
        return STATUS_USAGE;
    session.pool = pool_new(POOL_THREADS);
    if (!session.pool || !interrupt_catch())
        err(STATUS_USAGE, "cannot begin");
    output_begin(&options.output, source_widest(session.source));
    int status = run(&session);
    if (!session_flush(&session) || source_bad(session.source) > 0)
        status = STATUS_USAGE;
    return status;
}
