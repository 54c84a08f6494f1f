/* SPDX-License-Identifier: MIT */
#include "shim/real.h"

#include <dlfcn.h>
#include <errno.h>

struct tcpdiag_real tcpdiag_real;

void tcpdiag_real_init(void)
{
    int saved = errno;
    /* One table and one loop: a call a name would be most of the library's code at start-up. */
#define X(type, name, parameters) {#name, offsetof(struct tcpdiag_real, name)},
    static const struct {
        const char *name;
        size_t offset;
    } rows[] = {TCPDIAG_REAL(X)};
#undef X
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        *(void **)((char *)&tcpdiag_real + rows[i].offset) = dlsym(RTLD_NEXT, rows[i].name);
    errno = saved;
}
