/* SPDX-License-Identifier: MIT */
#include "shim/confine.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "shim/sys.h"

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

/* The kernel takes 4,096 instructions in one filter (BPF_MAXINSNS), and programs have a few. Past
   this room nothing is allowed any more. */
enum { FILTERS = 16, INSTRUCTIONS = 4 * BPF_MAXINSNS };

struct filter {
    unsigned start;
    unsigned count;
};

_Atomic unsigned tcpdiag_filters;

static struct filter filters[FILTERS];
static struct sock_filter kept[INSTRUCTIONS];
static _Atomic int adding;

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

/* seccomp_run_filters in kernel/seccomp.c, of one filter in classic BPF; what seccomp_check_filter
   there does not let in never gets here, and ends as a refusal. */
static uint32_t run(const struct sock_filter *code, unsigned count, const struct seccomp_data *data)
{
    struct machine machine = {0, 0, {0}};
    for (unsigned i = 0; i < count; i++) {
        const struct sock_filter *at = &code[i];
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
            i += jump(&machine, at);
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
    unsigned count = atomic_load_explicit(&tcpdiag_filters, memory_order_acquire);
    if (count > FILTERS)
        return false;
    for (unsigned i = 0; i < count; i++)
        if (!tcpdiag_filter_allows(&kept[filters[i].start], filters[i].count, number, arguments))
            return false;
    return true;
}

unsigned tcpdiag_confine_add(const struct sock_filter *code, unsigned count)
{
    bool alone = !atomic_exchange_explicit(&adding, 1, memory_order_acquire);
    unsigned before = atomic_load_explicit(&tcpdiag_filters, memory_order_relaxed);
    unsigned after = FILTERS + 1;
    if (alone && code && before < FILTERS) {
        struct filter *last = before > 0 ? &filters[before - 1] : NULL;
        unsigned start = last ? last->start + last->count : 0;
        if (count <= INSTRUCTIONS - start) {
            memcpy(&kept[start], code, count * sizeof *code);
            filters[before] = (struct filter){start, count};
            after = before + 1;
        }
    }
    atomic_store_explicit(&tcpdiag_filters, after, memory_order_release);
    if (alone)
        atomic_store_explicit(&adding, 0, memory_order_release);
    return before;
}

void tcpdiag_confine_undo(unsigned before)
{
    atomic_store_explicit(&tcpdiag_filters, before, memory_order_release);
}
