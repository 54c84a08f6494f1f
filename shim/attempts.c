/* SPDX-License-Identifier: MIT */
#include "shim/attempts.h"

#include <sched.h>
#include <sys/mman.h>

enum { SLOTS = 4096, PROBES = 8, PAGE = 4096, TRIES = 2000 };

/* A slot's key: 0 free, else the descriptor + 1; HELD while one thread reads or writes the slot.
   A holder does nothing but copy, so the others wait for a moment only; bounded, since a signal
   handler may have interrupted the holder in this very thread. */
#define HELD (UINT64_C(1) << 63)

struct slot {
    _Atomic uint64_t key;
    struct tcpdiag_attempt attempt;
};

static struct {
    _Atomic unsigned in_flight;
    _Atomic uint64_t used[SLOTS / 64]; /* bit n: slots[n] is not free */
    struct slot slots[SLOTS];
    char rest[PAGE]; /* nothing else shares the last page, which is wiped as well */
} table __attribute__((aligned(PAGE)));

_Atomic unsigned *const tcpdiag_in_flight = &table.in_flight;

void tcpdiag_attempts_init(void)
{
#ifdef MADV_WIPEONFORK
    madvise(&table, sizeof table, MADV_WIPEONFORK);
#endif
}

static uint64_t key_of(int fd)
{
    return (uint64_t)(unsigned)fd + 1;
}

static bool hold(struct slot *slot, uint64_t key)
{
    for (int i = 0; i < TRIES; i++) {
        uint64_t expected = key;
        if (atomic_compare_exchange_strong_explicit(&slot->key, &expected, key | HELD,
                                                    memory_order_acquire, memory_order_relaxed))
            return true;
        if (expected != (key | HELD))
            return false;
        if (i > TRIES / 2)
            sched_yield();
    }
    return false;
}

static void release(struct slot *slot, uint64_t key)
{
    atomic_store_explicit(&slot->key, key, memory_order_release);
}

static struct slot *hold_fd(int fd)
{
    for (unsigned i = 0; i < PROBES; i++) {
        struct slot *slot = &table.slots[((unsigned)fd + i) % SLOTS];
        uint64_t key = atomic_load_explicit(&slot->key, memory_order_relaxed) & ~HELD;
        if (key == key_of(fd) && hold(slot, key))
            return slot;
    }
    return NULL;
}

bool tcpdiag_attempts_add(const struct tcpdiag_attempt *attempt)
{
    for (unsigned i = 0; i < PROBES; i++) {
        unsigned index = ((unsigned)attempt->fd + i) % SLOTS;
        struct slot *slot = &table.slots[index];
        uint64_t free_key = 0;
        if (!atomic_compare_exchange_strong_explicit(&slot->key, &free_key, HELD,
                                                     memory_order_acquire, memory_order_relaxed))
            continue;
        slot->attempt = *attempt;
        atomic_fetch_or_explicit(&table.used[index / 64], UINT64_C(1) << index % 64,
                                 memory_order_relaxed);
        atomic_fetch_add_explicit(&table.in_flight, 1, memory_order_release);
        release(slot, key_of(attempt->fd));
        return true;
    }
    return false;
}

static bool look_slot(struct slot *slot, uint64_t key, struct tcpdiag_attempt *copy)
{
    if (!hold(slot, key))
        return false;
    *copy = slot->attempt;
    release(slot, key);
    return true;
}

bool tcpdiag_attempts_next(unsigned *position, struct tcpdiag_attempt *copy)
{
    while (*position < SLOTS) {
        unsigned word = *position / 64;
        uint64_t bits = atomic_load_explicit(&table.used[word], memory_order_acquire) &
                        (~UINT64_C(0) << *position % 64);
        if (bits == 0) {
            *position = (word + 1) * 64;
            continue;
        }
        unsigned index = word * 64 + (unsigned)__builtin_ctzll(bits);
        *position = index + 1;
        struct slot *slot = &table.slots[index];
        uint64_t key = atomic_load_explicit(&slot->key, memory_order_relaxed) & ~HELD;
        if (key != 0 && look_slot(slot, key, copy))
            return true;
    }
    return false;
}

bool tcpdiag_attempts_look(int fd, struct tcpdiag_attempt *copy)
{
    struct slot *slot = hold_fd(fd);
    if (slot) {
        *copy = slot->attempt;
        release(slot, key_of(fd));
        return true;
    }
    return false;
}

bool tcpdiag_attempts_take(int fd, uint64_t number)
{
    struct slot *slot = hold_fd(fd);
    if (!slot)
        return false;
    if (slot->attempt.number != number) {
        release(slot, key_of(fd));
        return false;
    }
    unsigned index = (unsigned)(slot - table.slots);
    atomic_fetch_and_explicit(&table.used[index / 64], ~(UINT64_C(1) << index % 64),
                              memory_order_relaxed);
    release(slot, 0);
    atomic_fetch_sub_explicit(&table.in_flight, 1, memory_order_release);
    return true;
}

void tcpdiag_attempts_update(const struct tcpdiag_attempt *attempt)
{
    struct slot *slot = hold_fd(attempt->fd);
    if (!slot)
        return;
    if (slot->attempt.number == attempt->number)
        slot->attempt = *attempt;
    release(slot, key_of(attempt->fd));
}
