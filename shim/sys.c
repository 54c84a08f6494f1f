/* SPDX-License-Identifier: MIT */
#include "shim/sys.h"

#include <errno.h>

#include "shim/confine.h"

bool sys_allowed(long number)
{
    static const long none[6];
    return atomic_load_explicit(&tcpdiag_filters, memory_order_acquire) == 0 ||
           tcpdiag_confine_allows(number, none);
}

long tcpdiag_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    if (__builtin_expect(atomic_load_explicit(&tcpdiag_filters, memory_order_acquire) != 0, 0)) {
        const long arguments[6] = {a, b, c, d, e, f};
        if (!tcpdiag_confine_allows(number, arguments)) {
            errno = ENOSYS;
            return -1;
        }
    }
    return syscall(number, a, b, c, d, e, f);
}
