/* SPDX-License-Identifier: MIT */
#include "probe/results/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "probe/base/terminal.h"
#include "shim/evidence/kernel.h"

enum { BAR_MAX = 30, LINE_SIZE = 256 };

/* A scan that is over sooner needs no bar. */
#define FIRST_SIGHT (300 * TCPDIAG_MILLISECOND)

void progress_begin(struct progress *progress, uint64_t total)
{
    *progress = (struct progress){true, false, sys_nanoseconds(CLOCK_MONOTONIC), total};
}

static int put_bar(char *line, uint64_t done, uint64_t total, int width)
{
    int filled = (int)((double)width * (double)done / (double)total);
    char *at = line;
    *at++ = '[';
    for (int i = 0; i < width; i++)
        *at++ = i < filled ? '#' : '.';
    *at++ = ']';
    *at++ = ' ';
    *at = '\0';
    return (int)(at - line);
}

static void write_line(const char *line, size_t length)
{
    /* A bar that cannot be drawn is no reason to stop. */
    if (write(STDERR_FILENO, line, length) < 0)
        return;
}

void progress_draw(struct progress *progress, uint64_t done, uint64_t connected)
{
    char line[LINE_SIZE];
    int64_t spent = sys_nanoseconds(CLOCK_MONOTONIC) - progress->begin;
    int columns = terminal_columns(STDERR_FILENO); /* 0 where the terminal has hung up */
    int width = columns - 52;
    int length = 0;
    if (!progress->shown || spent < FIRST_SIGHT)
        return;
    double rate = (double)done * 1e9 / (double)spent;
    if (progress->total > 0 && progress->total < done) /* names had more than one address */
        progress->total = done;
    if (progress->total > 0 && width > 4)
        length = put_bar(line, done, progress->total, width < BAR_MAX ? width : BAR_MAX);
    length +=
        snprintf(line + length, sizeof line - (size_t)length, "%llu", (unsigned long long)done);
    if (progress->total > 0)
        length += snprintf(line + length, sizeof line - (size_t)length, "/%llu %3.0f%%",
                           (unsigned long long)progress->total,
                           100.0 * (double)done / (double)progress->total);
    length += snprintf(line + length, sizeof line - (size_t)length, " %.0f/s %llu connected", rate,
                       (unsigned long long)connected);
    if (progress->total > 0 && rate > 0) {
        unsigned left = (unsigned)((double)(progress->total - done) / rate + 0.5);
        length += snprintf(line + length, sizeof line - (size_t)length, " %u:%02u left", left / 60,
                           left % 60);
    }
    if (columns > 0 && length >= columns)
        length = columns - 1;
    char frame[LINE_SIZE + 8];
    int size = snprintf(frame, sizeof frame, "\r%.*s\033[K", length, line);
    write_line(frame, (size_t)size);
    progress->drawn = true;
}

void progress_erase(struct progress *progress)
{
    static const char erase[] = "\r\033[K";
    if (progress->drawn)
        write_line(erase, sizeof erase - 1);
    progress->drawn = false;
}

void progress_end(struct progress *progress, uint64_t done, uint64_t connected)
{
    double spent = (double)(sys_nanoseconds(CLOCK_MONOTONIC) - progress->begin) / 1e9;
    progress_erase(progress);
    if (progress->shown)
        fprintf(stderr, "%llu tried in %.1f s (%.0f/s), %llu connected\n", (unsigned long long)done,
                spent, spent > 0 ? (double)done / spent : 0, (unsigned long long)connected);
}
