/* SPDX-License-Identifier: MIT */
#include "probe/modes/session.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "probe/base/interrupt.h"

bool session_flush(struct session *session)
{
    if (output_flush(&session->output) || session->output_failed)
        return !session->output_failed;
    session->output_failed = true;
    if (!interrupt_signal()) /* which ends a write too */
        warn("standard output");
    interrupt_end();
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
