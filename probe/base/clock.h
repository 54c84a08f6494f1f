/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_CLOCK_H
#define TCPDIAG_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_MILLISECOND INT64_C(1000000)

static inline int64_t clock_now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * CLOCK_SECOND + time.tv_nsec;
}

#endif
