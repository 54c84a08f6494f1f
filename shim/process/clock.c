/* SPDX-License-Identifier: MIT */
/*
 * The clock. libc's function reads it without entering the kernel, but no version of its name is in
 * every C library (glibc had it in librt before 2.17, under another version since), so it is looked
 * up with the hooks' own.
 */
#include "shim/process/real.h"
#include "shim/process/sys.h"

#define NANOSECONDS(seconds, rest) ((int64_t)(seconds)*TCPDIAG_SECOND + (rest))

int64_t sys_nanoseconds(clockid_t clock)
{
    struct timespec now = {0};
    if (!sys_allowed(SYS_clock_gettime)) /* on some machines libc's does enter the kernel */
        return 0;
#if defined(TCPDIAG_TIME64)
    struct tcpdiag_timespec64 wide; /* after 2038 the other one answers EOVERFLOW */
    if (!ABSENT(__clock_gettime64))
        return REAL(__clock_gettime64)(clock, &wide) == 0 ? NANOSECONDS(wide.seconds, wide.rest)
                                                          : 0;
#endif
    if (!ABSENT(clock_gettime))
        return REAL(clock_gettime)(clock, &now) == 0 ? NANOSECONDS(now.tv_sec, now.tv_nsec) : 0;
    return sys_call(SYS_clock_gettime, clock, &now) == 0 ? NANOSECONDS(now.tv_sec, now.tv_nsec) : 0;
}
