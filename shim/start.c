/* SPDX-License-Identifier: MIT */
#include "shim/start.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "shim/attempts/own_address.h"
#include "shim/attempts/sole.h"
#include "shim/attempts/table.h"
#include "shim/attempts/unfinished.h"
#include "shim/attempts/waiting.h"
#include "shim/log/complaint.h"
#include "shim/log/log.h"
#include "shim/log/open.h"
#include "shim/log/stderr.h"
#include "shim/process/descriptor.h"
#include "shim/process/identity.h"
#include "shim/process/real.h"
#include "shim/process/settings.h"
#include "shim/process/state.h"
#include "shim/process/sys.h"
#include "shim/process/threads.h"
#include "shim/process/valgrind.h"

static _Atomic int started;

void tcpdiag_start(void)
{
    int saved = errno;
    tcpdiag_real_init();
    if (!atomic_exchange(&started, true)) {
        tcpdiag_valgrind_init();
        tcpdiag_state_init();
        tcpdiag_attempts_init();
        tcpdiag_waiting_init();
        tcpdiag_sole_init();
        tcpdiag_threads_init();
        tcpdiag_stderr_init();
        tcpdiag_logfile_open_init();
        tcpdiag_identify();
        tcpdiag_settings_init();
        if (tcpdiag_settings.complaint)
            tcpdiag_complain(tcpdiag_settings.complaint);
    }
    errno = saved;
}

static void prepare_addresses(void)
{
    struct tcpdiag_status status;
    int fd = tcpdiag_settings.ipv6_recverr && tcpdiag_alone() ? tcpdiag_addresses_open() : -1;
    if (fd < 0)
        return;
    int high = tcpdiag_status_of(fd, &status) == 0 ? tcpdiag_moved_up(fd, &status.file, true) : -1;
    if (high < 0)
        sys_close(fd);
    tcpdiag_addresses_keep(high);
}

void tcpdiag_threads_begin(void)
{
    int saved = errno;
    TCPDIAG_STARTED();
    if (tcpdiag_threads_mark()) {
        tcpdiag_log_prepare();
        prepare_addresses();
    }
    errno = saved;
}

void tcpdiag_descriptors_shared(void)
{
    tcpdiag_threads_begin();
    tcpdiag_sole_never();
    tcpdiag_descriptors_mark();
}

/* 101: the lowest priority that is not the implementation's; before other libraries' constructors
   where the loader lets us. */
__attribute__((constructor(101))) static void load(void)
{
    tcpdiag_start();
}

__attribute__((destructor(101))) static void unload(void)
{
    tcpdiag_process_ends(false); /* another library's destructor may still ask */
}
