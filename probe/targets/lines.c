/* SPDX-License-Identifier: MIT */
#include "probe/targets/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024, LINE_MAX_BYTES = 4096 };

struct lines {
    const char *name;
    int fd;
    uint64_t number;
    bool ended;
    bool skipping; /* the rest of a line that was too long */
    size_t begin, end;
    char buffer[BUFFER + 1];
};

struct lines *lines_open(const char *name)
{
    struct lines *lines = calloc(1, sizeof *lines);
    if (!lines)
        return NULL;
    bool standard = strcmp(name, "-") == 0;
    lines->name = standard ? "standard input" : name;
    lines->fd = standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (lines->fd >= 0)
        return lines;
    free(lines);
    return NULL;
}

void lines_close(struct lines *lines)
{
    if (lines->fd != STDIN_FILENO)
        close(lines->fd);
    free(lines);
}

int lines_fd(const struct lines *lines)
{
    return lines->fd;
}

const char *lines_name(const struct lines *lines)
{
    return lines->name;
}

uint64_t lines_number(const struct lines *lines)
{
    return lines->number;
}

/* LINES_LINE: there is more in the buffer now, or the end is known. */
static enum lines_next fill(struct lines *lines)
{
    struct pollfd one = {lines->fd, POLLIN, 0};
    memmove(lines->buffer, lines->buffer + lines->begin, lines->end - lines->begin);
    lines->end -= lines->begin;
    lines->begin = 0;
    if (poll(&one, 1, 0) <= 0) /* EINTR as well: the read would sleep through the interrupt */
        return LINES_LATER;
    ssize_t got = read(lines->fd, lines->buffer + lines->end, BUFFER - lines->end);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? LINES_LATER : LINES_FAILED;
    lines->end += (size_t)got;
    lines->ended = got == 0;
    return LINES_LINE;
}

static enum lines_next check(struct lines *lines, char *begin, size_t length, char **line)
{
    static char too_long[] = "the line is too long";
    static char nul[] = "the line has a NUL byte in it";
    lines->number++;
    *line = length > LINE_MAX_BYTES ? too_long : memchr(begin, '\0', length) ? nul : begin;
    begin[length] = '\0';
    return *line == begin ? LINES_LINE : LINES_BAD;
}

enum lines_next lines_next(struct lines *lines, char **line)
{
    for (;;) {
        char *begin = lines->buffer + lines->begin;
        size_t length = lines->end - lines->begin;
        char *newline = memchr(begin, '\n', length);
        if (newline || (lines->ended && length > 0)) {
            length = newline ? (size_t)(newline - begin) : length;
            lines->begin += length + (newline != NULL);
            if (!lines->skipping)
                return check(lines, begin, length, line);
            lines->skipping = false;
            continue;
        }
        if (lines->ended)
            return LINES_END;
        if (length > LINE_MAX_BYTES) { /* said once; its other pieces are dropped */
            lines->begin = lines->end;
            if (!lines->skipping) {
                lines->skipping = true;
                return check(lines, begin, length, line);
            }
        }
        enum lines_next filled = fill(lines);
        if (filled != LINES_LINE)
            return filled;
    }
}
