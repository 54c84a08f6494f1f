/* SPDX-License-Identifier: MIT */
#include "shim/attempts.h"

#include "shim/sys.h"

enum { SLOTS = 4096, PROBES = 8, PAGE = 4096, TRIES = 2000 };

/* A slot's key: 0 free, else the descriptor + 1; HELD while one thread reads or writes the slot.
   A holder does nothing but copy, so the others wait for a moment only; bounded, since a signal
   handler may have interrupted the holder in this very thread. A handler that then leaves by
   longjmp never lets it go on: a slot that stays held is given up for good (DEAD). */
#define HELD (UINT64_C(1) << 63)
#define DEAD (UINT64_C(1) << 62)

struct slot {
    _Atomic uint64_t key;
    struct tcpdiag_attempt attempt;
};

static struct {
    _Atomic unsigned in_flight;
    _Atomic unsigned aliases; /* attempts with a second descriptor; never less than there are */
    _Atomic uint64_t used[SLOTS / 64]; /* bit n: slots[n] is not free */
    struct slot slots[SLOTS];
    char rest[PAGE]; /* the kernel wipes whole pages: it may reach into this, and nothing else */
} table __attribute__((aligned(PAGE)));

_Atomic unsigned *const tcpdiag_in_flight = &table.in_flight;

void tcpdiag_attempts_init(void)
{
#ifdef MADV_WIPEONFORK
    sys_madvise(&table, offsetof(__typeof__(table), rest), MADV_WIPEONFORK);
#endif
}

static uint64_t key_of(int fd)
{
    return (uint64_t)(unsigned)fd + 1;
}

static void mark_unused(const struct slot *slot)
{
    unsigned index = (unsigned)(slot - table.slots);
    atomic_fetch_and_explicit(&table.used[index / 64], ~(UINT64_C(1) << index % 64),
                              memory_order_relaxed);
}

static void one_less(void)
{
    atomic_fetch_sub_explicit(&table.in_flight, 1, memory_order_release);
}

static bool hold(struct slot *slot, uint64_t key)
{
    uint64_t expected = key;
    for (int i = 0; i < TRIES; i++) {
        expected = key;
        if (atomic_compare_exchange_strong_explicit(&slot->key, &expected, key | HELD,
                                                    memory_order_acquire, memory_order_relaxed))
            return true;
        if (expected != (key | HELD))
            return false;
        if (i > TRIES / 2)
            sys_yield();
    }
    if (atomic_compare_exchange_strong_explicit(&slot->key, &expected, DEAD, memory_order_relaxed,
                                                memory_order_relaxed)) {
        mark_unused(slot);
        one_less();
    }
    return false;
}

/* False where the others have given the slot up meanwhile. */
static bool release(struct slot *slot, uint64_t held, uint64_t key)
{
    uint64_t expected = held | HELD;
    return atomic_compare_exchange_strong_explicit(&slot->key, &expected, key, memory_order_release,
                                                   memory_order_relaxed);
}

static void count_alias(int before, int after)
{
    if (before < 0 && after >= 0)
        atomic_fetch_add_explicit(&table.aliases, 1, memory_order_release);
    else if (before >= 0 && after < 0)
        atomic_fetch_sub_explicit(&table.aliases, 1, memory_order_release);
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
        count_alias(-1, attempt->alias);
        atomic_fetch_or_explicit(&table.used[index / 64], UINT64_C(1) << index % 64,
                                 memory_order_relaxed);
        atomic_fetch_add_explicit(&table.in_flight, 1, memory_order_release);
        return release(slot, 0, key_of(attempt->fd));
    }
    return false;
}

static bool look_slot(struct slot *slot, uint64_t key, struct tcpdiag_attempt *copy)
{
    if (!hold(slot, key))
        return false;
    *copy = slot->attempt;
    return release(slot, key, key);
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
        if (key != 0 && key != DEAD && look_slot(slot, key, copy))
            return true;
    }
    return false;
}

bool tcpdiag_attempts_look(int fd, struct tcpdiag_attempt *copy)
{
    struct slot *slot = hold_fd(fd);
    if (!slot)
        return false;
    *copy = slot->attempt;
    return release(slot, key_of(fd), key_of(fd));
}

bool tcpdiag_attempts_look_alias(int fd, struct tcpdiag_attempt *copy)
{
    if (atomic_load_explicit(&table.aliases, memory_order_acquire) == 0)
        return false; /* the whole table need not be looked through for each strange descriptor */
    for (unsigned at = 0; tcpdiag_attempts_next(&at, copy);)
        if (copy->alias == fd)
            return true;
    return false;
}

/* The slot of the attempt with this number, held. */
static struct slot *hold_attempt(int fd, uint64_t number)
{
    struct slot *slot = hold_fd(fd);
    if (!slot || slot->attempt.number == number)
        return slot;
    release(slot, key_of(fd), key_of(fd));
    return NULL;
}

bool tcpdiag_attempts_take(int fd, uint64_t number)
{
    struct slot *slot = hold_attempt(fd, number);
    if (!slot)
        return false;
    if (slot->attempt.ended) {
        release(slot, key_of(fd), key_of(fd));
        return false;
    }
    count_alias(slot->attempt.alias, -1);
    mark_unused(slot);
    if (release(slot, key_of(fd), 0))
        one_less();
    return true;
}

void tcpdiag_attempts_update(const struct tcpdiag_attempt *attempt)
{
    struct slot *slot = hold_attempt(attempt->fd, attempt->number);
    if (!slot)
        return;
    count_alias(slot->attempt.alias, attempt->alias);
    bool shared = slot->attempt.shared || attempt->shared;
    bool ended = slot->attempt.ended;
    slot->attempt = *attempt;
    slot->attempt.shared = shared; /* another thread may have learnt it since the copy was taken */
    slot->attempt.ended = ended;
    release(slot, key_of(attempt->fd), key_of(attempt->fd));
}

void tcpdiag_attempts_renumber(const struct tcpdiag_attempt *attempt, uint64_t number, bool ended)
{
    struct slot *slot = hold_attempt(attempt->fd, attempt->number);
    if (!slot)
        return;
    slot->attempt.number = number;
    slot->attempt.ended = ended;
    release(slot, key_of(attempt->fd), key_of(attempt->fd));
}
