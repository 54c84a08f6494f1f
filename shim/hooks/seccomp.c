/* SPDX-License-Identifier: MIT */
/*
 * prctl and syscall, for one thing only: the program puts a seccomp filter on itself, which may
 * forbid and punish what the shim does. Both pass everything on as it came.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "shim/confine.h"
#include "shim/real.h"
#include "shim/sink.h"
#include "shim/sys.h"
#include "shim/track.h"

/* What no record can do without. */
static const int needed[] = {
#if defined(SYS_socketcall)
    SYS_socketcall,
#else
    SYS_getsockopt,
#endif
    SYS_rt_sigprocmask, SYS_FSTAT, SYS_write, SYS_clock_gettime,
};

static bool readable(const void *start, size_t size)
{
    const char *at = start;
    const size_t page = 4096;
    for (; size > page; at += page, size -= page)
        if (!tcpdiag_readable(at, page))
            return false;
    return tcpdiag_readable(at, size);
}

/* The filter that the program hands over, or NULL for the strict mode and for what cannot be read,
   which the kernel will refuse. */
static const struct sock_fprog *filter_of(const void *pointer)
{
    const struct sock_fprog *program = pointer;
    if (!program || !readable(program, sizeof *program) || !program->filter || program->len == 0 ||
        program->len > BPF_MAXINSNS ||
        !readable(program->filter, program->len * sizeof *program->filter))
        return NULL;
    return program;
}

static unsigned about_to_confine(const struct sock_fprog *program)
{
    static const long none[6];
    bool enough = program != NULL;
    tcpdiag_sink_prepare();
    for (size_t i = 0; enough && i < sizeof needed / sizeof needed[0]; i++)
        enough = tcpdiag_filter_allows(program->filter, program->len, needed[i], none);
    if (!enough)
        tcpdiag_sink_complain("the program forbids itself, by seccomp, what a record needs: "
                              "connects after it may be missing");
    return tcpdiag_confine_add(program ? program->filter : NULL, program ? program->len : 0);
}

#define CONFINE(call, program)                                                                     \
    int saved = errno;                                                                             \
    unsigned before = about_to_confine(program);                                                   \
    errno = saved;                                                                                 \
    long result = call;                                                                            \
    if (result < 0)                                                                                \
        tcpdiag_confine_undo(before);                                                              \
    return result

static long confine_by_prctl(unsigned long mode, const void *program, unsigned long c,
                             unsigned long d)
{
    CONFINE(REAL(prctl)(PR_SET_SECCOMP, mode, (unsigned long)program, c, d),
            mode == SECCOMP_MODE_FILTER ? filter_of(program) : NULL);
}

static long confine_by_syscall(long number, const long arguments[4], const void *program)
{
    CONFINE(REAL(syscall)(number, arguments[0], arguments[1], arguments[2], arguments[3], 0, 0),
            program ? filter_of(program) : NULL);
}

/* Both are declared with a list of unknown length, of which libc's own take all that there may be:
   of a shorter list the rest is somebody's memory. A jump to the real function would write such
   arguments back to where they lie on the stack, while another thread may be changing them; a call
   copies them. */
#define NOT_A_JUMP(result) __asm__ volatile("" : "+r"(result))

TCPDIAG_EXPORT int prctl(int option, unsigned long a, unsigned long b, unsigned long c,
                         unsigned long d)
{
    if (TCPDIAG_UNLIKELY(option == PR_SET_SECCOMP))
        return (int)confine_by_prctl(a, (const void *)b, c, d);
    int result = REAL(prctl)(option, a, b, c, d);
    NOT_A_JUMP(result);
    return result;
}

#if defined(__x86_64__) || defined(__i386__)
long tcpdiag_any_syscall(long number, long a, long b, long c, long d, long e, long f);
#else
/* All seven come in registers. */
#define tcpdiag_any_syscall any_syscall
TCPDIAG_EXPORT long any_syscall(long number, long a, long b, long c, long d, long e,
                                long f) __asm__("syscall");
#endif

long tcpdiag_any_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    const long arguments[4] = {a, b, c, d};
    if (TCPDIAG_UNLIKELY(number == SYS_seccomp && (unsigned long)a <= SECCOMP_SET_MODE_FILTER))
        return confine_by_syscall(number, arguments,
                                  a == SECCOMP_SET_MODE_FILTER ? (void *)c : NULL);
    if (TCPDIAG_UNLIKELY(number == SYS_prctl && a == PR_SET_SECCOMP))
        return confine_by_syscall(number, arguments, b == SECCOMP_MODE_FILTER ? (void *)c : NULL);
    long result = REAL(syscall)(number, a, b, c, d, e, f);
#if defined(__x86_64__) || defined(__i386__)
    NOT_A_JUMP(result);
#endif
    return result;
}

/* Here some do not, and a call in between would also be a frame that a child made by clone on a
   stack of its own returns to. So a jump that touches nothing. */
_Static_assert(offsetof(struct tcpdiag_real, syscall) == 0, "the first of the real functions");
#define TEXT(x) TEXT_OF(x)
#define TEXT_OF(x) #x
/* clang-format off */
#if defined(__x86_64__)
__asm__(".text\n"
        ".globl syscall\n"
        ".type syscall, @function\n"
        "syscall:\n"
        ".cfi_startproc\n"
        "    cmpq $" TEXT(__NR_seccomp) ", %rdi\n"
        "    je 1f\n"
        "    cmpq $" TEXT(__NR_prctl) ", %rdi\n"
        "    je 1f\n"
        "    movq tcpdiag_real@GOTPCREL(%rip), %rax\n"
        "    movq (%rax), %rax\n"
        "    testq %rax, %rax\n"
        "    je 1f\n"
        "    jmp *%rax\n"
        "1:  jmp tcpdiag_any_syscall\n"
        ".cfi_endproc\n"
        ".size syscall, . - syscall\n");
#elif defined(__i386__)
__asm__(".text\n"
        ".globl syscall\n"
        ".type syscall, @function\n"
        "syscall:\n"
        ".cfi_startproc\n"
        "    movl 4(%esp), %eax\n"
        "    cmpl $" TEXT(__NR_seccomp) ", %eax\n"
        "    je 1f\n"
        "    cmpl $" TEXT(__NR_prctl) ", %eax\n"
        "    je 1f\n"
        "    call 2f\n"
        "2:  popl %ecx\n"
        "    movl tcpdiag_real - 2b(%ecx), %eax\n"
        "    testl %eax, %eax\n"
        "    je 1f\n"
        "    jmp *%eax\n"
        "1:  jmp tcpdiag_any_syscall\n"
        ".cfi_endproc\n"
        ".size syscall, . - syscall\n");
#endif
/* clang-format on */
