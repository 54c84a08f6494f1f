/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_READABLE_H
#define TCPDIAG_READABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the program could read these bytes, from one to a page of them. They are not touched: a
   null or wild pointer is for the kernel to refuse. Async-signal-safe; errno is changed. */
bool tcpdiag_readable(const void *start, size_t length);

#endif
