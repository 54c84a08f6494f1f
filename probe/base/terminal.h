/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_PROBE_TERMINAL_H
#define TCPDIAG_PROBE_TERMINAL_H

#include <stdbool.h>

enum { TERMINAL_WIDTH = 80 }; /* of one that does not tell, and of text for people */

/* 0: it is no terminal. */
int terminal_columns(int fd);

/* Whether it is a terminal that can be redrawn and knows colours. */
bool terminal_redraws(int fd);

#endif
