/* SPDX-License-Identifier: MIT */
/*
 * A record as a person reads it. Pure: no system call, no allocation, no locale; thread-safe and
 * async-signal-safe.
 */
#ifndef TCPDIAG_SENTENCE_H
#define TCPDIAG_SENTENCE_H

#include <stddef.h>

#include "shim/diagnosis/record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "db.staging (10.0.2.2) port 5432: refused: ..."; names are escaped as in JSON. */
void tcpdiag_put_sentence(struct tcpdiag_out *out, const struct tcpdiag_record *record);

/* The same, as the record's "message" has it, NUL-terminated; cut to size - 1 bytes. Returns its
   length. */
size_t tcpdiag_record_message(const struct tcpdiag_record *record, char *buffer, size_t size);

/* The sentence of an end record without the target and the outcome. */
size_t tcpdiag_record_meaning(const struct tcpdiag_record *record, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif
#endif
