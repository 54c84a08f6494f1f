/* SPDX-License-Identifier: MIT */
#include "shim/process/scratch.h"

#include <signal.h>
#include <stddef.h>

#include "shim/process/state.h"
#include "shim/process/sys.h"

enum { SLOTS = 64 };

/* More threads than slots write at once: those that have one need the processor to be done with it.
   A second in all, for it may be the file system that keeps them. */
enum { YIELDS = 100, PAUSES = 1000 };

static struct tcpdiag_scratch slots[SLOTS];

/* Who took a slot, for the case that it is never given back: which thread, and how deep. */
static struct {
    _Atomic uintptr_t thread;
    _Atomic uintptr_t depth;
} takers[SLOTS];

static __thread char here
    __attribute__((tls_model("initial-exec"))); /* its address is the thread */

static struct tcpdiag_scratch *take_free(uintptr_t depth)
{
    _Atomic uint64_t *const busy_slots = &tcpdiag_this_process->scratch_busy;
    uint64_t busy = atomic_load_explicit(busy_slots, memory_order_relaxed);
    while (~busy != 0) {
        int slot = __builtin_ctzll(~busy);
        if (!atomic_compare_exchange_weak_explicit(busy_slots, &busy, busy | UINT64_C(1) << slot,
                                                   memory_order_acquire, memory_order_relaxed))
            continue;
        atomic_store_explicit(&takers[slot].thread, (uintptr_t)&here, memory_order_relaxed);
        atomic_store_explicit(&takers[slot].depth, depth, memory_order_relaxed);
        return &slots[slot];
    }
    return NULL;
}

/* A signal handler that leaves by longjmp takes the slot of what it interrupted along. A slot that
   this thread took deeper in its stack than it is now, or just as deep, is such a one, unless this
   is a handler on a stack of its own (sigaltstack(2)), which may lie anywhere. */
static void take_back_lost(uintptr_t depth)
{
    stack_t other;
    if (sys_call(SYS_sigaltstack, NULL, &other) != 0 || other.ss_flags & SS_ONSTACK)
        return;
    for (int slot = 0; slot < SLOTS; slot++)
        if (atomic_load_explicit(&takers[slot].thread, memory_order_relaxed) == (uintptr_t)&here &&
            atomic_load_explicit(&takers[slot].depth, memory_order_relaxed) <= depth)
            tcpdiag_scratch_give(&slots[slot]);
}

struct tcpdiag_scratch *tcpdiag_scratch_take(void)
{
    uintptr_t depth = (uintptr_t)__builtin_frame_address(0);
    for (int tries = 0; tries < YIELDS + PAUSES; tries++) {
        struct tcpdiag_scratch *scratch = take_free(depth);
        if (scratch)
            return scratch;
        if (tries == 0)
            take_back_lost(depth);
        if (tries < YIELDS)
            sys_yield();
        else
            sys_pause_millisecond();
    }
    return NULL;
}

void tcpdiag_scratch_give(struct tcpdiag_scratch *scratch)
{
    atomic_store_explicit(&takers[scratch - slots].thread, 0, memory_order_relaxed);
    atomic_fetch_and_explicit(&tcpdiag_this_process->scratch_busy,
                              ~(UINT64_C(1) << (scratch - slots)), memory_order_release);
}
