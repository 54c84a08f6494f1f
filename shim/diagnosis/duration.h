/* SPDX-License-Identifier: MIT */
/* Points in time and durations are nanoseconds in an int64_t. */
#ifndef TCPDIAG_DURATION_H
#define TCPDIAG_DURATION_H

#include <stdint.h>

#define TCPDIAG_SECOND INT64_C(1000000000)
#define TCPDIAG_MILLISECOND INT64_C(1000000)

#endif
