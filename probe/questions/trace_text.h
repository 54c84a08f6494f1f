/* SPDX-License-Identifier: MIT */
/* What a trace has found, for people and for programs. */
#ifndef TCPDIAG_PROBE_TRACE_TEXT_H
#define TCPDIAG_PROBE_TRACE_TEXT_H

#include "probe/questions/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRACE_TEXT_SIZE = 16384, TRACE_JSON_SIZE = 65536 };

/* Lines of at most 80 columns, each ended by a newline: one a hop, then one or two that say what
   it means. NUL-terminated; what does not fit into size bytes is dropped. Returns the length. */
size_t trace_text(const struct trace *trace, char *buffer, size_t size);

/* One JSON object, no newline. NUL-terminated. */
size_t trace_json(const struct trace *trace, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif
#endif
