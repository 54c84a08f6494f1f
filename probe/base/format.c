/* SPDX-License-Identifier: MIT */
#include "probe/base/format.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "shim/diagnosis/record.h"

int lines_columns(int fd)
{
    struct winsize size;
    if (!isatty(fd))
        return 0;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : LINES_WIDTH;
}

struct tcpdiag_out lines_out(char *buffer, size_t size)
{
    return (struct tcpdiag_out){buffer, buffer + size - 1, false};
}

size_t lines_end(struct tcpdiag_out *out, char *buffer)
{
    *out->at = '\0';
    return (size_t)(out->at - buffer);
}

void lines_put(struct tcpdiag_out *out, const char *format, ...)
{
    char piece[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    if (length > 0)
        tcpdiag_put(out, piece, (size_t)length < sizeof piece ? (size_t)length : sizeof piece - 1);
}

void lines_wrap(struct tcpdiag_out *out, int indent, const char *text)
{
    int column = 0;
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        int word = (int)strcspn(text, " ");
        if (column > 0 && column + 1 + word > LINES_WIDTH) {
            tcpdiag_put_literal(out, "\n");
            column = 0;
        }
        lines_put(out, "%*s", column > 0 ? 1 : indent, "");
        tcpdiag_put(out, text, (size_t)word);
        column += (column > 0 ? 1 : indent) + word;
        text += word;
    }
    tcpdiag_put_literal(out, "\n");
}

void lines_json_string(struct tcpdiag_out *out, const char *key, const char *text)
{
    lines_put(out, "\"%s\":\"", key);
    tcpdiag_put_json(out, text, strlen(text), 1024);
    tcpdiag_put_literal(out, "\"");
}

void lines_json_address(struct tcpdiag_out *out, const char *key,
                        const struct tcpdiag_endpoint *endpoint)
{
    char text[TCPDIAG_ADDRESS_MAX];
    tcpdiag_address_text(endpoint, text);
    lines_json_string(out, key, text);
}
