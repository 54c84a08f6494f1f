/* SPDX-License-Identifier: MIT */
#include "shim/attempts/answers.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "shim/process/sys.h"

enum { ENTRIES = 128, TRIES = 4 };

typedef uintptr_t word;

struct answer {
    struct tcpdiag_endpoint address;
    int32_t tid;
    uint32_t length;
    char name[TCPDIAG_NAME_MAX + 2]; /* up to a whole word */
};

enum {
    WORDS = sizeof(struct answer) / sizeof(word),
    HEAD_WORDS = offsetof(struct answer, name) / sizeof(word),
};

_Static_assert(sizeof(struct answer) % sizeof(word) == 0, "it is copied by words");
_Static_assert(offsetof(struct answer, name) % sizeof(word) == 0, "so is its head");

/*
 * A sequence lock without the lock: nobody ever waits, and a writer that dies in the middle, or
 * whose fork leaves its half entry to a child, is in nobody's way. order is 0 while an entry is
 * written. Two writers meet in one entry where 128 stores pass during a store; then order alone
 * does not tell, and the sum refuses what is of both.
 */
struct entry {
    _Atomic uint64_t order; /* 0: empty, or being written; the larger the later */
    _Atomic word sum;
    _Atomic word words[WORDS];
};

static struct entry entries[ENTRIES];
static _Atomic uint64_t orders;

/* How many words of it are of any use. */
static unsigned used(const struct answer *answer)
{
    unsigned bytes = answer->length < TCPDIAG_NAME_MAX ? answer->length : TCPDIAG_NAME_MAX;
    return HEAD_WORDS + (bytes + (unsigned)sizeof(word) - 1) / (unsigned)sizeof(word);
}

/* Of the words and the order (FNV-1a's step, by words). */
static word sum_of(const word *words, unsigned count, uint64_t order)
{
    word sum = (word)order ^ (word)(order >> 32);
    for (unsigned i = 0; i < count; i++) {
        sum = (sum ^ words[i]) * (word)UINT64_C(0x100000001b3);
        sum ^= sum >> (4 * sizeof(word));
    }
    return sum;
}

void tcpdiag_answers_store(const struct tcpdiag_endpoint *address, const char *name, size_t length)
{
    union {
        struct answer answer;
        word words[WORDS];
    } copy;
    if (length > TCPDIAG_NAME_MAX)
        return;
    memset(&copy, 0, sizeof copy);
    copy.answer.address = *address;
    copy.answer.tid = sys_gettid();
    copy.answer.length = (uint32_t)length;
    memcpy(copy.answer.name, name, length);
    uint64_t order = atomic_fetch_add_explicit(&orders, 1, memory_order_relaxed) + 1;
    struct entry *entry = &entries[order % ENTRIES];
    atomic_store_explicit(&entry->order, 0, memory_order_relaxed);
    /* Each word is released behind the 0: who reads one of them reads the 0, too. */
    for (unsigned i = 0; i < used(&copy.answer); i++)
        atomic_store_explicit(&entry->words[i], copy.words[i], memory_order_release);
    atomic_store_explicit(&entry->sum, sum_of(copy.words, used(&copy.answer), order),
                          memory_order_release);
    atomic_store_explicit(&entry->order, order, memory_order_release);
}

static void copy_words(const struct entry *entry, word *words, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        words[i] = atomic_load_explicit(&entry->words[i], memory_order_acquire);
}

/* The entry's answer for this address; its order, or 0 where it is another's. One that is being
   written anew is looked at again, since it may become this address's. */
static uint64_t read_entry(const struct entry *entry, const struct tcpdiag_endpoint *address,
                           struct answer *found)
{
    union {
        struct answer answer;
        word words[WORDS];
    } copy;
    for (int tries = 0; tries < TRIES; tries++) {
        uint64_t order = atomic_load_explicit(&entry->order, memory_order_acquire);
        if (order == 0)
            return 0;
        copy_words(entry, copy.words, 0, HEAD_WORDS);
        if (!tcpdiag_same_address(&copy.answer.address, address))
            return 0;
        copy_words(entry, copy.words, HEAD_WORDS, used(&copy.answer));
        word sum = atomic_load_explicit(&entry->sum, memory_order_acquire);
        if (atomic_load_explicit(&entry->order, memory_order_relaxed) == order &&
            copy.answer.length <= TCPDIAG_NAME_MAX &&
            sum == sum_of(copy.words, used(&copy.answer), order)) {
            memcpy(found, &copy.answer, sizeof *found);
            return order;
        }
    }
    return 0;
}

size_t tcpdiag_answers_find(const struct tcpdiag_endpoint *address, char name[TCPDIAG_NAME_MAX])
{
    uint64_t newest = 0;
    bool newest_is_mine = false;
    size_t length = 0;
    if (atomic_load_explicit(&orders, memory_order_relaxed) == 0)
        return 0;
    const int tid = sys_gettid();
    for (int i = 0; i < ENTRIES; i++) {
        struct answer answer;
        uint64_t order = read_entry(&entries[i], address, &answer);
        bool mine = order != 0 && answer.tid == tid;
        if (order == 0 || mine < newest_is_mine || (mine == newest_is_mine && order < newest))
            continue;
        newest = order;
        newest_is_mine = mine;
        length = answer.length;
        memcpy(name, answer.name, length);
    }
    return length;
}
