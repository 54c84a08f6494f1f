/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_TOOLS_LOG_LOGS_H
#define TCPDIAG_TOOLS_LOG_LOGS_H

#include "tools/log/journal.h"

/* Reads the logs that a command was given, - for standard input; where it was given none, the ones
   that libtcpdiag.so writes here. False where one could not be read, after a line that says so. */
bool logs_read(struct journal *journal, int count, char **paths);

#endif
