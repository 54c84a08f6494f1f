/* SPDX-License-Identifier: MIT */
/* The calls that end a process or its program image with a connect in flight. */
#include <stdarg.h>
#include <stdlib.h>

#include "shim/attempts/flight.h"
#include "shim/attempts/in_flight.h"
#include "shim/attempts/sole.h"
#include "shim/attempts/unfinished.h"
#include "shim/process/real.h"

/* One hook does not call another by its name, of which the program may have a function itself. */
__attribute__((noreturn)) static void end(int status)
{
    tcpdiag_process_ends(true);
    REAL(_exit)(status);
    __builtin_unreachable();
}

TCPDIAG_EXPORT void _exit(int status)
{
    end(status);
}

TCPDIAG_EXPORT void _Exit(int status)
{
    end(status);
}

/* libc's own functions would end by its own _exit, past the hook. Handlers of the program's run in
   between, and may still ask. */
TCPDIAG_EXPORT void quick_exit(int status)
{
    tcpdiag_process_ends(false);
    if (!ABSENT(quick_exit))
        REAL(quick_exit)(status);
    end(status);
}

TCPDIAG_EXPORT void abort(void)
{
    tcpdiag_process_ends(false);
    REAL(abort)();
    __builtin_unreachable();
}

/* An exec only returns when it has failed. In a vfork child, whose memory is the parent's, it tells
   the parent's table that somebody has the sockets now. */
#define EXEC(call)                                                                                 \
    tcpdiag_sole_shared_all();                                                                     \
    if (!TCPDIAG_IN_FLIGHT())                                                                      \
        return call;                                                                               \
    tcpdiag_image_ends();                                                                          \
    int result = call;                                                                             \
    tcpdiag_image_stays();                                                                         \
    return result

static int exec_ve(const char *path, char *const arguments[], char *const environment[])
{
    EXEC(REAL(execve)(path, arguments, environment));
}

TCPDIAG_EXPORT int execve(const char *path, char *const arguments[], char *const environment[])
{
    return exec_ve(path, arguments, environment);
}

static int exec_v(const char *path, char *const arguments[])
{
    EXEC(REAL(execv)(path, arguments));
}

TCPDIAG_EXPORT int execv(const char *path, char *const arguments[])
{
    return exec_v(path, arguments);
}

static int exec_vp(const char *file, char *const arguments[])
{
    EXEC(REAL(execvp)(file, arguments));
}

TCPDIAG_EXPORT int execvp(const char *file, char *const arguments[])
{
    return exec_vp(file, arguments);
}

TCPDIAG_EXPORT int execvpe(const char *file, char *const arguments[], char *const environment[])
{
    EXEC(REAL(execvpe)(file, arguments, environment));
}

TCPDIAG_EXPORT int fexecve(int fd, char *const arguments[], char *const environment[])
{
    EXEC(REAL(fexecve)(fd, arguments, environment));
}

/* The list forms call exec inside libc, past the hooks above. The list is laid out on the stack, as
   libc does it: exec must work where malloc does not (signal-safety(7)). */
#define LIST_TO_ARRAY(first)                                                                       \
    size_t count = 1;                                                                              \
    va_list list;                                                                                  \
    va_start(list, first);                                                                         \
    while (va_arg(list, const char *))                                                             \
        count++;                                                                                   \
    va_end(list);                                                                                  \
    char *arguments[count + 1];                                                                    \
    va_start(list, first);                                                                         \
    arguments[0] = (char *)first;                                                                  \
    for (size_t i = 1; i <= count; i++)                                                            \
    arguments[i] = va_arg(list, char *)

TCPDIAG_EXPORT int execl(const char *path, const char *first, ...)
{
    LIST_TO_ARRAY(first);
    va_end(list);
    return exec_v(path, arguments);
}

TCPDIAG_EXPORT int execlp(const char *file, const char *first, ...)
{
    LIST_TO_ARRAY(first);
    va_end(list);
    return exec_vp(file, arguments);
}

TCPDIAG_EXPORT int execle(const char *path, const char *first, ...)
{
    LIST_TO_ARRAY(first);
    char *const *environment = va_arg(list, char *const *);
    va_end(list);
    return exec_ve(path, arguments, environment);
}
