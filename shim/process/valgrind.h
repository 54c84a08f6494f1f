/* SPDX-License-Identifier: MIT */
/*
 * Valgrind: a program that is checked by one of its tools shall get the same findings as without
 * this library. Natively it is a few instructions at the start that do nothing.
 */
#ifndef TCPDIAG_VALGRIND_H
#define TCPDIAG_VALGRIND_H

#include <stdbool.h>

extern bool tcpdiag_under_valgrind;

/* Once, at the start. */
void tcpdiag_valgrind_init(void);

/* tcpdiag_readable of the 8 bytes at first and those at last. The call that natively answers it
   makes valgrind print a line. */
bool tcpdiag_valgrind_readable(const void *first, const void *last);

#endif
