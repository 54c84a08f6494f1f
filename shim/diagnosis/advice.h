/* SPDX-License-Identifier: MIT */
/* What a person does next. Apart from the other words: only the tools give advice, and the library
   does not carry it. Pure, thread-safe and async-signal-safe. */
#ifndef TCPDIAG_ADVICE_H
#define TCPDIAG_ADVICE_H

#include <stddef.h>

#include "shim/diagnosis/outcome.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What to do next: the cause's own advice, else the outcome's. Never NULL. */
const char *tcpdiag_advice(enum tcpdiag_outcome outcome, enum tcpdiag_cause cause);

/* The same with this attempt's own name and address for NAME and ADDRESS, so that the commands can
   be typed as they stand. Either may be NULL or "", and one with a character that a shell could
   take for more than a name is not put in: it comes from strangers. NUL-terminated, cut to size - 1
   bytes; returns buffer. */
char *tcpdiag_advice_for(enum tcpdiag_outcome outcome, enum tcpdiag_cause cause, const char *name,
                         const char *address, char *buffer, size_t size);

/* The longest advice, with a name of 253 bytes in it twice and the NUL. */
#define TCPDIAG_ADVICE_MAX 1024

#ifdef __cplusplus
}
#endif
#endif
