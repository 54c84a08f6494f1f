/* SPDX-License-Identifier: MIT */
#include "shim/process/readable.h"

#include <errno.h>

#include "shim/process/sys.h"
#include "shim/process/valgrind.h"

/* rt_sigprocmask copies 8 bytes in before it looks at its first argument, and
   returns EFAULT where it cannot, EINVAL else; it is the cheapest call that does. Memory is mapped
   by the page: 8 aligned bytes, which lie in one, tell of all of it. */
bool tcpdiag_readable(const void *start, size_t length)
{
    const uintptr_t page = 4096;
    const uintptr_t first = (uintptr_t)start & ~(uintptr_t)7;
    const uintptr_t last = ((uintptr_t)start + length - 1) & ~(uintptr_t)7;
    if (tcpdiag_under_valgrind)
        return tcpdiag_valgrind_readable((const char *)first, (const char *)last);
    if (sys_call(SYS_rt_sigprocmask, -1, first, NULL, 8) != -1 || errno != EINVAL)
        return false;
    return (first ^ last) < page ||
           (sys_call(SYS_rt_sigprocmask, -1, last, NULL, 8) == -1 && errno == EINVAL);
}
