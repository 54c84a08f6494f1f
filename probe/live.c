/* SPDX-License-Identifier: MIT */
#include "probe/live.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINES_A_ROW = 3, LINES = 24 };

static int drawn_lines; /* that stand on the screen above the cursor */

bool live_possible(void)
{
    const char *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

void live_begin(void)
{
    fputs("\033[?25l", stdout);
}

static void rise(void)
{
    if (drawn_lines > 0)
        printf("\033[%dA\033[J", drawn_lines);
    drawn_lines = 0;
}

void live_end(void)
{
    rise();
    fputs("\033[?25h", stdout);
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

static void draw_row(const struct live_row *row)
{
    const struct stats *stats = &row->stats;
    char spark[STATS_SPARK_SIZE];
    stats_spark(stats, utf8(), spark);
    printf("%s  %llu/%llu connected, %.1f %%", row->target, (unsigned long long)stats->connected,
           (unsigned long long)stats->tried,
           stats->tried ? 100.0 * (double)stats->connected / (double)stats->tried : 0);
    if (row->failure.outcome != TCPDIAG_OUTCOME_NONE)
        printf("; last failure %s%s%s", tcpdiag_outcome_info(row->failure.outcome)->name,
               row->failure.cause ? " / " : "", tcpdiag_cause_info(row->failure.cause)->name);
    putchar('\n');
    if (stats->connected > 0)
        printf("  min %.2f  median %.2f  p95 %.2f  p99 %.2f  max %.2f  jitter %.2f ms\n",
               ms(stats->min), ms(stats_quantile(stats, 0.5)), ms(stats_quantile(stats, 0.95)),
               ms(stats_quantile(stats, 0.99)), ms(stats->max), ms(stats_jitter(stats)));
    printf("  %s\n", spark);
}

void live_draw(const struct live_row *rows, size_t count, bool in_place)
{
    struct winsize size;
    int room =
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : LINES;
    rise();
    for (size_t i = 0; i < count; i++) {
        if (in_place && drawn_lines + LINES_A_ROW >= room)
            break;
        if (rows[i].stats.tried == 0)
            continue;
        draw_row(&rows[i]);
        drawn_lines += rows[i].stats.connected > 0 ? LINES_A_ROW : LINES_A_ROW - 1;
    }
    if (!in_place)
        drawn_lines = 0;
}
