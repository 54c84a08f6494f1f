/* SPDX-License-Identifier: MIT */
#include "shim/attempts/table.h"

#include "shim/attempts/in_flight.h"
#include "shim/process/sys.h"

/* Half of them may be taken, whatever the numbers: a probe of a random slot then fails in one of
   two, and PROBES of them in one of 2^PROBES. */
enum { SLOTS = 8192, PROBES = 64, PAGE = 4096 };

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

/* The key of a slot that this thread holds: HELD, and a number that tells the thread from others.
   The number is made of 29 bits of the address of the thread's own memory; the lowest 6 bits are
   left out, since two threads never share 64 bytes of it. */
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
    _Atomic uint64_t used[SLOTS / 64]; /* bit n: slots[n] is not free */
    /* Of the descriptors that begin at the same slot: how many probes the farthest one took. */
    _Atomic uint32_t farthest[SLOTS];
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

/* The i-th slot to look at. The first is the number's own, so that a program with few sockets
   touches few pages; the others are spread by double hashing, with an odd step. */
static unsigned place(int fd, unsigned i)
{
    uint64_t hash = (unsigned)fd;
    if (i == 0)
        return (unsigned)fd % SLOTS;
    /* The finalizer of MurmurHash3: a product alone leaves numbers in a row in step. */
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return ((unsigned)(hash >> 51) + i * (unsigned)(hash >> 32 | 1)) % SLOTS;
}

static struct slot *hold_fd(int fd)
{
    unsigned last = atomic_load_explicit(&table.farthest[place(fd, 0)], memory_order_acquire);
    for (unsigned i = 0; i <= last; i++) {
        struct slot *slot = &table.slots[place(fd, i)];
        uint64_t key = atomic_load_explicit(&slot->key, memory_order_relaxed);
        if (DESCRIPTOR(key) == key_of(fd) && hold(slot, key_of(fd)))
            return slot;
    }
    return NULL;
}

static void reaches(int fd, unsigned probe)
{
    _Atomic uint32_t *farthest = &table.farthest[place(fd, 0)];
    uint32_t before = atomic_load_explicit(farthest, memory_order_relaxed);
    while (before < probe &&
           !atomic_compare_exchange_weak_explicit(farthest, &before, probe, memory_order_release,
                                                  memory_order_relaxed))
        ;
}

bool tcpdiag_attempts_have_room(void)
{
    return atomic_load_explicit(&table.in_flight, memory_order_relaxed) < SLOTS / 2;
}

bool tcpdiag_attempts_add(const struct tcpdiag_attempt *attempt)
{
    if (!tcpdiag_attempts_have_room())
        return false;
    for (unsigned i = 0; i < PROBES; i++) {
        unsigned index = place(attempt->fd, i);
        struct slot *slot = &table.slots[index];
        uint64_t free_key = 0;
        if (!atomic_compare_exchange_strong_explicit(&slot->key, &free_key, held_by_me(),
                                                     memory_order_acquire, memory_order_relaxed))
            continue;
        slot->attempt = *attempt;
        reaches(attempt->fd, i);
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
        if (key != 0 && look_slot(slot, key, copy) && copy->main < 0)
            return true;
    }
    return false;
}

static bool look(int fd, struct tcpdiag_attempt *copy)
{
    struct slot *slot = hold_fd(fd);
    if (!slot)
        return false;
    *copy = slot->attempt;
    return release(slot, key_of(fd), key_of(fd));
}

bool tcpdiag_attempts_look(int fd, struct tcpdiag_attempt *copy)
{
    struct tcpdiag_attempt alias;
    if (!look(fd, copy))
        return false;
    if (copy->main < 0)
        return true;
    alias = *copy;
    return look(alias.main, copy) && copy->cookie == alias.cookie && copy->alias == fd;
}

/* The slot is held, and free afterwards. */
static void vacate(struct slot *slot, int fd)
{
    mark_unused(slot);
    if (release(slot, key_of(fd), 0))
        one_less();
}

/* The attempt itself, or its entry under an alias. */
static struct slot *hold_entry(int fd, uint64_t cookie, uint64_t number, bool alias)
{
    struct slot *slot = hold_fd(fd);
    if (!slot || (slot->attempt.cookie == cookie && (slot->attempt.main >= 0) == alias &&
                  (alias || slot->attempt.number == number)))
        return slot;
    release(slot, key_of(fd), key_of(fd));
    return NULL;
}

static struct slot *hold_attempt(const struct tcpdiag_attempt *attempt)
{
    return hold_entry(attempt->fd, attempt->cookie, attempt->number, false);
}

static void drop_entry(const struct tcpdiag_attempt *attempt)
{
    struct slot *slot =
        attempt->alias < 0 ? NULL : hold_entry(attempt->alias, attempt->cookie, 0, true);
    if (slot)
        vacate(slot, attempt->alias);
}

bool tcpdiag_attempts_add_alias(const struct tcpdiag_attempt *attempt, int alias)
{
    struct tcpdiag_attempt entry = *attempt;
    struct slot *slot = hold_attempt(attempt);
    if (!slot)
        return false;
    bool first = slot->attempt.alias < 0;
    if (first)
        slot->attempt.alias = alias;
    if (!release(slot, key_of(attempt->fd), key_of(attempt->fd)) || !first)
        return false;
    entry.main = attempt->fd;
    entry.fd = alias;
    return tcpdiag_attempts_add(&entry);
}

void tcpdiag_attempts_drop_alias(const struct tcpdiag_attempt *attempt)
{
    struct slot *slot = hold_attempt(attempt);
    if (!slot)
        return;
    slot->attempt.alias = -1;
    release(slot, key_of(attempt->fd), key_of(attempt->fd));
    drop_entry(attempt);
}

bool tcpdiag_attempts_take(struct tcpdiag_attempt *attempt)
{
    int fd = attempt->fd;
    struct slot *slot = hold_attempt(attempt);
    if (!slot)
        return false;
    if (slot->attempt.ended) {
        release(slot, key_of(fd), key_of(fd));
        return false;
    }
    *attempt = slot->attempt;
    vacate(slot, fd);
    drop_entry(attempt);
    return true;
}

void tcpdiag_attempts_update(const struct tcpdiag_attempt *attempt, enum tcpdiag_field field)
{
    struct slot *slot = hold_attempt(attempt);
    if (!slot)
        return;
    switch (field) {
    case TCPDIAG_EPOLL:
        slot->attempt.epoll_fd = attempt->epoll_fd;
        slot->attempt.epoll_data = attempt->epoll_data;
        break;
    case TCPDIAG_FAILED:
        slot->attempt.failed_ns = attempt->failed_ns;
        break;
    case TCPDIAG_PORT:
        slot->attempt.port = attempt->port;
        break;
    }
    release(slot, key_of(attempt->fd), key_of(attempt->fd));
}

void tcpdiag_attempts_renumber(const struct tcpdiag_attempt *attempt, uint64_t number, bool ended)
{
    struct slot *slot = hold_attempt(attempt);
    if (!slot)
        return;
    slot->attempt.number = number;
    slot->attempt.ended = ended;
    release(slot, key_of(attempt->fd), key_of(attempt->fd));
}
