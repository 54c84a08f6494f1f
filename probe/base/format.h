/* SPDX-License-Identifier: MIT */
/* Text for an 80-column terminal and small pieces of JSON, written into a fixed buffer. */
#ifndef TCPDIAG_PROBE_LINES_H
#define TCPDIAG_PROBE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "shim/diagnosis/classify.h"
#include "shim/diagnosis/text.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { LINES_WIDTH = 80 };

int lines_columns(int fd); /* of a terminal; 0: it is none */

struct tcpdiag_out lines_out(char *buffer, size_t size); /* keeps a byte for the NUL */
size_t lines_end(struct tcpdiag_out *out, char *buffer); /* ends it; returns the length */

__attribute__((format(printf, 2, 3))) void lines_put(struct tcpdiag_out *out, const char *format,
                                                     ...);

/* Breaks text between words at LINES_WIDTH; each line ends in a newline and begins with indent
   blanks. A word that is longer stands alone. Counts bytes: names of hosts are ASCII. */
void lines_wrap(struct tcpdiag_out *out, int indent, const char *text);

/* "key":"text", escaped, "key":"10.0.2.2". */
void lines_json_string(struct tcpdiag_out *out, const char *key, const char *text);
void lines_json_address(struct tcpdiag_out *out, const char *key,
                        const struct tcpdiag_endpoint *endpoint);

#ifdef __cplusplus
}
#endif
#endif
