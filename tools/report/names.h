/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_TOOLS_REPORT_NAMES_H
#define TCPDIAG_TOOLS_REPORT_NAMES_H

#include <stdbool.h>

#define NAMES_MAX 6

/* A few different words, in the order in which they came. */
struct names {
    char *word[NAMES_MAX];
    unsigned count;
    bool more; /* than fit */
};

bool names_have(const struct names *names, const char *word);

/* "a, b, ...": the caller's to free. */
char *names_text(const struct names *names);

#endif
