/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "shim/attempts/attempt.h"
#include "shim/attempts/sole.h"
#include "shim/attempts/table.h"
#include "shim/log/places.h"
#include "shim/process/real.h"
#include "shim/process/scratch.h"
#include "shim/process/settings.h"
#include "shim/process/threads.h"
#include "shim/process/valgrind.h"

static _Atomic int started;

void tcpdiag_start(void)
{
    int saved = errno;
    tcpdiag_real_init();
    if (!atomic_exchange(&started, true)) {
        tcpdiag_valgrind_init();
        tcpdiag_scratch_init();
        tcpdiag_attempts_init();
        tcpdiag_sole_init();
        tcpdiag_threads_init();
        tcpdiag_stderr_init();
        tcpdiag_log_init();
        tcpdiag_config_init();
    }
    errno = saved;
}

/* 101: the lowest priority that is not the implementation's; before other libraries' constructors
   where the loader lets us. */
__attribute__((constructor(101))) static void load(void)
{
    tcpdiag_start();
}

__attribute__((destructor(101))) static void unload(void)
{
    if (TCPDIAG_IN_FLIGHT())
        tcpdiag_giving_up_all(false); /* another library's destructor may still ask */
}
