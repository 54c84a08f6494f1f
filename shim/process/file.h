/* SPDX-License-Identifier: MIT */
/*
 * What a file is, whatever its name or number. An inode number alone is not enough: some file
 * systems give that of a deleted file to the next new one, so the file's birth counts as well
 * (statx(2), Linux 4.11), where the kernel and the file system tell it.
 *
 * Async-signal-safe; errno is changed.
 */
#ifndef TCPDIAG_FILE_H
#define TCPDIAG_FILE_H

#include <stdbool.h>
#include <stdint.h>

/* Device, inode and birth: what a file is. */
struct tcpdiag_file {
    uint64_t device;
    uint64_t inode;
    int64_t born_ns; /* since 1970; 0: unknown */
};

struct tcpdiag_status {
    struct tcpdiag_file file;
    uint64_t size;
    uint32_t mode; /* as st_mode */
    uint32_t links;
    uint32_t owner;
};

/* 0, or -1 with errno. */
int tcpdiag_status_of(int fd, struct tcpdiag_status *status);
int tcpdiag_status_at(const char *path, struct tcpdiag_status *status); /* of a link: the link's */

static inline bool tcpdiag_same_file(const struct tcpdiag_file *a, const struct tcpdiag_file *b)
{
    return a->inode == b->inode && a->device == b->device &&
           (a->born_ns == b->born_ns || a->born_ns == 0 || b->born_ns == 0);
}

#endif
