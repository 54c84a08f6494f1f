/* SPDX-License-Identifier: MIT */
/* The lines of a file or of standard input, without ever waiting for them. */
#ifndef TCPDIAG_INPUT_H
#define TCPDIAG_INPUT_H

#include <stdint.h>

enum input_next {
    INPUT_LINE,   /* NUL-terminated and without its end; lives until the next call */
    INPUT_BAD,    /* too long, or with a NUL in it: *line says which */
    INPUT_LATER,  /* nothing to be read from input_fd yet */
    INPUT_FAILED, /* errno is set */
    INPUT_END,
};

struct input;

/* "-" is standard input. NULL with errno set. */
struct input *input_open(const char *name);
void input_close(struct input *input);

enum input_next input_next(struct input *input, char **line);

int input_fd(const struct input *input);
const char *input_name(const struct input *input); /* "standard input" for "-" */
uint64_t input_number(const struct input *input);  /* of the last line, from 1 */

#endif
