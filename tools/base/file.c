/* SPDX-License-Identifier: MIT */
#include "tools/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tools/base/util.h"

enum { WITHOUT_WAITING = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

static void close_quietly(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
}

/* The descriptor, closed and -1 where it is no regular file. */
static int only_regular(int fd)
{
    struct stat status;
    if (fd < 0 || (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)))
        return fd;
    errno = S_ISDIR(status.st_mode) ? EISDIR : ENOTSUP;
    close_quietly(fd);
    return -1;
}

static FILE *stream(int fd)
{
    return fd < 0 ? NULL : need(fdopen(fd, "r"));
}

/* Looked at before it is opened too: to open a FIFO, even without waiting, lets its writer go on,
   whom our close would then kill, and to open a device may act on it. */
int file_open(const char *path, int flags)
{
    struct stat status;
    if ((flags & O_NOFOLLOW ? lstat(path, &status) : stat(path, &status)) != 0)
        return -1;
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : ENOTSUP;
        return -1;
    }
    return only_regular(open(path, WITHOUT_WAITING | flags));
}

FILE *file_stream(const char *path, int flags)
{
    return stream(file_open(path, flags));
}

/* A link's absolute target is meant from the process's root, not from ours: openat2(2), which
   kernels before 5.6 lack. */
FILE *file_of_root(long pid, const char *path)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    char way[64];
    snprintf(way, sizeof way, "/proc/%ld/root", pid);
    int root = open(way, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return NULL;
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd < 0 && errno == ENOSYS)
        fd = openat(root, path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    close_quietly(root);
    fd = only_regular(fd);
    if (fd < 0)
        return NULL;
    snprintf(way, sizeof way, "/proc/self/fd/%d", fd);
    FILE *file = stream(open(way, WITHOUT_WAITING));
    close_quietly(fd);
    return file;
}

/* A device that is neither may have no end, or act when it is read. */
static bool terminal_or_null(int fd, const struct stat *status)
{
    return S_ISCHR(status->st_mode) && (status->st_rdev == makedev(1, 3) || isatty(fd));
}

FILE *file_named(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && S_ISFIFO(status.st_mode))
        return fopen(path, "re");
    int fd = open(path, WITHOUT_WAITING);
    if (fd >= 0 && fstat(fd, &status) == 0 && terminal_or_null(fd, &status)) {
        fcntl(fd, F_SETFL, 0); /* a terminal shall wait for its user */
        return stream(fd);
    }
    return stream(only_regular(fd));
}

void file_complain(const char *who, const char *path)
{
    if (errno == ENOTSUP)
        complain("%s: %s: is not a regular file", who, path);
    else if (errno == ELOOP)
        complain("%s: %s: is a symbolic link", who, path);
    else
        complain_errno("%s: %s", who, path);
}
