/* SPDX-License-Identifier: MIT */
#include "shim/sys.h"

long tcpdiag_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    return syscall(number, a, b, c, d, e, f);
}
