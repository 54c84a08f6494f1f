/* SPDX-License-Identifier: MIT */
/*
 * Writes text into a fixed buffer without stdio, locale or allocation. What does not fit is
 * dropped, `full` is set, and nothing more is written: what is there is the text's beginning, never
 * a text with a hole. Async-signal-safe.
 */
#ifndef TCPDIAG_TEXT_H
#define TCPDIAG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A string that need not end in a NUL and may hold any bytes. bytes NULL: absent. */
struct tcpdiag_text {
    const char *bytes;
    size_t length;
};

struct tcpdiag_out {
    char *at;
    char *end; /* one past the last byte that may be written */
    bool full;
};

/* bytes may be NULL where length is 0. */
void tcpdiag_put(struct tcpdiag_out *out, const char *bytes, size_t length);

#define tcpdiag_put_literal(out, literal) tcpdiag_put(out, literal, sizeof(literal) - 1)

static inline void tcpdiag_put_string(struct tcpdiag_out *out, const char *string)
{
    tcpdiag_put(out, string, strlen(string));
}

/* Decimal, with at least `width` digits. */
void tcpdiag_put_number(struct tcpdiag_out *out, uint64_t value, int width);

/* Lower-case hexadecimal without leading zeros. */
void tcpdiag_put_hex(struct tcpdiag_out *out, uint64_t value);

/* Microseconds as milliseconds: 312 -> 0.312, 1002500 -> 1002.5, 5000 -> 5. */
void tcpdiag_put_ms(struct tcpdiag_out *out, int64_t us);

/* RFC 3339 in UTC with microseconds: 2026-11-24T09:30:00.123456Z. */
void tcpdiag_put_time(struct tcpdiag_out *out, int64_t wall_ns);

/* How many bytes the UTF-8 character (RFC 3629) at bytes has, and its code point; 0 where there is
   none. length is at least 1. */
size_t tcpdiag_character(const unsigned char *bytes, size_t length, uint32_t *code);

/* Characters that act on what shows them: C0, DEL and C1, which terminals obey (ECMA-48), the marks
   that turn the direction of text, by which one name looks like another, and U+2028 and U+2029,
   which end a line. */
bool tcpdiag_is_control(uint32_t code);

/* The inside of a JSON string (RFC 8259): controls, quotes and backslashes escaped, bytes that are
   no UTF-8 replaced by U+FFFD. What would take more than `room` bytes (at least 3) is cut between
   two characters and ends in U+2026. */
void tcpdiag_put_json(struct tcpdiag_out *out, const char *bytes, size_t length, size_t room);

#ifdef __cplusplus
}
#endif
#endif
