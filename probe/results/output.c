/* SPDX-License-Identifier: MIT */
#include "probe/results/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe/base/interrupt.h"
#include "probe/base/terminal.h"
#include "shim/diagnosis/text.h"

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

void output_begin(struct output *output, int widest)
{
    static char buffer[BUFFER];
    FILE *file = fopencookie(NULL, "w", (cookie_io_functions_t){.write = send_on});
    if (file)
        stdout = file;
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    output->width = widest < NARROW ? NARROW : widest > WIDE ? WIDE : widest;
    output->colour = colours();
    output->columns = terminal_columns(STDOUT_FILENO);
    if (output->form == OUTPUT_CSV)
        output_csv_header();
}

void output_result(struct output *output, const struct result *result)
{
    static char line[TCPDIAG_RECORD_MAX];
    switch (output->form) {
    case OUTPUT_JSON:
        fwrite_unlocked(line, 1, tcpdiag_record_json(&result->record, line), stdout);
        if (result->trace_json) /* no record of the log has it: a line of its own */
            printf("{\"trace\":%s}\n", result->trace_json);
        break;
    case OUTPUT_CSV:
        output_csv(result);
        break;
    default:
        output_text(output, result);
    }
}

bool output_pending(void)
{
    return __fpending(stdout) > 0;
}

bool output_flush(void)
{
    return fflush(stdout) == 0 && !ferror(stdout);
}

/* Whether the target's name is the address itself. */
static bool is_literal(const struct tcpdiag_record *record, const char *address)
{
    return !record->name.bytes || strchr(record->name.bytes, ':') ||
           (record->name.length == strlen(address) &&
            memcmp(record->name.bytes, address, record->name.length) == 0);
}

int output_target(const struct result *result, char text[OUTPUT_TARGET_SIZE])
{
    const struct tcpdiag_record *record = &result->record;
    struct tcpdiag_out out = {text, text + OUTPUT_TARGET_SIZE - 1, false};
    char address[TCPDIAG_ADDRESS_MAX] = "";
    bool connect = record->event == TCPDIAG_CONNECT;
    uint16_t port = connect ? record->peer.port : result->port;
    if (connect)
        tcpdiag_address_text(&record->peer, address);
    bool literal = connect && is_literal(record, address);
    bool brackets = literal && strchr(address, ':');
    tcpdiag_put_string(&out, brackets ? "[" : "");
    if (literal)
        tcpdiag_put_string(&out, address);
    else
        tcpdiag_put(&out, record->name.bytes, record->name.length);
    tcpdiag_put_string(&out, brackets ? "]" : "");
    if (port != 0) {
        tcpdiag_put_literal(&out, ":");
        tcpdiag_put_number(&out, port, 1);
    }
    if (connect && !literal) {
        tcpdiag_put_literal(&out, " [");
        tcpdiag_put_string(&out, address);
        tcpdiag_put_literal(&out, "]");
    }
    *out.at = '\0';
    return (int)(out.at - text);
}
