/* SPDX-License-Identifier: MIT */
#include "shim/process/sys.h"

#include <errno.h>

#include "shim/process/confine.h"
#include "shim/process/sys.h"

/*
 * The instruction itself, and not libc's syscall(): that is a name that the program or another
 * preload library may have a function of its own by, and a hook may run before it could be looked
 * up. No hook of anybody's comes by, no register is lost to a jump through a table, and where the
 * kernel sees the call come from is known (tcpdiag_syscall_end), which a seccomp filter may ask.
 * The price: on i386 it is int $0x80, slower by a fraction of a microsecond than the vdso's way.
 */
#if defined(__x86_64__)
static long kernel(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall\n"
                     ".globl tcpdiag_syscall_end\n"
                     ".hidden tcpdiag_syscall_end\n"
                     "tcpdiag_syscall_end:"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__i386__)
/* All six registers, of which a compiler that keeps a frame has but five. */
long tcpdiag_kernel(long number, long a, long b, long c, long d, long e, long f);
#define kernel tcpdiag_kernel
/* clang-format off */
__asm__(".pushsection .text\n"
        ".globl tcpdiag_kernel\n"
        ".hidden tcpdiag_kernel\n"
        ".globl tcpdiag_syscall_end\n"
        ".hidden tcpdiag_syscall_end\n"
        ".type tcpdiag_kernel, @function\n"
        "tcpdiag_kernel:\n"
        ".cfi_startproc\n"
        "    pushl %ebp\n"
        ".cfi_adjust_cfa_offset 4\n"
        ".cfi_rel_offset ebp, 0\n"
        "    pushl %edi\n"
        ".cfi_adjust_cfa_offset 4\n"
        ".cfi_rel_offset edi, 0\n"
        "    pushl %esi\n"
        ".cfi_adjust_cfa_offset 4\n"
        ".cfi_rel_offset esi, 0\n"
        "    pushl %ebx\n"
        ".cfi_adjust_cfa_offset 4\n"
        ".cfi_rel_offset ebx, 0\n"
        "    movl 20(%esp), %eax\n"
        "    movl 24(%esp), %ebx\n"
        "    movl 28(%esp), %ecx\n"
        "    movl 32(%esp), %edx\n"
        "    movl 36(%esp), %esi\n"
        "    movl 40(%esp), %edi\n"
        "    movl 44(%esp), %ebp\n"
        "    int $0x80\n"
        "tcpdiag_syscall_end:\n"
        "    popl %ebx\n"
        ".cfi_adjust_cfa_offset -4\n"
        ".cfi_restore ebx\n"
        "    popl %esi\n"
        ".cfi_adjust_cfa_offset -4\n"
        ".cfi_restore esi\n"
        "    popl %edi\n"
        ".cfi_adjust_cfa_offset -4\n"
        ".cfi_restore edi\n"
        "    popl %ebp\n"
        ".cfi_adjust_cfa_offset -4\n"
        ".cfi_restore ebp\n"
        "    ret\n"
        ".cfi_endproc\n"
        ".size tcpdiag_kernel, . - tcpdiag_kernel\n"
        ".popsection\n");
/* clang-format on */
#elif defined(__aarch64__)
static long kernel(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0\n"
                     ".globl tcpdiag_syscall_end\n"
                     ".hidden tcpdiag_syscall_end\n"
                     "tcpdiag_syscall_end:"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}
#elif defined(__riscv)
static long kernel(long number, long a, long b, long c, long d, long e, long f)
{
    register long a7 __asm__("a7") = number;
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a3 __asm__("a3") = d;
    register long a4 __asm__("a4") = e;
    register long a5 __asm__("a5") = f;
    __asm__ volatile("ecall\n"
                     ".globl tcpdiag_syscall_end\n"
                     ".hidden tcpdiag_syscall_end\n"
                     "tcpdiag_syscall_end:"
                     : "+r"(a0)
                     : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
                     : "memory");
    return a0;
}
#else
#error "no system call instruction is written for this machine"
#endif

bool sys_allowed(long number)
{
    static const long none[6];
    return atomic_load_explicit(&tcpdiag_filters, memory_order_acquire) == 0 ||
           tcpdiag_confine_allows(number, none);
}

/* Once: the label above is global. */
__attribute__((noinline)) long tcpdiag_syscall(long number, long a, long b, long c, long d, long e,
                                               long f)
{
    if (__builtin_expect(atomic_load_explicit(&tcpdiag_filters, memory_order_acquire) != 0, 0)) {
        const long arguments[6] = {a, b, c, d, e, f};
        if (!tcpdiag_confine_allows(number, arguments)) {
            errno = ENOSYS;
            return -1;
        }
    }
    long result = kernel(number, a, b, c, d, e, f);
    if (result < 0 && result >= -4095) {
        errno = (int)-result;
        return -1;
    }
    return result;
}
