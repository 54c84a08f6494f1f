/* SPDX-License-Identifier: MIT */
#include "probe/results/live.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "probe/base/format.h"
#include "probe/base/terminal.h"

enum { LINES = 24 };

static int drawn_lines; /* that stand on the screen above the cursor */

void live_begin(FILE *file)
{
    fputs("\033[?25l", file);
}

/* From the first column: the terminal shows ^C where the cursor stands. */
static void rise(FILE *file)
{
    if (drawn_lines > 0)
        fprintf(file, "\r\033[%dA\033[J", drawn_lines);
    drawn_lines = 0;
}

void live_end(FILE *file)
{
    rise(file);
    fputs("\033[?25h", file);
}

static bool utf8(void)
{
    static int answer = -1;
    if (answer < 0) {
        setlocale(LC_CTYPE, "");
        answer = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    }
    return answer == 1;
}

static double ms(int64_t ns)
{
    return (double)ns / 1e6;
}

static void put_row(struct tcpdiag_out *out, const struct live_row *row, int columns)
{
    const struct stats *stats = &row->stats;
    const char *begin = out->at;
    char spark[STATS_SPARK_SIZE], failure[80];
    stats_spark(stats, utf8(), spark);
    format_put(out, "%s  %llu/%llu connected, %.1f %%", row->target,
               (unsigned long long)stats->connected, (unsigned long long)stats->tried,
               stats->tried ? 100.0 * (double)stats->connected / (double)stats->tried : 0);
    if (row->failure.outcome != TCPDIAG_OUTCOME_NONE) {
        int length =
            snprintf(failure, sizeof failure, "last failure %s%s%s",
                     tcpdiag_outcome_info(row->failure.outcome)->name,
                     row->failure.cause ? " / " : "", tcpdiag_cause_info(row->failure.cause)->name);
        bool fits = columns == 0 || out->at - begin + (int)strlen("; ") + length <= columns;
        format_put(out, "%s%s", fits ? "; " : "\n  ", failure);
    }
    tcpdiag_put_literal(out, "\n");
    if (stats->connected > 0)
        format_put(out, "  min %.2f  median %.2f  p95 %.2f  p99 %.2f  max %.2f  jitter %.2f ms\n",
                   ms(stats->min), ms(stats_quantile(stats, 0.5)), ms(stats_quantile(stats, 0.95)),
                   ms(stats_quantile(stats, 0.99)), ms(stats->max), ms(stats_jitter(stats)));
    format_put(out, "  %s\n", spark);
}

/* How many lines of the screen the text takes: what is too long for one goes on in the next. The
   terminal may have hung up meanwhile: then there is no screen. */
static int screen_lines(const char *text, int columns)
{
    int lines = 0, column = 0;
    for (; *text; text++)
        if (*text == '\n') {
            lines += columns > 0 && column > columns ? (column + columns - 1) / columns : 1;
            column = 0;
        } else {
            column += (*text & 0xC0) != 0x80; /* not within a character of UTF-8 */
        }
    return lines;
}

void live_draw(FILE *file, const struct live_row *rows, size_t count, bool in_place)
{
    char text[RESULT_TARGET_SIZE + 1024];
    struct winsize size;
    int room =
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : LINES;
    int columns = terminal_columns(STDOUT_FILENO);
    rise(file);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].stats.tried == 0)
            continue;
        struct tcpdiag_out out = format_begin(text, sizeof text);
        put_row(&out, &rows[i], columns);
        size_t bytes = format_end(&out, text);
        int lines = in_place ? screen_lines(text, columns) : 0;
        if (in_place && drawn_lines + lines >= room)
            break;
        fwrite_unlocked(text, 1, bytes, file);
        drawn_lines += lines;
    }
    if (!in_place)
        drawn_lines = 0;
}
