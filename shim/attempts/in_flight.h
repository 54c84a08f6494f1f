/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_IN_FLIGHT_H
#define TCPDIAG_IN_FLIGHT_H

#include <stdatomic.h>

/* How many descriptors have a connect in flight. The one load that a hook on a waiting call costs.
 */
extern _Atomic unsigned *const tcpdiag_in_flight;
#define TCPDIAG_IN_FLIGHT()                                                                        \
    TCPDIAG_UNLIKELY(atomic_load_explicit(tcpdiag_in_flight, memory_order_acquire) != 0)

#endif
