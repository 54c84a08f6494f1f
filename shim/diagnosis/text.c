/* SPDX-License-Identifier: MIT */
#include "shim/diagnosis/text.h"
#include "shim/diagnosis/duration.h"

/* Optimized for speed in a library that is optimized for size: these two are most of what the shim
   does between its system calls. For size gcc divides by 10 with a division and copies with rep
   movsb, whose start costs more than the few bytes that a word of a record has. */
#if defined(__GNUC__) && !defined(__clang__)
#define FAST __attribute__((optimize("O2")))
#else
#define FAST
#endif

FAST void tcpdiag_put(struct tcpdiag_out *out, const char *bytes, size_t length)
{
    if (out->full || (size_t)(out->end - out->at) < length) {
        out->full = true;
        return;
    }
    char *to = out->at;
    out->at += length;
    for (; length >= 8; length -= 8, to += 8, bytes += 8)
        memcpy(to, bytes, 8);
    if (length & 4) {
        memcpy(to, bytes, 4);
        to += 4;
        bytes += 4;
    }
    for (length &= 3; length > 0; length--)
        *to++ = *bytes++;
}

#define DAY (86400 * TCPDIAG_SECOND)

FAST void tcpdiag_put_number(struct tcpdiag_out *out, uint64_t value, int width)
{
    char digits[24];
    char *at = digits + sizeof digits;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
        width--;
    } while (value != 0 || width > 0);
    tcpdiag_put(out, at, (size_t)(digits + sizeof digits - at));
}

void tcpdiag_put_hex(struct tcpdiag_out *out, uint64_t value)
{
    char digits[16];
    char *at = digits + sizeof digits;
    do {
        *--at = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value != 0);
    tcpdiag_put(out, at, (size_t)(digits + sizeof digits - at));
}

void tcpdiag_put_ms(struct tcpdiag_out *out, int64_t us)
{
    if (us < 0)
        us = 0;
    tcpdiag_put_number(out, (uint64_t)us / 1000, 1);
    unsigned fraction = (unsigned)(us % 1000);
    if (fraction == 0)
        return;
    char text[4] = {'.', (char)('0' + fraction / 100), (char)('0' + fraction / 10 % 10),
                    (char)('0' + fraction % 10)};
    size_t length = sizeof text;
    while (text[length - 1] == '0')
        length--;
    tcpdiag_put(out, text, length);
}

/* The civil date of a day number, by the era arithmetic of the proleptic Gregorian calendar: a
   400-year era has 146,097 days, and a year that begins in March has its leap day last. */
static void civil(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468; /* from 0000-03-01 to 1970-01-01 */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned in_era = (unsigned)(days - era * 146097);
    unsigned year_of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    unsigned in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned from_march = (5 * in_year + 2) / 153;
    *day = in_year - (153 * from_march + 2) / 5 + 1;
    *month = from_march < 10 ? from_march + 3 : from_march - 9;
    *year = (int64_t)year_of_era + era * 400 + (*month <= 2);
}

void tcpdiag_put_time(struct tcpdiag_out *out, int64_t wall_ns)
{
    int64_t days = wall_ns / DAY - (wall_ns % DAY < 0); /* rounded down, before 1970 too */
    int64_t rest = wall_ns % DAY + (wall_ns % DAY < 0 ? DAY : 0);
    unsigned in_day = (unsigned)(rest / TCPDIAG_SECOND);
    unsigned micro = (unsigned)(rest % TCPDIAG_SECOND / 1000);
    int64_t year;
    unsigned month;
    unsigned day;
    civil(days, &year, &month, &day);
    tcpdiag_put_number(out, (uint64_t)year, 4);
    tcpdiag_put_literal(out, "-");
    tcpdiag_put_number(out, month, 2);
    tcpdiag_put_literal(out, "-");
    tcpdiag_put_number(out, day, 2);
    tcpdiag_put_literal(out, "T");
    tcpdiag_put_number(out, in_day / 3600, 2);
    tcpdiag_put_literal(out, ":");
    tcpdiag_put_number(out, in_day / 60 % 60, 2);
    tcpdiag_put_literal(out, ":");
    tcpdiag_put_number(out, in_day % 60, 2);
    tcpdiag_put_literal(out, ".");
    tcpdiag_put_number(out, micro, 6);
    tcpdiag_put_literal(out, "Z");
}

size_t tcpdiag_character(const unsigned char *bytes, size_t length, uint32_t *code)
{
    unsigned char first = bytes[0];
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t need;
    *code = first;
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        need = 2;
    else if (first >= 0xe0 && first <= 0xef)
        need = 3;
    else if (first >= 0xf0 && first <= 0xf4)
        need = 4;
    else
        return 0;
    if (first == 0xe0)
        low = 0xa0; /* overlong */
    else if (first == 0xed)
        high = 0x9f; /* surrogates */
    else if (first == 0xf0)
        low = 0x90; /* overlong */
    else if (first == 0xf4)
        high = 0x8f; /* beyond U+10FFFF */
    if (length < need || bytes[1] < low || bytes[1] > high)
        return 0;
    *code = first & (0x7fU >> need);
    for (size_t i = 1; i < need; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (bytes[i] & 0x3fU);
    }
    return need;
}

bool tcpdiag_is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* What stands for the character at bytes: itself, an escape in scratch, or U+FFFD. */
static size_t json_character(const unsigned char *bytes, size_t length, const char **text,
                             size_t *text_length, char scratch[6])
{
    uint32_t code;
    size_t taken = tcpdiag_character(bytes, length, &code);
    if (taken == 0) {
        *text = "\xef\xbf\xbd";
        *text_length = 3;
        return 1;
    }
    *text = (const char *)bytes;
    *text_length = taken;
    if (code == '"' || code == '\\') {
        scratch[0] = '\\';
        scratch[1] = (char)code;
        *text = scratch;
        *text_length = 2;
    } else if (tcpdiag_is_control(code)) { /* all of them are below U+10000 */
        scratch[0] = '\\';
        scratch[1] = 'u';
        for (int i = 0; i < 4; i++)
            scratch[2 + i] = "0123456789abcdef"[code >> (12 - 4 * i) & 15];
        *text = scratch;
        *text_length = 6;
    }
    return taken;
}

static bool all_plain(const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] < 0x20 || bytes[i] >= 0x7f || bytes[i] == '"' || bytes[i] == '\\')
            return false;
    return true;
}

static bool fits(const unsigned char *bytes, size_t length, size_t room)
{
    while (length > 0) {
        char scratch[6];
        const char *text;
        size_t text_length;
        size_t taken = json_character(bytes, length, &text, &text_length, scratch);
        if (text_length > room)
            return false;
        room -= text_length;
        bytes += taken;
        length -= taken;
    }
    return true;
}

void tcpdiag_put_json(struct tcpdiag_out *out, const char *bytes, size_t length, size_t room)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    const unsigned char *at = (const unsigned char *)bytes;
    if (length <= room && all_plain(at, length)) { /* nearly every name */
        tcpdiag_put(out, bytes, length);
        return;
    }
    bool whole = fits(at, length, room);
    if (!whole)
        room -= sizeof ellipsis - 1;
    while (length > 0) {
        char scratch[6];
        const char *text;
        size_t text_length;
        size_t taken = json_character(at, length, &text, &text_length, scratch);
        if (text_length > room)
            break;
        tcpdiag_put(out, text, text_length);
        room -= text_length;
        at += taken;
        length -= taken;
    }
    if (!whole)
        tcpdiag_put(out, ellipsis, sizeof ellipsis - 1);
}
