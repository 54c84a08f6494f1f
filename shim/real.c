/* SPDX-License-Identifier: MIT */
#include "shim/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

struct tcpdiag_real tcpdiag_real;

long tcpdiag_absent(void)
{
    errno = ENOSYS;
    return -1;
}

void tcpdiag_real_init(void)
{
    int saved = errno;
    /* The names in the order of the struct's members, which are all pointers: no relocation and
       little code for each. */
#define X(type, name, parameters) #name "\0"
    static const char names[] = TCPDIAG_REAL(X);
#undef X
    const char *name = names;
    for (void **at = (void **)&tcpdiag_real; *name; name += strlen(name) + 1) {
        void *found = dlsym(RTLD_NEXT, name);
        *at++ = found ? found : (void *)tcpdiag_absent;
    }
    errno = saved;
}
