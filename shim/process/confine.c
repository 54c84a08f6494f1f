/* SPDX-License-Identifier: MIT */
#include "shim/process/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "shim/process/sys.h"

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define MACHINE AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define MACHINE AUDIT_ARCH_RISCV64
#else
#define MACHINE 0 /* no filter allows it */
#endif

/* The kernel takes 4,096 instructions in one filter (BPF_MAXINSNS), and programs have a few. While
   there is one in force that has no room here, nothing is allowed. */
enum {
    FILTERS = 16,
    INSTRUCTIONS = 4 * BPF_MAXINSNS,

    /* Parts of tcpdiag_filters: how many filters have a place here, how many instructions they have
       in all, and how many filters are without a place. */
    PLACE = 1,
    INSTRUCTION = 1 << 5,
    UNKNOWN = 1 << 20,
};
#define PLACES(state) ((state) % INSTRUCTION)
#define ROOM_USED(state) ((state) % UNKNOWN / INSTRUCTION)
_Static_assert(FILTERS < INSTRUCTION && (INSTRUCTIONS + 1) * INSTRUCTION <= UNKNOWN, "they fit");

/* Whom a filter holds: else the one thread whose errno has this address. GONE: the kernel has
   refused it, and its place belongs to whoever makes it NOBODY. */
enum { NOBODY = 0, EVERYBODY = 1, GONE = 2 };

static struct filter {
    unsigned start;
    unsigned room;
    unsigned count;
    _Atomic uintptr_t holds;
} filters[FILTERS];

_Atomic unsigned tcpdiag_filters;

static struct sock_filter kept[INSTRUCTIONS];

struct machine {
    uint32_t accumulator;
    uint32_t index;
    uint32_t memory[BPF_MEMWORDS];
};

/* False: the filter ends here, with 0, which kills (division by zero). */
static bool calculate(struct machine *machine, const struct sock_filter *at)
{
    uint32_t operand = BPF_SRC(at->code) == BPF_X ? machine->index : at->k;
    uint32_t *a = &machine->accumulator;
    switch (BPF_OP(at->code)) {
    case BPF_ADD:
        *a += operand;
        return true;
    case BPF_SUB:
        *a -= operand;
        return true;
    case BPF_MUL:
        *a *= operand;
        return true;
    case BPF_DIV:
        if (operand == 0)
            return false;
        *a /= operand;
        return true;
    case BPF_AND:
        *a &= operand;
        return true;
    case BPF_OR:
        *a |= operand;
        return true;
    case BPF_XOR:
        *a ^= operand;
        return true;
    case BPF_LSH:
        *a = operand < 32 ? *a << operand : 0;
        return true;
    case BPF_RSH:
        *a = operand < 32 ? *a >> operand : 0;
        return true;
    case BPF_NEG:
        *a = 0 - *a;
        return true;
    default:
        return false;
    }
}

static unsigned jump(const struct machine *machine, const struct sock_filter *at)
{
    uint32_t operand = BPF_SRC(at->code) == BPF_X ? machine->index : at->k;
    bool yes;
    switch (BPF_OP(at->code)) {
    case BPF_JA:
        return at->k;
    case BPF_JEQ:
        yes = machine->accumulator == operand;
        break;
    case BPF_JGT:
        yes = machine->accumulator > operand;
        break;
    case BPF_JGE:
        yes = machine->accumulator >= operand;
        break;
    default: /* BPF_JSET */
        yes = (machine->accumulator & operand) != 0;
    }
    return yes ? at->jt : at->jf;
}

static uint32_t load(const struct machine *machine, const struct sock_filter *at,
                     const struct seccomp_data *data)
{
    uint32_t word = 0;
    switch (BPF_MODE(at->code)) {
    case BPF_IMM:
        return at->k;
    case BPF_MEM:
        return at->k < BPF_MEMWORDS ? machine->memory[at->k] : 0;
    case BPF_LEN:
        return sizeof *data;
    default: /* BPF_ABS */
        if (at->k <= sizeof *data - sizeof word)
            memcpy(&word, (const char *)data + at->k, sizeof word);
        return word;
    }
}

/* What seccomp_check_filter in kernel/seccomp.c lets in. */
static const uint16_t instructions[] = {
#define BOTH(code) (code) | BPF_K, (code) | BPF_X
    BPF_LD | BPF_W | BPF_ABS,
    BPF_LD | BPF_W | BPF_LEN,
    BPF_LDX | BPF_W | BPF_LEN,
    BPF_LD | BPF_IMM,
    BPF_LDX | BPF_IMM,
    BPF_LD | BPF_MEM,
    BPF_LDX | BPF_MEM,
    BPF_ST,
    BPF_STX,
    BPF_RET | BPF_K,
    BPF_RET | BPF_A,
    BPF_MISC | BPF_TAX,
    BPF_MISC | BPF_TXA,
    BPF_JMP | BPF_JA,
    BPF_ALU | BPF_NEG,
    BOTH(BPF_JMP | BPF_JEQ),
    BOTH(BPF_JMP | BPF_JGE),
    BOTH(BPF_JMP | BPF_JGT),
    BOTH(BPF_JMP | BPF_JSET),
    BOTH(BPF_ALU | BPF_ADD),
    BOTH(BPF_ALU | BPF_SUB),
    BOTH(BPF_ALU | BPF_MUL),
    BOTH(BPF_ALU | BPF_DIV),
    BOTH(BPF_ALU | BPF_AND),
    BOTH(BPF_ALU | BPF_OR),
    BOTH(BPF_ALU | BPF_XOR),
    BOTH(BPF_ALU | BPF_LSH),
    BOTH(BPF_ALU | BPF_RSH),
};

static bool known(uint16_t code)
{
    for (size_t i = 0; i < sizeof instructions / sizeof instructions[0]; i++)
        if (instructions[i] == code)
            return true;
    return false;
}

/* bpf_check_classic in net/core/filter.c, of one instruction with so many behind it. */
static bool is_valid(const struct sock_filter *at, unsigned behind)
{
    if (!known(at->code))
        return false;
    switch (at->code) {
    case BPF_LD | BPF_W | BPF_ABS:
        return at->k < sizeof(struct seccomp_data) && at->k % sizeof(uint32_t) == 0;
    case BPF_ALU | BPF_DIV | BPF_K:
        return at->k != 0;
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K:
        return at->k < 32;
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
        return at->k < BPF_MEMWORDS;
    case BPF_JMP | BPF_JA:
        return at->k < behind;
    default:
        return BPF_CLASS(at->code) != BPF_JMP || (at->jt < behind && at->jf < behind);
    }
}

bool tcpdiag_filter_is_valid(const struct sock_filter *code, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (!is_valid(&code[i], count - i - 1))
            return false;
    return count > 0 && count <= BPF_MAXINSNS && BPF_CLASS(code[count - 1].code) == BPF_RET;
}

/* seccomp_run_filters in kernel/seccomp.c, of one filter in classic BPF. It ends, whatever the
   instructions are: it only goes forward. */
static uint32_t run(const struct sock_filter *code, unsigned count, const struct seccomp_data *data)
{
    struct machine machine = {0, 0, {0}};
    for (unsigned i = 0; i < count; i++) {
        const struct sock_filter *at = &code[i];
        unsigned step;
        switch (BPF_CLASS(at->code)) {
        case BPF_LD:
            machine.accumulator = load(&machine, at, data);
            break;
        case BPF_LDX:
            machine.index = load(&machine, at, data);
            break;
        case BPF_ST:
        case BPF_STX:
            if (at->k < BPF_MEMWORDS)
                machine.memory[at->k] =
                    BPF_CLASS(at->code) == BPF_ST ? machine.accumulator : machine.index;
            break;
        case BPF_ALU:
            if (!calculate(&machine, at))
                return SECCOMP_RET_KILL;
            break;
        case BPF_JMP:
            step = jump(&machine, at);
            if (step >= count - i)
                return SECCOMP_RET_KILL;
            i += step;
            break;
        case BPF_RET:
            return BPF_RVAL(at->code) == BPF_A ? machine.accumulator : at->k;
        default: /* BPF_MISC */
            if (BPF_MISCOP(at->code) == BPF_TAX)
                machine.index = machine.accumulator;
            else
                machine.accumulator = machine.index;
        }
    }
    return SECCOMP_RET_KILL;
}

bool tcpdiag_filter_allows(const struct sock_filter *code, unsigned count, long number,
                           const long arguments[6])
{
    struct seccomp_data data = {.nr = (int)number, .arch = MACHINE};
    data.instruction_pointer = (uintptr_t)tcpdiag_syscall_end;
    for (int i = 0; i < 6; i++)
        data.args[i] = (unsigned long)arguments[i];
    /* An errno in place of the call would harm nobody, a signal would; neither is worth the call.
     */
    return (run(code, count, &data) & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW;
}

bool tcpdiag_confine_allows(long number, const long arguments[6])
{
    unsigned state = atomic_load_explicit(&tcpdiag_filters, memory_order_acquire);
    if (state >= UNKNOWN)
        return false;
    for (unsigned i = 0; i < PLACES(state); i++) {
        uintptr_t holds = atomic_load_explicit(&filters[i].holds, memory_order_acquire);
        if ((holds == EVERYBODY || holds == (uintptr_t)&errno) &&
            !tcpdiag_filter_allows(&kept[filters[i].start], filters[i].count, number, arguments))
            return false;
    }
    return true;
}

/* Threads that each put the same filter on themselves are common. */
static bool is_in_force(const struct sock_filter *code, unsigned count)
{
    unsigned state = atomic_load_explicit(&tcpdiag_filters, memory_order_acquire);
    for (unsigned i = 0; i < PLACES(state); i++)
        if (atomic_load_explicit(&filters[i].holds, memory_order_acquire) == EVERYBODY &&
            filters[i].count == count &&
            memcmp(&kept[filters[i].start], code, count * sizeof *code) == 0)
            return true;
    return false;
}

static bool take_from(struct filter *filter, uintptr_t holder)
{
    return atomic_compare_exchange_strong_explicit(&filter->holds, &holder, NOBODY,
                                                   memory_order_acq_rel, memory_order_relaxed);
}

/* A place that a refused one has left between others. */
static struct filter *old_place(unsigned count)
{
    unsigned state = atomic_load_explicit(&tcpdiag_filters, memory_order_acquire);
    for (unsigned i = 0; i < PLACES(state); i++) {
        if (!take_from(&filters[i], GONE))
            continue;
        if (count <= filters[i].room)
            return &filters[i];
        atomic_store_explicit(&filters[i].holds, GONE, memory_order_release);
    }
    return NULL;
}

/* NULL: there is none, and the filter is counted as one that is not known. */
static struct filter *new_place(bool known, unsigned count)
{
    unsigned state = atomic_load_explicit(&tcpdiag_filters, memory_order_acquire);
    unsigned taken;
    bool fits;
    do {
        fits = known && PLACES(state) < FILTERS && count <= INSTRUCTIONS - ROOM_USED(state);
        taken = fits ? PLACE + count * INSTRUCTION : UNKNOWN;
    } while (!atomic_compare_exchange_weak_explicit(&tcpdiag_filters, &state, state + taken,
                                                    memory_order_acq_rel, memory_order_acquire));
    if (!fits)
        return NULL;
    struct filter *filter = &filters[PLACES(state)];
    filter->start = ROOM_USED(state);
    filter->room = count;
    return filter;
}

static void put(struct filter *filter, const struct sock_filter *code, unsigned count, bool all)
{
    filter->count = count;
    memcpy(&kept[filter->start], code, count * sizeof *code);
    atomic_store_explicit(&filter->holds, all ? EVERYBODY : (uintptr_t)&errno,
                          memory_order_release);
}

int tcpdiag_confine_begin(const struct sock_filter *code, unsigned count, bool all)
{
    if (!code) {
        new_place(false, 0);
        return TCPDIAG_CONFINED_UNKNOWN;
    }
    if (is_in_force(code, count))
        return TCPDIAG_CONFINED_ALREADY;
    struct filter *filter = old_place(count);
    if (!filter)
        filter = new_place(true, count);
    if (!filter)
        return TCPDIAG_CONFINED_UNKNOWN;
    put(filter, code, count, all);
    return (int)(filter - filters);
}

/* The last place, if nobody takes the next one meanwhile. */
static bool give_back(unsigned state)
{
    unsigned taken = PLACE + filters[PLACES(state) - 1].room * INSTRUCTION;
    unsigned before = state % UNKNOWN;
    while (state % UNKNOWN == before)
        if (atomic_compare_exchange_weak_explicit(&tcpdiag_filters, &state, state - taken,
                                                  memory_order_acq_rel, memory_order_acquire))
            return true;
    return false;
}

static void give_back_all(void)
{
    for (;;) {
        unsigned state = atomic_load_explicit(&tcpdiag_filters, memory_order_acquire);
        if (PLACES(state) == 0 || !take_from(&filters[PLACES(state) - 1], GONE))
            return;
        if (!give_back(state))
            atomic_store_explicit(&filters[PLACES(state) - 1].holds, GONE, memory_order_release);
    }
}

void tcpdiag_confine_end(int ticket, bool in_force)
{
    if (ticket == TCPDIAG_CONFINED_UNKNOWN && !in_force)
        atomic_fetch_sub_explicit(&tcpdiag_filters, UNKNOWN, memory_order_acq_rel);
    if (ticket < 0)
        return;
    atomic_store_explicit(&filters[ticket].holds, in_force ? EVERYBODY : GONE,
                          memory_order_release);
    if (!in_force)
        give_back_all();
}
