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

void wrap_text(struct tcpdiag_out *out, const char *label, const char *text)
{
    size_t indent = strlen(label);
    size_t column = indent;
    tcpdiag_put_string(out, label);
    for (text += strspn(text, gaps); *text; text += strspn(text, gaps)) {
        size_t word = strcspn(text, gaps);
        if (column > indent && column + 1 + word > TERMINAL_WIDTH) {
            tcpdiag_put_literal(out, "\n");
            put_blanks(out, indent);
            column = indent;
        } else if (column > indent) {
            tcpdiag_put_literal(out, " ");
            column++;
        }
        tcpdiag_put(out, text, word);
        column += word;
        text += word;
    }
    tcpdiag_put_literal(out, "\n");
}
