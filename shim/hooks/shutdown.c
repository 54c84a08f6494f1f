/* SPDX-License-Identifier: MIT */
#include "shim/attempts/flight.h"
#include "shim/attempts/in_flight.h"
#include "shim/process/real.h"

/* Aborts a connect in flight: inet_shutdown in net/ipv4/af_inet.c. One that has failed keeps its
   error for whoever asks. */
TCPDIAG_EXPORT int shutdown(int fd, int how)
{
    struct tcpdiag_abort abort;
    if (!TCPDIAG_IN_FLIGHT())
        return REAL(shutdown)(fd, how);
    tcpdiag_abort_begin(&abort, fd);
    int result = REAL(shutdown)(fd, how);
    if (result == 0 && tcpdiag_abort_was_pending(&abort))
        tcpdiag_abort_end(&abort);
    return result;
}
