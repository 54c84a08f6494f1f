/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_MEMORY_H
#define TCPDIAG_MEMORY_H

#include <err.h>
#include <stdlib.h>

enum { MEMORY_STATUS = 9 /* a local error, as in the table of outcomes */ };

/* The pointer, or one line and the end of the process: nothing here can go on without memory. */
static inline void *memory_need(void *allocated)
{
    if (!allocated)
        err(MEMORY_STATUS, "memory");
    return allocated;
}

/* Zeroed. */
static inline void *memory_new(size_t size)
{
    return memory_need(calloc(1, size));
}

#endif
