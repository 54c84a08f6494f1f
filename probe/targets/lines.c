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

struct input {
    const char *name;
    int fd;
    uint64_t number;
    bool ended;
    bool skipping; /* the rest of a line that was too long */
    size_t begin, end;
    char buffer[BUFFER + 1];
};

struct input *input_open(const char *name)
{
    struct input *input = calloc(1, sizeof *input);
    if (!input)
        return NULL;
    bool standard = strcmp(name, "-") == 0;
    input->name = standard ? "standard input" : name;
    input->fd = standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (input->fd >= 0)
        return input;
    free(input);
    return NULL;
}

void input_close(struct input *input)
{
    if (input->fd != STDIN_FILENO)
        close(input->fd);
    free(input);
}

int input_fd(const struct input *input)
{
    return input->fd;
}

const char *input_name(const struct input *input)
{
    return input->name;
}

uint64_t input_number(const struct input *input)
{
    return input->number;
}

/* INPUT_LINE: there is more in the buffer now, or the end is known. */
static enum input_next fill(struct input *input)
{
    struct pollfd one = {input->fd, POLLIN, 0};
    memmove(input->buffer, input->buffer + input->begin, input->end - input->begin);
    input->end -= input->begin;
    input->begin = 0;
    if (poll(&one, 1, 0) <= 0) /* EINTR as well: the read would sleep through the interrupt */
        return INPUT_LATER;
    ssize_t got = read(input->fd, input->buffer + input->end, BUFFER - input->end);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? INPUT_LATER : INPUT_FAILED;
    input->end += (size_t)got;
    input->ended = got == 0;
    return INPUT_LINE;
}

static enum input_next check(struct input *input, char *begin, size_t length, char **line)
{
    static char too_long[] = "the line is too long";
    static char nul[] = "the line has a NUL byte in it";
    input->number++;
    *line = length > LINE_MAX_BYTES ? too_long : memchr(begin, '\0', length) ? nul : begin;
    begin[length] = '\0';
    return *line == begin ? INPUT_LINE : INPUT_BAD;
}

enum input_next input_next(struct input *input, char **line)
{
    for (;;) {
        char *begin = input->buffer + input->begin;
        size_t length = input->end - input->begin;
        char *newline = memchr(begin, '\n', length);
        if (newline || (input->ended && length > 0)) {
            length = newline ? (size_t)(newline - begin) : length;
            input->begin += length + (newline != NULL);
            if (!input->skipping)
                return check(input, begin, length, line);
            input->skipping = false;
            continue;
        }
        if (input->ended)
            return INPUT_END;
        if (length > LINE_MAX_BYTES) { /* said once; its other pieces are dropped */
            input->begin = input->end;
            if (!input->skipping) {
                input->skipping = true;
                return check(input, begin, length, line);
            }
        }
        enum input_next filled = fill(input);
        if (filled != INPUT_LINE)
            return filled;
    }
}
