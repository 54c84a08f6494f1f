/* SPDX-License-Identifier: MIT */
/*
 * The calls that make a process or a thread, or take a descriptor out of one. A process gets all
 * sockets, or may, and their errors are not ours to take from then on (shim/attempts/sole.h);
 * before the first thread the log is opened (shim/process/threads.h). Nothing else is done here.
 */
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "shim/attempts/flight.h"
#include "shim/attempts/sole.h"
#include "shim/hooks/spawn.h"
#include "shim/hooks/undeclared.h"
#include "shim/log/stderr.h"
#include "shim/process/real.h"
#include "shim/process/threads.h"

/* Before, for what another thread does meanwhile; after, for what it has made meanwhile. */
#define MAKES_PROCESS(type, name, parameters, arguments)                                           \
    TCPDIAG_EXPORT type name parameters                                                            \
    {                                                                                              \
        tcpdiag_about_to_share_all();                                                              \
        type result = REAL(name) arguments;                                                        \
        tcpdiag_sole_shared_all();                                                                 \
        return result;                                                                             \
    }

#define FORKS(name)                                                                                \
    TCPDIAG_EXPORT pid_t name(void)                                                                \
    {                                                                                              \
        tcpdiag_about_to_share_all();                                                              \
        pid_t child = REAL(name)();                                                                \
        tcpdiag_sole_shared_all();                                                                 \
        if (child == 0)                                                                            \
            tcpdiag_process_begins();                                                              \
        return child;                                                                              \
    }

FORKS(fork)
FORKS(_Fork)
/* Names of glibc's for the same. */
FORKS(__fork)
FORKS(__libc_fork)
MAKES_PROCESS(int, system, (const char *command), (command))
MAKES_PROCESS(FILE *, popen, (const char *command, const char *mode), (command, mode))
MAKES_PROCESS(int, posix_spawn,
              (pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions,
               const posix_spawnattr_t *attributes, char *const arguments[],
               char *const environment[]),
              (pid, path, actions, attributes, arguments, environment))
MAKES_PROCESS(int, posix_spawnp,
              (pid_t * pid, const char *file, const posix_spawn_file_actions_t *actions,
               const posix_spawnattr_t *attributes, char *const arguments[],
               char *const environment[]),
              (pid, file, actions, attributes, arguments, environment))

/* Also of this process's own (pidfd_getfd(2)): which number it was is the other's. */
MAKES_PROCESS(int, pidfd_getfd, (int process, int number, unsigned flags), (process, number, flags))

/* Before glibc 2.34 these two lie in libraries of their own, which dlopen may have brought after
   our start, for one library alone. */
static void *in_library(const char *library, const char *name)
{
    void *(*open)(const char *, int); /* whose symbol version rose in glibc 2.34 */
    *(void **)&open = dlsym(RTLD_DEFAULT, "dlopen");
    void *handle = open ? open(library, RTLD_LAZY | RTLD_NOLOAD) : NULL;
    return handle ? dlsym(handle, name) : NULL;
}

#define LOOK_AGAIN(name, library)                                                                  \
    do {                                                                                           \
        void *found = ABSENT(name) ? in_library(library, #name) : NULL;                            \
        if (found)                                                                                 \
            *(void **)&tcpdiag_real.name = found;                                                  \
    } while (0)

TCPDIAG_EXPORT pid_t forkpty(int *terminal, char *name, const void *settings, const void *size)
{
    LOOK_AGAIN(forkpty, "libutil.so.1");
    tcpdiag_about_to_share_all();
    pid_t result = REAL(forkpty)(terminal, name, settings, size);
    tcpdiag_sole_shared_all();
    return result;
}

/* Puts /dev/null on standard error by calls inside libc, past the hook of dup2. */
TCPDIAG_EXPORT int daemon(int keep_folder, int keep_stdio)
{
    tcpdiag_about_to_share_all();
    int result = REAL(daemon)(keep_folder, keep_stdio);
    int saved = errno;
    tcpdiag_sole_shared_all();
    if (result == 0 && !keep_stdio)
        tcpdiag_stderr_closing();
    errno = saved;
    return result;
}

TCPDIAG_EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                  void *(*start)(void *), void *argument)
{
    LOOK_AGAIN(pthread_create, "libpthread.so.0");
    if (ABSENT(pthread_create))
        return ENOSYS;
    tcpdiag_threads_begin();
    return REAL(pthread_create)(thread, attributes, start, argument);
}

TCPDIAG_EXPORT int thrd_create(thrd_t *thread, thrd_start_t start, void *argument)
{
    LOOK_AGAIN(thrd_create, "libpthread.so.0");
    if (ABSENT(thrd_create))
        return thrd_error;
    tcpdiag_threads_begin();
    return REAL(thrd_create)(thread, start, argument);
}

/* A copy of the descriptors, or the same ones. */
void tcpdiag_about_to_clone(unsigned long flags)
{
    if (!(flags & CLONE_FILES))
        tcpdiag_about_to_share_all();
    else if (flags & CLONE_THREAD)
        tcpdiag_threads_begin();
    else
        tcpdiag_descriptors_shared();
}

/* The thread gets a copy of the descriptors for itself. From then on a number means two things. */
void tcpdiag_about_to_part(void)
{
    tcpdiag_about_to_share_all();
    tcpdiag_sole_never();
}

TCPDIAG_EXPORT int unshare(int flags)
{
    if (flags & CLONE_FILES)
        tcpdiag_about_to_part();
    return REAL(unshare)(flags);
}

/* Declared with a list of unknown length; see hooks/seccomp.c for why it is taken whole. */
#define CLONES(name)                                                                               \
    TCPDIAG_EXPORT int any_##name(int (*start)(void *), void *stack, int flags, void *argument,    \
                                  void *parent, void *tls, void *child) __asm__(#name);            \
    int any_##name(int (*start)(void *), void *stack, int flags, void *argument, void *parent,     \
                   void *tls, void *child)                                                         \
    {                                                                                              \
        tcpdiag_about_to_clone((unsigned long)flags);                                              \
        int result = REAL(name)(start, stack, flags, argument, parent, tls, child);                \
        if (!(flags & CLONE_FILES))                                                                \
            tcpdiag_sole_shared_all();                                                             \
        return result;                                                                             \
    }

CLONES(clone)
CLONES(__clone)

/* vfork returns twice to its caller, the second time on a stack on which the child has called other
   functions. So nothing may return in between: what is done first is done, and then this jumps. */
__attribute__((used)) void *tcpdiag_before_vfork(void)
{
    tcpdiag_about_to_share_all();
    return (void *)REAL(vfork);
}

/* clang-format off */
#if defined(__x86_64__)
__asm__(".text\n"
        ".globl vfork\n"
        ".type vfork, @function\n"
        "vfork:\n"
        ".cfi_startproc\n"
        "    subq $8, %rsp\n"
        ".cfi_adjust_cfa_offset 8\n"
        "    call tcpdiag_before_vfork\n"
        "    addq $8, %rsp\n"
        ".cfi_adjust_cfa_offset -8\n"
        "    jmp *%rax\n"
        ".cfi_endproc\n"
        ".size vfork, . - vfork\n");
#elif defined(__i386__)
__asm__(".text\n"
        ".globl vfork\n"
        ".type vfork, @function\n"
        "vfork:\n"
        ".cfi_startproc\n"
        "    subl $12, %esp\n"
        ".cfi_adjust_cfa_offset 12\n"
        "    call tcpdiag_before_vfork\n"
        "    addl $12, %esp\n"
        ".cfi_adjust_cfa_offset -12\n"
        "    jmp *%eax\n"
        ".cfi_endproc\n"
        ".size vfork, . - vfork\n");
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl vfork\n"
        ".type vfork, %function\n"
        "vfork:\n"
        ".cfi_startproc\n"
        "    stp x29, x30, [sp, #-16]!\n"
        ".cfi_adjust_cfa_offset 16\n"
        ".cfi_rel_offset x30, 8\n"
        "    bl tcpdiag_before_vfork\n"
        "    ldp x29, x30, [sp], #16\n"
        ".cfi_adjust_cfa_offset -16\n"
        ".cfi_restore x30\n"
        "    mov x16, x0\n"
        "    br x16\n"
        ".cfi_endproc\n"
        ".size vfork, . - vfork\n");
#elif defined(__riscv)
__asm__(".text\n"
        ".globl vfork\n"
        ".type vfork, @function\n"
        "vfork:\n"
        ".cfi_startproc\n"
        "    addi sp, sp, -16\n"
        ".cfi_adjust_cfa_offset 16\n"
        "    sd ra, 8(sp)\n"
        ".cfi_rel_offset ra, 8\n"
        "    call tcpdiag_before_vfork\n"
        "    ld ra, 8(sp)\n"
        "    addi sp, sp, 16\n"
        ".cfi_adjust_cfa_offset -16\n"
        ".cfi_restore ra\n"
        "    jr a0\n"
        ".cfi_endproc\n"
        ".size vfork, . - vfork\n");
#endif
/* clang-format on */
