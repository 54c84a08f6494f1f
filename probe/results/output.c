/* SPDX-License-Identifier: MIT */
#include "probe/results/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <unistd.h>

#include "probe/base/interrupt.h"
#include "probe/base/terminal.h"
#include "probe/results/csv.h"
#include "probe/results/json.h"

enum {
    NARROW = 21, /* 255.255.255.255:65535 */
    WIDE = 36,   /* a longer one moves its own line only */
    BUFFER = 64 * 1024,
};

/* https://no-color.org: any value that is not empty. */
static bool colours(void)
{
    const char *no = getenv("NO_COLOR");
    return terminal_redraws(STDOUT_FILENO) && !(no && *no);
}

/* A write that sleeps would outlast an interrupt that came before it or when a part had gone. So
   each waits until there is room, which poll(2) says of a pipe when PIPE_BUF bytes fit, or until
   interrupted: then what finds no room is lost. */
static ssize_t send_on(void *cookie, const char *bytes, size_t size)
{
    struct pollfd waits[] = {{.fd = STDOUT_FILENO, .events = POLLOUT}, {interrupt_fd(), POLLIN, 0}};
    size_t sent = 0;
    (void)cookie;
    while (sent < size) {
        size_t piece = size - sent < PIPE_BUF ? size - sent : PIPE_BUF;
        ssize_t written = -1;
        if (poll(waits, 2, -1) > 0) {
            errno = EINTR;
            if (waits[0].revents)
                written = write(STDOUT_FILENO, bytes + sent, piece);
        }
        if (written < 0 && (errno != EINTR || interrupt_signal()))
            return (ssize_t)sent; /* less than size: an error for stdio */
        sent += written > 0 ? (size_t)written : 0;
    }
    return (ssize_t)sent;
}

void output_begin(struct output *output, const struct output_options *options, int widest)
{
    static char buffer[BUFFER];
    *output = (struct output){.options = *options};
    output->file = fopencookie(NULL, "w", (cookie_io_functions_t){.write = send_on});
    if (!output->file)
        output->file = stdout;
    setvbuf(output->file, buffer, _IOFBF, sizeof buffer);
    output->text = (struct text){.quiet = options->quiet,
                                 .colour = colours(),
                                 .width = widest < NARROW ? NARROW
                                          : widest > WIDE ? WIDE
                                                          : widest,
                                 .columns = terminal_columns(STDOUT_FILENO)};
    if (options->form == OUTPUT_CSV)
        csv_header(output->file);
}

void output_result(struct output *output, const struct result *result)
{
    switch (output->options.form) {
    case OUTPUT_JSON:
        json_result(output->file, result, output->options.quiet);
        break;
    case OUTPUT_CSV:
        csv_result(output->file, result);
        break;
    default:
        text_result(&output->text, output->file, result);
    }
}

bool output_explains(const struct output *output)
{
    return output->options.form != OUTPUT_CSV && !output->options.quiet;
}

bool output_pending(const struct output *output)
{
    return __fpending(output->file) > 0;
}

bool output_flush(struct output *output)
{
    return fflush(output->file) == 0 && !ferror(output->file);
}
