/* SPDX-License-Identifier: MIT */
#include "shim/process/descriptor.h"

#include "shim/process/sys.h"

/* Where the descriptors that we ask for begin: above what programs and shells name by number, below
   FD_SETSIZE, so that the kernel's descriptor table stays small. */
enum { KEPT_FROM = 1000 };
/* A program that may have fewer needs them all: as long as it has one thread, which cannot see them
   come and go, the log is opened for each record and closed after it. */
enum { FEW_DESCRIPTORS = 264 };
/* And where it has a few handfuls only, nothing is kept at all. */
enum { FEWEST_DESCRIPTORS = 32 };

/* Out of the way of a program that has so many open: at the end of the table as long as it is. */
static uint64_t end_of_table(uint64_t number)
{
    uint64_t length = 1024;
    while (length <= number)
        length *= 2;
    return length - 1;
}

int tcpdiag_moved_up(int fd, const struct tcpdiag_file *file, bool few)
{
    uint64_t limit = sys_limit(RLIMIT_NOFILE, UINT64_MAX);
    uint64_t from = fd < KEPT_FROM ? KEPT_FROM : end_of_table((uint64_t)fd);
    int moved = -1;
    if (limit < (few ? FEWEST_DESCRIPTORS : FEW_DESCRIPTORS))
        return -1;
    if (from < limit)
        moved = sys_fcntl(fd, F_DUPFD_CLOEXEC, (long)from);
    /* The highest that is free, as far as the next power of two below the limit. */
    for (uint64_t below = 1; moved < 0 && below < limit / 2; below *= 2)
        moved = sys_fcntl(fd, F_DUPFD_CLOEXEC, (long)(limit - below));
    if (moved >= 0)
        tcpdiag_close_own(fd, file);
    return moved;
}

void tcpdiag_close_own(int fd, const struct tcpdiag_file *file)
{
    struct tcpdiag_status status;
    if (tcpdiag_status_of(fd, &status) == 0 && tcpdiag_same_file(&status.file, file))
        sys_close(fd);
}
