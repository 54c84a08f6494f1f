/* SPDX-License-Identifier: MIT */
#include "shim/process/valgrind.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "shim/process/sys.h"

bool tcpdiag_under_valgrind;

/* Of valgrind.h, helgrind.h and drd.h; valgrind keeps them from release to release. */
enum {
    RUNNING_ON_VALGRIND = 0x1001,
    HELGRIND_MAKE_UNTRACKED = 0x48470000 + 0x127,
    DRD_START_SUPPRESSION = 0x44520000 + 2,
};

/* Instructions that have no effect and that no compiler writes; valgrind takes them for a question,
   whose words are behind a register. 0 natively, and where valgrind knows nothing of it. */
static uintptr_t ask(uintptr_t what, const void *start, size_t length)
{
    const uintptr_t words[6] = {what, (uintptr_t)start, length};
    uintptr_t answer = 0;
#if defined(__x86_64__)
    __asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi\n"
                     "xchgq %%rbx, %%rbx"
                     : "+d"(answer)
                     : "a"(words)
                     : "cc", "memory");
#elif defined(__i386__)
    __asm__ volatile("roll $3, %%edi; roll $13, %%edi; roll $29, %%edi; roll $19, %%edi\n"
                     "xchgl %%ebx, %%ebx"
                     : "+d"(answer)
                     : "a"(words)
                     : "cc", "memory");
#elif defined(__aarch64__)
    register uintptr_t x3 __asm__("x3") = answer;
    register const uintptr_t *x4 __asm__("x4") = words;
    __asm__ volatile("ror x12, x12, #3; ror x12, x12, #13; ror x12, x12, #51; ror x12, x12, #61\n"
                     "orr x10, x10, x10"
                     : "+r"(x3)
                     : "r"(x4)
                     : "cc", "memory");
    answer = x3;
#else
    (void)words;
#endif
    return answer;
}

/* The linker's: in its layout all that can be written comes after the dynamic section. */
extern const char tcpdiag_data_start[] __asm__("_DYNAMIC") __attribute__((visibility("hidden")));
extern const char tcpdiag_data_end[] __asm__("_end") __attribute__((visibility("hidden")));

/* Helgrind and DRD know of locks, and not of the atomic operations that keep the library's data
   whole: each would be a race to them, in the program's name. So they leave that data alone, and
   nothing of the program's is in it. */
void tcpdiag_valgrind_init(void)
{
    size_t length = (size_t)((uintptr_t)tcpdiag_data_end - (uintptr_t)tcpdiag_data_start);
    tcpdiag_under_valgrind = ask(RUNNING_ON_VALGRIND, NULL, 0) != 0;
    if (!tcpdiag_under_valgrind)
        return;
    ask(HELGRIND_MAKE_UNTRACKED, tcpdiag_data_start, length);
    ask(DRD_START_SUPPRESSION, tcpdiag_data_start, length);
}

bool tcpdiag_valgrind_readable(const void *first, const void *last)
{
    char copy[16];
    struct iovec to = {copy, sizeof copy};
    struct iovec from[] = {{(void *)first, sizeof copy / 2}, {(void *)last, sizeof copy / 2}};
    return sys_call(SYS_process_vm_readv, sys_getpid(), &to, 1, from, 2, 0) == sizeof copy;
}
