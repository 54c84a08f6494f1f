/* SPDX-License-Identifier: MIT */
/*
 * Functions by the names of libc's, as a program may have them: libc's own calls do not go to them,
 * and neither may those of a library that the program does not know of. Each only counts that it
 * was called.
 */
int strangers_calls;
const char *strangers_name = "none";

/* Under a name of the linker's alone: to the compiler libc's have other types. */
#define OWN(name)                                                                                  \
    long own_##name(void) __asm__(#name);                                                          \
    long own_##name(void)                                                                          \
    {                                                                                              \
        strangers_calls++;                                                                         \
        strangers_name = #name;                                                                    \
        return -1;                                                                                 \
    }
OWN(syscall)
OWN(execv)
OWN(execve)
OWN(execvp)
OWN(clock_gettime)
OWN(gettid)
OWN(getpid)
OWN(getenv)
OWN(secure_getenv)
OWN(dlerror)
OWN(memchr)
OWN(memrchr)
OWN(memcmp)
OWN(memcpy)
OWN(memmove)
OWN(memset)
OWN(strchr)
OWN(strrchr)
OWN(strcmp)
OWN(strlen)
OWN(strspn)

void _exit(int status);
void _exit(int status)
{
    (void)status;
    __builtin_trap();
}
