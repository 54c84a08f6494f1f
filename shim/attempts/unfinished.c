/* SPDX-License-Identifier: MIT */
#include "shim/attempts/unfinished.h"

#include <errno.h>

#include "shim/attempts/attempt.h"
#include "shim/attempts/flight.h"
#include "shim/attempts/in_flight.h"
#include "shim/attempts/lookup.h"
#include "shim/evidence/evidence.h"
#include "shim/process/identity.h"
#include "shim/process/sys.h"

static void end_connect(const struct tcpdiag_attempt *attempt, bool lost)
{
    struct tcpdiag_evidence evidence = TCPDIAG_NO_EVIDENCE;
    if (lost) {
        tcpdiag_write_unseen_end(attempt);
        return;
    }
    if (tcpdiag_cookie_of(attempt->fd) == attempt->cookie)
        tcpdiag_evidence_state(attempt->fd, &evidence);
    tcpdiag_write_end(attempt, TCPDIAG_ENDED_PROCESS, 0, sys_nanoseconds(CLOCK_MONOTONIC),
                      &evidence);
}

void tcpdiag_unfinished(const struct tcpdiag_waiting *call, bool lost)
{
    if (call->lookup)
        tcpdiag_lookup_unfinished(call, lost);
    else
        end_connect(&call->attempt, lost);
}

static bool thread_lives(int tid)
{
    return sys_call(SYS_tgkill, tcpdiag_pid(), tid, 0) == 0 || errno != ESRCH;
}

void tcpdiag_process_ends(bool last)
{
    struct tcpdiag_waiting call;
    int saved = errno;
    if (TCPDIAG_IN_FLIGHT())
        tcpdiag_giving_up_all(last);
    /* What this thread was in when it ran deeper than now it has left by a jump. A handler that
       ends the process runs deeper than the call that it has interrupted. */
    while (tcpdiag_waiting_take_lost((uintptr_t)__builtin_frame_address(0), &call))
        tcpdiag_unfinished(&call, true);
    while (tcpdiag_waiting_take(&call))
        tcpdiag_unfinished(&call, !thread_lives(call.tid));
    errno = saved;
}
