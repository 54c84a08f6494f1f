/* SPDX-License-Identifier: MIT */
#include "shim/process/threads.h"

#include <errno.h>
#include <stdatomic.h>

#include "shim/process/state.h"
#include "shim/process/sys.h"

/* As many links as the folder of the process's threads had at the start, before the program's first
   one; 0: there is no /proc. It has one for each thread and two more (proc_task_getattr in
   fs/proc/base.c), and under an emulator (qemu-user) one for each of the emulator's own. */
static uint64_t links_of_one_thread;

/* Not of this process alone: the child has to know it too. */
static _Atomic int descriptors_shared;

static uint64_t links(void)
{
    struct stat64 status;
    return sys_stat("/proc/self/task", &status) == 0 ? status.st_nlink : 0;
}

void tcpdiag_process_begins(void)
{
    int saved = errno;
    atomic_store_explicit(&tcpdiag_this_process->pid, sys_getpid(), memory_order_relaxed);
    errno = saved;
}

void tcpdiag_threads_init(void)
{
    links_of_one_thread = links();
    tcpdiag_process_begins();
}

bool tcpdiag_alone(void)
{
    if (atomic_load_explicit(&descriptors_shared, memory_order_relaxed))
        return false;
    uint64_t now = links();
    if (now != 0 && links_of_one_thread != 0)
        return now <= links_of_one_thread;
    return !atomic_load_explicit(&tcpdiag_this_process->threaded,
                                 memory_order_relaxed); /* no /proc */
}

bool tcpdiag_threads_mark(void)
{
    return !atomic_exchange_explicit(&tcpdiag_this_process->threaded, 1, memory_order_relaxed);
}

void tcpdiag_descriptors_mark(void)
{
    atomic_store_explicit(&descriptors_shared, 1, memory_order_relaxed);
}
