/* SPDX-License-Identifier: MIT */
#include "shim/scratch.h"

#include <stdatomic.h>
#include <stdint.h>

#include "shim/sys.h"

enum { SLOTS = 64, PAGE = 4096 };

static struct tcpdiag_scratch slots[SLOTS];

/* A page of its own: MADV_WIPEONFORK works on pages, and must wipe nothing else. */
static union {
    _Atomic uint64_t busy; /* bit n: slots[n] is taken */
    char page[PAGE];
} map __attribute__((aligned(PAGE)));

struct tcpdiag_scratch *tcpdiag_scratch_take(void)
{
    for (int tries = 0; tries < 1000; tries++) {
        uint64_t busy = atomic_load_explicit(&map.busy, memory_order_relaxed);
        while (~busy != 0) {
            int slot = __builtin_ctzll(~busy);
            if (atomic_compare_exchange_weak_explicit(&map.busy, &busy, busy | UINT64_C(1) << slot,
                                                      memory_order_acquire, memory_order_relaxed))
                return &slots[slot];
        }
        sys_yield();
    }
    return NULL;
}

void tcpdiag_scratch_give(struct tcpdiag_scratch *slot)
{
    atomic_fetch_and_explicit(&map.busy, ~(UINT64_C(1) << (slot - slots)), memory_order_release);
}

void tcpdiag_scratch_init(void)
{
#ifdef MADV_WIPEONFORK /* Linux 4.14; before it, slots that were busy in a fork stay lost */
    sys_madvise(&map, sizeof map, MADV_WIPEONFORK);
#endif
}
