/* SPDX-License-Identifier: MIT */
#include "shim/process/file.h"

#include <errno.h>
#include <linux/stat.h>
#include <stdatomic.h>

#include "shim/process/sys.h"

#ifndef SYS_statx
#define SYS_statx 332
#endif
#ifndef AT_STATX_DONT_SYNC
#define AT_STATX_DONT_SYNC 0x4000
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

/* As statx tells it, from the kernel's new_encode_dev (include/linux/kdev_t.h). */
static uint64_t device(uint64_t encoded)
{
    return (encoded >> 8 & 0xfff) << 32 | (encoded & 0xff) | (encoded >> 12 & 0xfff00);
}

static int look_old(int fd, const char *path, struct tcpdiag_status *status)
{
    struct stat64 old;
    if ((path[0] ? sys_lstat(path, &old) : sys_fstat(fd, &old)) != 0)
        return -1;
    *status = (struct tcpdiag_status){{device(old.st_dev), old.st_ino, 0},
                                      (uint64_t)old.st_size,
                                      old.st_mode,
                                      (uint32_t)old.st_nlink,
                                      old.st_uid};
    return 0;
}

static int look(int fd, const char *path, int flags, struct tcpdiag_status *status)
{
    static _Atomic int lacking; /* or forbidden: it will not come back */
    struct statx new;
    if (atomic_load_explicit(&lacking, memory_order_relaxed))
        return look_old(fd, path, status);
    if (sys_call(SYS_statx, fd, path, flags | AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_BTIME,
                 &new) != 0) {
        if (errno != ENOSYS && errno != EPERM && errno != EINVAL)
            return -1;
        if (look_old(fd, path, status) != 0)
            return -1;
        atomic_store_explicit(&lacking, 1, memory_order_relaxed);
        return 0;
    }
    int64_t born = new.stx_mask &STATX_BTIME
                       ? new.stx_btime.tv_sec *TCPDIAG_SECOND + new.stx_btime.tv_nsec
                       : 0;
    *status = (struct tcpdiag_status){
        {(uint64_t) new.stx_dev_major << 32 | new.stx_dev_minor, new.stx_ino, born},
        new.stx_size,
        new.stx_mode,
        new.stx_nlink,
        new.stx_uid};
    return 0;
}

int tcpdiag_status_of(int fd, struct tcpdiag_status *status)
{
    return look(fd, "", AT_EMPTY_PATH, status);
}

int tcpdiag_status_at(const char *path, struct tcpdiag_status *status)
{
    return look(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, status);
}
