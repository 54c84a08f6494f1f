/* SPDX-License-Identifier: MIT */
#include "shim/attempts/sole.h"

#include <stdatomic.h>
#include <stdint.h>

#include "shim/process/sys.h"

/* Of a number above, nothing is known: its error is left alone. */
enum { NUMBERS = 65536, PAGE = 4096 };

/* For each number the generation in which its socket was made, times two; odd: it has been used for
   a connect. What a number meant before does not matter: whatever brings it a TCP socket that could
   connect goes by here, and stores anew. */
static struct {
    _Atomic uint32_t made[NUMBERS];
} table __attribute__((aligned(PAGE)));

/* Beside the table, which the kernel wipes in a child: 0 there is no generation. */
static _Atomic uint32_t generation = 1;

static _Atomic int never;

void tcpdiag_sole_never(void)
{
    atomic_store_explicit(&never, 1, memory_order_relaxed);
}

void tcpdiag_sole_init(void)
{
#ifdef MADV_WIPEONFORK /* Linux 4.14; before it only the forks count that a hook has seen */
    sys_madvise(&table, sizeof table, MADV_WIPEONFORK);
#endif
}

unsigned tcpdiag_sole_generation(void)
{
    return atomic_load_explicit(&generation, memory_order_acquire);
}

void tcpdiag_sole_made(int fd, unsigned made)
{
    if ((unsigned)fd < NUMBERS)
        atomic_store_explicit(&table.made[fd], made * 2, memory_order_relaxed);
}

void tcpdiag_sole_shared(int fd)
{
    tcpdiag_sole_made(fd, 0);
}

void tcpdiag_sole_shared_all(void)
{
    atomic_fetch_add_explicit(&generation, 1, memory_order_acq_rel);
}

bool tcpdiag_sole(int fd)
{
    return (unsigned)fd < NUMBERS && !atomic_load_explicit(&never, memory_order_relaxed) &&
           atomic_load_explicit(&table.made[fd], memory_order_relaxed) / 2 ==
               tcpdiag_sole_generation() % (UINT32_MAX / 2 + 1);
}

bool tcpdiag_sole_unused(int fd)
{
    return tcpdiag_sole(fd) &&
           (atomic_fetch_or_explicit(&table.made[fd], 1, memory_order_relaxed) & 1) == 0;
}
