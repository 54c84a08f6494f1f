/* SPDX-License-Identifier: MIT */
#include "shim/log/log.h"

#include <stdatomic.h>

#include "shim/log/complaint.h"
#include "shim/log/file.h"
#include "shim/log/stderr.h"
#include "shim/process/identity.h"
#include "shim/process/scratch.h"
#include "shim/process/settings.h"
#include "shim/process/state.h"
#include "shim/process/sys.h"

bool tcpdiag_wanted(enum tcpdiag_outcome outcome)
{
    return tcpdiag_settings.events != TCPDIAG_EVENTS_FAILURES ||
           (outcome != TCPDIAG_CONNECTED && outcome != TCPDIAG_RESOLVED &&
            outcome != TCPDIAG_ABANDONED);
}

void tcpdiag_log_lose(unsigned count, const char *why)
{
    atomic_fetch_add(&tcpdiag_this_process->lost, count);
    tcpdiag_complain(why);
}

void tcpdiag_log_prepare(void)
{
    if (!atomic_load_explicit(&tcpdiag_settings.ready, memory_order_acquire))
        return;
    if (tcpdiag_settings.to_stderr)
        tcpdiag_stderr_prepare();
    else
        tcpdiag_logfile_prepare();
}

void tcpdiag_log_record(struct tcpdiag_record *record)
{
    _Atomic uint64_t *lost = &tcpdiag_this_process->lost;
    /* Another thread may be reading the settings at this moment. */
    bool ready = atomic_load_explicit(&tcpdiag_settings.ready, memory_order_acquire);
    struct tcpdiag_scratch *scratch = ready ? tcpdiag_scratch_take() : NULL;
    if (!scratch) {
        atomic_fetch_add(lost, 1);
        return;
    }
    const struct tcpdiag_identity who = {tcpdiag_identity.executable, tcpdiag_identity.host,
                                         tcpdiag_image_start()};
    record->who = &who;
    record->pid = tcpdiag_pid_and_tid(&record->tid);
    record->wall_ns = sys_nanoseconds(CLOCK_REALTIME);
    uint64_t missing = 0;
    if (TCPDIAG_UNLIKELY(atomic_load_explicit(lost, memory_order_relaxed) != 0))
        missing = atomic_exchange(lost, 0);
    record->lost = missing;
    size_t length = tcpdiag_record_json(record, scratch->line);
    bool written =
        record->wall_ns != 0 && /* no clock, no record: it would be of 1970 */
        (tcpdiag_settings.to_stderr
             ? tcpdiag_stderr_write(scratch->line, length)
             : tcpdiag_logfile_write(scratch->line, length, record->wall_ns / TCPDIAG_SECOND));
    if (!written) {
        atomic_fetch_add(lost, missing + 1);
        tcpdiag_complain("the log cannot be written; records are lost");
    }
    tcpdiag_scratch_give(scratch);
}
