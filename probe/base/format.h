/* SPDX-License-Identifier: MIT */
/* Text in the form of printf(3) and small pieces of JSON, written into a fixed buffer. */
#ifndef TCPDIAG_PROBE_FORMAT_H
#define TCPDIAG_PROBE_FORMAT_H

#include <stddef.h>

#include "shim/diagnosis/classify.h"
#include "shim/diagnosis/text.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tcpdiag_out format_begin(char *buffer, size_t size); /* keeps a byte for the NUL */
size_t format_end(struct tcpdiag_out *out, char *buffer);   /* ends it; returns the length */

__attribute__((format(printf, 2, 3))) void format_put(struct tcpdiag_out *out, const char *format,
                                                      ...);

/* "key":"text", escaped, "key":"10.0.2.2". */
void format_json_string(struct tcpdiag_out *out, const char *key, const char *text);
void format_json_address(struct tcpdiag_out *out, const char *key,
                         const struct tcpdiag_endpoint *endpoint);

#ifdef __cplusplus
}
#endif
#endif
