/* SPDX-License-Identifier: MIT */
#include "shim/log/log.h"

#include <stdatomic.h>

#include "shim/diagnosis/text.h"
#include "shim/log/places.h"
#include "shim/process/scratch.h"
#include "shim/process/settings.h"
#include "shim/process/sys.h"

static _Atomic int complained;

static __thread int my_tid __attribute__((tls_model("initial-exec")));
static __thread int my_pid __attribute__((tls_model("initial-exec")));

int tcpdiag_sink_pid(void)
{
    static _Atomic int last_pid; /* for whoever may not ask any more */
    int tid = sys_gettid();
    if (TCPDIAG_UNLIKELY(tid != my_tid)) {
        int pid = sys_getpid();
        my_tid = tid > 0 ? tid : 0;
        my_pid = pid > 0 ? pid : atomic_load_explicit(&last_pid, memory_order_relaxed);
        atomic_store_explicit(&last_pid, my_pid, memory_order_relaxed);
    }
    return my_pid;
}

void tcpdiag_sink_complain(const char *what)
{
    if (!tcpdiag_config.warn || atomic_exchange(&complained, true))
        return;
    char line[256];
    struct tcpdiag_out out = {line, line + sizeof line, false};
    tcpdiag_put_literal(&out, "libtcpdiag: ");
    tcpdiag_put_string(&out, what);
    tcpdiag_put_literal(&out, "\n");
    tcpdiag_stderr_write(line, (size_t)(out.at - line));
}

void tcpdiag_sink_lose(unsigned count, const char *why)
{
    atomic_fetch_add(&tcpdiag_this_process->lost, count);
    tcpdiag_sink_complain(why);
}

void tcpdiag_sink_prepare(void)
{
    if (!atomic_load_explicit(&tcpdiag_config.ready, memory_order_acquire))
        return;
    if (tcpdiag_config.to_stderr)
        tcpdiag_stderr_prepare();
    else
        tcpdiag_log_prepare();
}

/* The child of a fork has one of its own: its process number may be that of an earlier child, and
   its attempts are numbered as that one's were. */
static uint64_t own_start(void)
{
    _Atomic uint64_t *start = &tcpdiag_this_process->start;
    uint64_t known = atomic_load_explicit(start, memory_order_relaxed);
    if (TCPDIAG_LIKELY(known != 0))
        return known;
    uint64_t now = (uint64_t)sys_nanoseconds(CLOCK_REALTIME);
    return atomic_compare_exchange_strong(start, &known, now) ? now : known;
}

void tcpdiag_sink_record(struct tcpdiag_record *record)
{
    _Atomic uint64_t *lost = &tcpdiag_this_process->lost;
    /* Another thread may be reading the settings at this moment. */
    bool ready = atomic_load_explicit(&tcpdiag_config.ready, memory_order_acquire);
    struct tcpdiag_scratch *scratch = ready ? tcpdiag_scratch_take() : NULL;
    if (!scratch) {
        atomic_fetch_add(lost, 1);
        return;
    }
    const struct tcpdiag_identity who = {tcpdiag_identity.executable, tcpdiag_identity.host,
                                         own_start()};
    record->who = &who;
    record->pid = tcpdiag_sink_pid();
    record->tid = my_tid;
    record->wall_ns = sys_nanoseconds(CLOCK_REALTIME);
    uint64_t missing = 0;
    if (TCPDIAG_UNLIKELY(atomic_load_explicit(lost, memory_order_relaxed) != 0))
        missing = atomic_exchange(lost, 0);
    record->lost = missing;
    size_t length = tcpdiag_record_json(record, scratch->line);
    bool written = record->wall_ns != 0 && /* no clock, no record: it would be of 1970 */
                   (tcpdiag_config.to_stderr ? tcpdiag_stderr_write(scratch->line, length)
                                             : tcpdiag_log_write(scratch->line, length,
                                                                 record->wall_ns / TCPDIAG_SECOND));
    if (!written) {
        atomic_fetch_add(lost, missing + 1);
        tcpdiag_sink_complain("the log cannot be written; records are lost");
    }
    tcpdiag_scratch_give(scratch);
}
