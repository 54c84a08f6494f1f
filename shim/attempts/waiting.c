/* SPDX-License-Identifier: MIT */
#include "shim/attempts/waiting.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

#include "shim/process/identity.h"
#include "shim/process/sys.h"

enum { PLACES = 64, PAGE = 4096 };

struct place {
    _Atomic uint64_t number; /* its attempt's, which is never used again; 0: none */
    _Atomic int pid;
    _Atomic int tid;
    _Atomic uintptr_t depth;
    struct tcpdiag_waiting call;
};

static struct {
    _Atomic uint64_t used; /* bit n: places[n] is not free */
    struct place places[PLACES];
    char rest[PAGE]; /* the kernel wipes whole pages: it may reach into this, and nothing else */
} table __attribute__((aligned(PAGE)));

void tcpdiag_waiting_init(void)
{
#ifdef MADV_WIPEONFORK
    sys_madvise(&table, offsetof(__typeof__(table), rest), MADV_WIPEONFORK);
#endif
}

bool tcpdiag_waiting_any(void)
{
    return atomic_load_explicit(&table.used, memory_order_acquire) != 0;
}

int tcpdiag_waiting_enter(const struct tcpdiag_waiting *call, uintptr_t depth)
{
    uint64_t used = atomic_load_explicit(&table.used, memory_order_relaxed);
    while (~used != 0) {
        int at = __builtin_ctzll(~used);
        struct place *place = &table.places[at];
        if (!atomic_compare_exchange_weak_explicit(&table.used, &used, used | UINT64_C(1) << at,
                                                   memory_order_acquire, memory_order_relaxed))
            continue;
        place->call = *call;
        atomic_store_explicit(&place->pid, tcpdiag_pid(), memory_order_relaxed);
        atomic_store_explicit(&place->tid, call->tid, memory_order_relaxed);
        atomic_store_explicit(&place->depth, depth, memory_order_relaxed);
        atomic_store_explicit(&place->number, call->number, memory_order_release);
        return at;
    }
    return -1;
}

/* Whoever turns the number to 0 owns the place, and gives it back. */
static bool claim(struct place *place, uint64_t number)
{
    return number != 0 &&
           atomic_compare_exchange_strong_explicit(&place->number, &number, 0, memory_order_acquire,
                                                   memory_order_relaxed);
}

static void give_back(int at)
{
    atomic_fetch_and_explicit(&table.used, ~(UINT64_C(1) << at), memory_order_release);
}

bool tcpdiag_waiting_leave(int at, uint64_t number)
{
    if (at < 0)
        return true;
    if (!claim(&table.places[at], number))
        return false;
    give_back(at);
    return true;
}

/* tid 0: of any thread. */
static bool take(int tid, uintptr_t depth, struct tcpdiag_waiting *call)
{
    uint64_t used = atomic_load_explicit(&table.used, memory_order_acquire);
    const int pid = tcpdiag_pid(); /* a vfork child has its parent's table */
    for (; used != 0; used &= used - 1) {
        int at = __builtin_ctzll(used);
        struct place *place = &table.places[at];
        uint64_t number = atomic_load_explicit(&place->number, memory_order_acquire);
        if (atomic_load_explicit(&place->pid, memory_order_relaxed) != pid ||
            (tid != 0 && (atomic_load_explicit(&place->tid, memory_order_relaxed) != tid ||
                          atomic_load_explicit(&place->depth, memory_order_relaxed) > depth)) ||
            !claim(place, number))
            continue;
        *call = place->call;
        give_back(at);
        return true;
    }
    return false;
}

bool tcpdiag_waiting_take_lost(uintptr_t depth, struct tcpdiag_waiting *call)
{
    stack_t other;
    int tid;
    tcpdiag_pid_and_tid(&tid);
    /* A handler's own stack (sigaltstack(2)) may lie anywhere. */
    return tcpdiag_waiting_any() && sys_call(SYS_sigaltstack, NULL, &other) == 0 &&
           !(other.ss_flags & SS_ONSTACK) && take(tid, depth, call);
}

bool tcpdiag_waiting_take(struct tcpdiag_waiting *call)
{
    return tcpdiag_waiting_any() && take(0, 0, call);
}
