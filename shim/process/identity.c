/* SPDX-License-Identifier: MIT */
#include "shim/process/identity.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/utsname.h>

#include "shim/diagnosis/log_path.h"
#include "shim/process/state.h"
#include "shim/process/sys.h"

struct tcpdiag_identity tcpdiag_identity;

static char executable[256];
static struct utsname host;

void tcpdiag_identify(void)
{
    static char link[TCPDIAG_PATH_MAX];
    long length = sys_readlink("/proc/self/exe", link, sizeof link);
    const char *name = length > 0 ? memrchr(link, '/', (size_t)length) : NULL;
    if (name) {
        size_t size = (size_t)(link + length - ++name);
        if (size > sizeof executable)
            size = sizeof executable;
        memcpy(executable, name, size);
        tcpdiag_identity.executable = (struct tcpdiag_text){executable, size};
    }
    if (sys_uname(&host) == 0)
        tcpdiag_identity.host = (struct tcpdiag_text){host.nodename, strlen(host.nodename)};
}

static __thread int my_tid __attribute__((tls_model("initial-exec")));
static __thread int my_pid __attribute__((tls_model("initial-exec")));

int tcpdiag_pid(void)
{
    static _Atomic int last_pid; /* for whoever may not ask any more */
    int tid = sys_gettid();
    if (tid != my_tid) {
        int pid = sys_getpid();
        my_tid = tid > 0 ? tid : 0;
        my_pid = pid > 0 ? pid : atomic_load_explicit(&last_pid, memory_order_relaxed);
        atomic_store_explicit(&last_pid, my_pid, memory_order_relaxed);
    }
    return my_pid;
}

int tcpdiag_pid_and_tid(int *tid)
{
    int pid = tcpdiag_pid();
    *tid = my_tid;
    return pid;
}

/* The child of a fork has one of its own: its process number may be that of an earlier child, and
   its attempts are numbered as that one's were. */
uint64_t tcpdiag_image_start(void)
{
    _Atomic uint64_t *start = &tcpdiag_this_process->start;
    uint64_t known = atomic_load_explicit(start, memory_order_relaxed);
    if (known != 0)
        return known;
    uint64_t now = (uint64_t)sys_nanoseconds(CLOCK_REALTIME);
    return atomic_compare_exchange_strong(start, &known, now) ? now : known;
}
