/* SPDX-License-Identifier: MIT */
#include "shim/attempts.h"

#include "shim/sys.h"

enum { SLOTS = 4096, PROBES = 8, PAGE = 4096 };

/* Tries without a pause, with the processor given away, and with a pause: a second in all. */
enum { SPINS = 100, YIELDS = 100, PAUSES = 1000 };

/* A slot's key: 0 free, else the descriptor + 1; while one thread reads or writes the slot also
   HELD and which thread that is. A holder does nothing but copy: the others wait until it is done,
   which takes long only where it was preempted. A signal handler that has interrupted the holder in
   its own thread does not wait for it, and one that leaves by longjmp never lets it go on: a slot
   that stays held is given up for good (DEAD). */
#define HELD (UINT64_C(1) << 63)
#define DEAD (UINT64_C(1) << 62)
#define DESCRIPTOR(key) ((key) & ((UINT64_C(1) << 33) - 1))

static __thread char here __attribute__((tls_model("initial-exec")));

/* Its thread-local memory tells a thread from the others: 29 bits of its address, by 64 bytes. */
static uint64_t held_by_me(void)
{
    return HELD | ((uint64_t)(uintptr_t)&here >> 6 & ((UINT64_C(1) << 29) - 1)) << 33;
}

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
    const uint64_t mine = held_by_me();
    uint64_t expected = key;
    for (int i = 0; i < SPINS + YIELDS + PAUSES; i++) {
        expected = key;
        if (atomic_compare_exchange_strong_explicit(&slot->key, &expected, key | mine,
                                                    memory_order_acquire, memory_order_relaxed))
            return true;
        if (DESCRIPTOR(expected) != key || expected == (key | mine))
            return false;
        if (i > SPINS + YIELDS)
            sys_pause_millisecond();
        else if (i > SPINS)
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
    uint64_t expected = held | held_by_me();
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
        uint64_t key = atomic_load_explicit(&slot->key, memory_order_relaxed);
        if (DESCRIPTOR(key) == key_of(fd) && hold(slot, key_of(fd)))
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
        if (!atomic_compare_exchange_strong_explicit(&slot->key, &free_key, held_by_me(),
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
        uint64_t key = DESCRIPTOR(atomic_load_explicit(&slot->key, memory_order_relaxed));
        if (key != 0 && look_slot(slot, key, copy))
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

bool tcpdiag_attempts_take(struct tcpdiag_attempt *attempt)
{
    int fd = attempt->fd;
    struct slot *slot = hold_attempt(fd, attempt->number);
    if (!slot)
        return false;
    if (slot->attempt.ended) {
        release(slot, key_of(fd), key_of(fd));
        return false;
    }
    *attempt = slot->attempt;
    count_alias(attempt->alias, -1);
    mark_unused(slot);
    if (release(slot, key_of(fd), 0))
        one_less();
    return true;
}

void tcpdiag_attempts_update(const struct tcpdiag_attempt *attempt, enum tcpdiag_field field)
{
    struct slot *slot = hold_attempt(attempt->fd, attempt->number);
    if (!slot)
        return;
    struct tcpdiag_attempt *stored = &slot->attempt;
    switch (field) {
    case TCPDIAG_ALIAS:
        count_alias(stored->alias, attempt->alias);
        stored->alias = attempt->alias;
        break;
    case TCPDIAG_EPOLL:
        stored->epoll_fd = attempt->epoll_fd;
        stored->epoll_data = attempt->epoll_data;
        break;
    case TCPDIAG_FAILED:
        stored->failed_ns = attempt->failed_ns;
        break;
    case TCPDIAG_SHARED:
        stored->shared = true;
        break;
    }
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
