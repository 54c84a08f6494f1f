/* SPDX-License-Identifier: MIT */
/*
 * prctl and syscall. By syscall a process may be made, which goes on to spawn.h; else for one thing
 * only: the program puts a seccomp filter on itself, which may
 * forbid and punish what the shim does. Both pass everything on as it came.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "shim/attempts/flight.h"
#include "shim/attempts/in_flight.h"
#include "shim/attempts/unfinished.h"
#include "shim/hooks/spawn.h"
#include "shim/hooks/undeclared.h"
#include "shim/log/complaint.h"
#include "shim/log/log.h"
#include "shim/process/confine.h"
#include "shim/process/readable.h"
#include "shim/process/real.h"
#include "shim/process/sys.h"

#ifndef CLONE_FILES
#define CLONE_FILES 0x400
#endif
#define SYS_CLOSE_RANGE 436 /* on every machine */

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

/* What the program asks for; only what is read here is believed, not what it points to. */
struct request {
    bool strict;
    bool all; /* for each thread of the process */
    struct sock_fprog program;
    bool valid; /* else the kernel will refuse it, and there is nothing to warn of */
    int ticket;
};

static void look_at(struct request *request, const void *pointer)
{
    struct sock_fprog *program = &request->program;
    if (!pointer || !readable(pointer, sizeof *program))
        return;
    memcpy(program, pointer, sizeof *program);
    request->valid = program->filter && program->len > 0 &&
                     readable(program->filter, program->len * sizeof *program->filter) &&
                     tcpdiag_filter_is_valid(program->filter, program->len);
}

static bool leaves_enough(const struct request *request)
{
    static const long none[6];
    if (request->strict)
        return false;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!tcpdiag_filter_allows(request->program.filter, request->program.len, needed[i], none))
            return false;
    return true;
}

static void about_to_confine(struct request *request, const void *pointer)
{
    int saved = errno;
    if (!request->strict)
        look_at(request, pointer);
    if (request->strict || request->valid) {
        tcpdiag_log_prepare();
        if (!leaves_enough(request))
            tcpdiag_complain("the program forbids itself, by seccomp, what a record needs: "
                             "connects after it may be missing");
        request->ticket = tcpdiag_confine_begin(request->strict ? NULL : request->program.filter,
                                                request->program.len, request->all);
    }
    errno = saved;
}

static void has_confined(const struct request *request, bool in_force)
{
    if (request->strict || request->valid)
        tcpdiag_confine_end(request->ticket, in_force);
    else if (in_force) /* by a kernel that takes more than we know of */
        tcpdiag_confine_begin(NULL, 0, true);
}

static long confine_by_prctl(unsigned long mode, const void *program, unsigned long c,
                             unsigned long d)
{
    struct request request = {.strict = mode == SECCOMP_MODE_STRICT};
    about_to_confine(&request, program);
    long result = REAL(prctl)(PR_SET_SECCOMP, mode, (unsigned long)program, c, d);
    has_confined(&request, result == 0);
    return result;
}

#ifndef SECCOMP_FILTER_FLAG_NEW_LISTENER
#define SECCOMP_FILTER_FLAG_NEW_LISTENER (1UL << 3)
#endif

/* A listener's descriptor is a success; the number of a thread that could not be given the filter
   is none (seccomp(2), SECCOMP_FILTER_FLAG_TSYNC). */
static bool succeeded(unsigned long flags, long result)
{
    bool all = flags & SECCOMP_FILTER_FLAG_TSYNC;
    return result == 0 || (result > 0 && (!all || flags & SECCOMP_FILTER_FLAG_NEW_LISTENER));
}

static long confine_by_syscall(long number, const long arguments[4], bool strict,
                               unsigned long flags, const void *program)
{
    struct request request = {.strict = strict, .all = flags & SECCOMP_FILTER_FLAG_TSYNC};
    about_to_confine(&request, program);
    long result =
        REAL(syscall)(number, arguments[0], arguments[1], arguments[2], arguments[3], 0, 0);
    has_confined(&request, succeeded(flags, result));
    return result;
}

/* prctl and syscall are declared with a list of unknown length, and libc's own functions read as
   many arguments as the longest list has. Where the program gave fewer, the rest of what is read is
   other memory of the program's. The compiler may turn the call of the real function into a jump,
   and would then write the arguments back to where they lie on the stack, while another thread may
   be changing that memory. A real call copies the arguments. */
#define NOT_A_JUMP(result) __asm__ volatile("" : "+r"(result))

/* Whether it is one of the two modes that there are; a third is for the kernel to refuse. */
#define CONFINES(option, mode)                                                                     \
    TCPDIAG_UNLIKELY((option) == PR_SET_SECCOMP &&                                                 \
                     ((mode) == SECCOMP_MODE_STRICT || (mode) == SECCOMP_MODE_FILTER))

TCPDIAG_EXPORT int prctl(int option, unsigned long a, unsigned long b, unsigned long c,
                         unsigned long d)
{
    if (CONFINES(option, a))
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
    if (TCPDIAG_UNLIKELY(number == SYS_seccomp) && a == SECCOMP_SET_MODE_FILTER)
        return confine_by_syscall(number, arguments, false, (unsigned long)b, (void *)c);
    if (TCPDIAG_UNLIKELY(number == SYS_seccomp) && a == SECCOMP_SET_MODE_STRICT && !b && !c)
        return confine_by_syscall(number, arguments, true, 0, NULL);
    if (number == SYS_prctl && CONFINES(a, b))
        return confine_by_syscall(number, arguments, b == SECCOMP_MODE_STRICT, 0, (void *)c);
#if !defined(__x86_64__) && !defined(__i386__)
    if (TCPDIAG_UNLIKELY(number == SYS_close || number == SYS_exit_group || number == SYS_clone ||
                         number == SYS_clone3 || number == SYS_pidfd_getfd || number == SYS_dup ||
                         number == SYS_dup3 || number == SYS_fcntl || number == SYS_sendmsg ||
                         number == SYS_sendmmsg || number == SYS_execveat ||
                         number == SYS_unshare || number == SYS_CLOSE_RANGE))
        tcpdiag_before_process(number, (unsigned long)a, (unsigned long)b, (unsigned long)c);
#endif
    long result = REAL(syscall)(number, a, b, c, d, e, f);
#if defined(__x86_64__) || defined(__i386__)
    NOT_A_JUMP(result);
#endif
    return result;
}

__attribute__((used)) void *tcpdiag_before_process(long number, unsigned long a, unsigned long b,
                                                   unsigned long c)
{
    unsigned long flags = 0;
    int saved = errno;
    if (number == SYS_close || number == SYS_exit_group) { /* libuv closes so */
        if (number == SYS_exit_group)
            tcpdiag_process_ends(true);
        else if (TCPDIAG_IN_FLIGHT())
            tcpdiag_giving_up((int)a);
        errno = saved;
        return (void *)REAL(syscall);
    }
#ifdef SYS_clone3
    if (number == SYS_clone3 && a && tcpdiag_readable((const void *)a, sizeof(uint64_t)))
        flags = (unsigned long)*(const uint64_t *)a;
#endif
    if (number == SYS_clone)
        flags = a;
    if (number == SYS_unshare || number == SYS_CLOSE_RANGE) {
        if (number == SYS_unshare ? a & CLONE_FILES : c & 2 /* CLOSE_RANGE_UNSHARE */)
            tcpdiag_about_to_part();
    } else if (number != SYS_FCNTL || b == F_DUPFD || b == F_DUPFD_CLOEXEC) {
        tcpdiag_about_to_clone(flags); /* of the others any may give a socket another holder */
    }
    errno = saved;
    return (void *)REAL(syscall);
}

/* On x86 not all seven arguments come in registers. A call in between would also be a frame, to
   which a child that clone made on a stack of its own would return. So the hook jumps to the real
   function and touches neither stack nor registers. */
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
        "    cmpq $" TEXT(__NR_close) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(__NR_exit_group) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(__NR_clone) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(__NR_fork) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(__NR_vfork) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(__NR_clone3) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(__NR_dup) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(__NR_dup2) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(__NR_dup3) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(__NR_fcntl) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(__NR_sendmsg) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(__NR_sendmmsg) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(__NR_execve) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(__NR_execveat) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(__NR_unshare) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(SYS_CLOSE_RANGE) ", %rdi\n"
        "    je 3f\n"
        "    cmpq $" TEXT(__NR_pidfd_getfd) ", %rdi\n"
        "    je 3f\n"
        "    movq tcpdiag_real@GOTPCREL(%rip), %rax\n"
        "    movq (%rax), %rax\n"
        "    testq %rax, %rax\n"
        "    je 1f\n"
        "    jmp *%rax\n"
        "1:  jmp tcpdiag_any_syscall\n"
        "3:  subq $56, %rsp\n"
        ".cfi_adjust_cfa_offset 56\n"
        "    movq %rdi, (%rsp)\n"
        "    movq %rsi, 8(%rsp)\n"
        "    movq %rdx, 16(%rsp)\n"
        "    movq %rcx, 24(%rsp)\n"
        "    movq %r8, 32(%rsp)\n"
        "    movq %r9, 40(%rsp)\n"
        "    call tcpdiag_before_process\n"
        "    movq (%rsp), %rdi\n"
        "    movq 8(%rsp), %rsi\n"
        "    movq 16(%rsp), %rdx\n"
        "    movq 24(%rsp), %rcx\n"
        "    movq 32(%rsp), %r8\n"
        "    movq 40(%rsp), %r9\n"
        "    addq $56, %rsp\n"
        ".cfi_adjust_cfa_offset -56\n"
        "    jmp *%rax\n"
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
        "    cmpl $" TEXT(__NR_close) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(__NR_exit_group) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(__NR_clone) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(__NR_fork) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(__NR_vfork) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(__NR_clone3) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(__NR_dup) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(__NR_dup2) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(__NR_dup3) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(__NR_fcntl64) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(__NR_sendmsg) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(__NR_sendmmsg) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(__NR_execve) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(__NR_execveat) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(__NR_unshare) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(SYS_CLOSE_RANGE) ", %eax\n"
        "    je 3f\n"
        "    cmpl $" TEXT(__NR_pidfd_getfd) ", %eax\n"
        "    je 3f\n"
        "    call 2f\n"
        "2:  popl %ecx\n"
        "    movl tcpdiag_real - 2b(%ecx), %eax\n"
        "    testl %eax, %eax\n"
        "    je 1f\n"
        "    jmp *%eax\n"
        "1:  jmp tcpdiag_any_syscall\n"
        "3:  subl $12, %esp\n"
        "    pushl 28(%esp)\n"
        "    pushl 28(%esp)\n"
        "    pushl 28(%esp)\n"
        "    pushl 28(%esp)\n"
        ".cfi_adjust_cfa_offset 28\n"
        "    call tcpdiag_before_process\n"
        "    addl $28, %esp\n"
        ".cfi_adjust_cfa_offset -28\n"
        "    jmp *%eax\n"
        ".cfi_endproc\n"
        ".size syscall, . - syscall\n");
#endif
/* clang-format on */
