/* SPDX-License-Identifier: MIT */
/* The ends of what is under way when the process ends. errno stays. Async-signal-safe. */
#ifndef TCPDIAG_UNFINISHED_H
#define TCPDIAG_UNFINISHED_H

#include <stdbool.h>

#include "shim/attempts/waiting.h"

/* The end of a call that was taken out of the table of waiting calls. lost: its thread has left it,
   nobody knows when. */
void tcpdiag_unfinished(const struct tcpdiag_waiting *call, bool lost);

/* The process ends. last: nothing of the program runs any more, but for other threads. */
void tcpdiag_process_ends(bool last);

#endif
