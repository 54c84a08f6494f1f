/* SPDX-License-Identifier: MIT */
#include "shim/process/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "shim/process/sys.h"

struct tcpdiag_real tcpdiag_real;

long tcpdiag_absent(void)
{
    errno = ENOSYS;
    return -1;
}

static bool look_up(void **at, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    *at = found ? found : (void *)tcpdiag_absent;
    return found != NULL;
}

/* A name that is missing leaves an error, which the program's next dlerror(3) would tell. Its own
   error, which it had not asked for yet, is gone by then: there is no way to put it back. */
static void forget_error(void)
{
    if (!ABSENT(dlerror))
        REAL(dlerror)();
}

void tcpdiag_real_init(void)
{
    int saved = errno;
    /* The names in the order of the struct's members, which are all pointers: no relocation and
       little code for each. */
#define X(type, name, parameters) #name "\0"
    static const char names[] = TCPDIAG_REAL(X);
#undef X
    bool all = true;
    const char *name = names;
    for (void **at = (void **)&tcpdiag_real; *name; name += strlen(name) + 1)
        all &= look_up(at++, name);
    if (!all)
        forget_error();
    errno = saved;
}

/* Only glibc has had it in a library of its own, libanl, which may have come by dlopen(3). */
void tcpdiag_real_in_libanl(void)
{
    int saved = errno;
    if (!ABSENT(gnu_get_libc_version) &&
        !look_up((void **)&tcpdiag_real.getaddrinfo_a, "getaddrinfo_a"))
        forget_error();
    errno = saved;
}

/* secure_getenv(3) came with glibc 2.17. Where it is missing, a program that runs as somebody else
   has no settings at all. */
const char *tcpdiag_setting(const char *name)
{
    if (!ABSENT(secure_getenv))
        return REAL(secure_getenv)(name);
    return sys_privileged() ? NULL : REAL(getenv)(name);
}
