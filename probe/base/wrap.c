/* SPDX-License-Identifier: MIT */
#include "probe/base/wrap.h"

#include <string.h>

#include "probe/base/terminal.h"

static const char gaps[] = " \n";

static void put_blanks(struct tcpdiag_out *out, size_t count)
{
    while (count-- > 0)
        tcpdiag_put_literal(out, " ");
}

/* Of text that is UTF-8; another byte counts as a character. */
static size_t columns(const char *text, size_t length)
{
    size_t count = 0;
    uint32_t code;
    for (size_t at = 0, size; at<length; at += size> 0 ? size : 1, count++)
        size = tcpdiag_character((const unsigned char *)text + at, length - at, &code);
    return count;
}

void wrap_text(struct tcpdiag_out *out, const char *label, const char *text)
{
    const size_t indent = columns(label, strlen(label));
    size_t column = indent;
    tcpdiag_put_string(out, label);
    for (text += strspn(text, gaps); *text; text += strspn(text, gaps)) {
        size_t word = strcspn(text, gaps);
        size_t width = columns(text, word);
        if (column > indent && column + 1 + width > TERMINAL_WIDTH) {
            tcpdiag_put_literal(out, "\n");
            put_blanks(out, indent);
            column = indent;
        } else if (column > indent) {
            tcpdiag_put_literal(out, " ");
            column++;
        }
        tcpdiag_put(out, text, word);
        column += width;
        text += word;
    }
    tcpdiag_put_literal(out, "\n");
}
