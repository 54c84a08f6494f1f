/* SPDX-License-Identifier: MIT */
/* The lines of a file or of standard input, without ever waiting for them. */
#ifndef TCPDIAG_PROBE_LINES_H
#define TCPDIAG_PROBE_LINES_H

#include <stdint.h>

enum lines_next {
    LINES_LINE,   /* NUL-terminated and without its end; lives until the next call */
    LINES_BAD,    /* too long, or with a NUL in it: *line says which */
    LINES_LATER,  /* nothing to be read from lines_fd yet */
    LINES_FAILED, /* errno is set */
    LINES_END,
};

struct lines;

/* "-" is standard input. NULL with errno set. */
struct lines *lines_open(const char *name);
void lines_close(struct lines *lines);

enum lines_next lines_next(struct lines *lines, char **line);

int lines_fd(const struct lines *lines);
const char *lines_name(const struct lines *lines); /* "standard input" for "-" */
uint64_t lines_number(const struct lines *lines);  /* of the last line, from 1 */

#endif
