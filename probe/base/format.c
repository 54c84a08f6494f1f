/* SPDX-License-Identifier: MIT */
#include "probe/base/format.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shim/diagnosis/record.h"

struct tcpdiag_out format_begin(char *buffer, size_t size)
{
    return (struct tcpdiag_out){buffer, buffer + size - 1, false};
}

size_t format_end(struct tcpdiag_out *out, char *buffer)
{
    *out->at = '\0';
    return (size_t)(out->at - buffer);
}

void format_put(struct tcpdiag_out *out, const char *format, ...)
{
    char piece[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    if (length > 0)
        tcpdiag_put(out, piece, (size_t)length < sizeof piece ? (size_t)length : sizeof piece - 1);
}

void format_json_string(struct tcpdiag_out *out, const char *key, const char *text)
{
    format_put(out, "\"%s\":\"", key);
    tcpdiag_put_json(out, text, strlen(text), 1024);
    tcpdiag_put_literal(out, "\"");
}

void format_json_address(struct tcpdiag_out *out, const char *key,
                         const struct tcpdiag_endpoint *endpoint)
{
    char text[TCPDIAG_ADDRESS_MAX];
    tcpdiag_address_text(endpoint, text);
    format_json_string(out, key, text);
}
