/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_TOOLS_LOG_ALIVE_H
#define TCPDIAG_TOOLS_LOG_ALIVE_H

#include <stdbool.h>

/* Whether the process that wrote a record at that time (RFC 3339) on that host still lives here.
   A process of another host counts as gone: nobody can tell. */
bool alive(const char *host, long pid, const char *time);

#endif
