/* SPDX-License-Identifier: MIT */
#include "shim/log/complaint.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "shim/diagnosis/text.h"
#include "shim/log/stderr.h"
#include "shim/process/settings.h"

static _Atomic int complained;

void tcpdiag_complain(const char *what)
{
    if (!tcpdiag_settings.warn || atomic_exchange(&complained, true))
        return;
    char line[256];
    struct tcpdiag_out out = {line, line + sizeof line, false};
    tcpdiag_put_literal(&out, "libtcpdiag: ");
    tcpdiag_put_string(&out, what);
    tcpdiag_put_literal(&out, "\n");
    tcpdiag_stderr_write(line, (size_t)(out.at - line));
}
