/* SPDX-License-Identifier: MIT */
/* The log as a file: opened late, looked after, and moved out of the program's way. */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "shim/config.h"
#include "shim/places.h"
#include "shim/scratch.h"

/* Where the descriptor that we ask for begins: above what programs and shells name by number, below
   FD_SETSIZE, so that the kernel's descriptor table stays small. */
enum { HIGHEST = 1000 };
/* A program that may have only a few descriptors needs them all: below this the log is opened for
   each record and closed after it. */
enum { LOWEST_KEPT = 256 };

struct log {
    int fd; /* was the log when it was stored; what it is now is asked before each write */
    struct tcpdiag_file file;
};

/* Only the last one counts. A reader may copy an entry while it is stored anew, 16 openings later:
   then the kernel's answer differs from what it got, and it opens the log itself. */
enum { LOGS = 16 };
static struct log logs[LOGS] = {{.fd = -1}};
static _Atomic unsigned last_log;
static _Atomic int64_t looked_at; /* when the path was last compared with the descriptor, seconds */
static struct tcpdiag_file root;

void tcpdiag_log_init(void)
{
    struct stat64 status;
    if (sys_lstat("/", &status) == 0)
        root = (struct tcpdiag_file){status.st_dev, status.st_ino};
}

/* Makes the folders of the default place, 0700 each, as far as they are missing. */
static void make_folders(void)
{
    struct tcpdiag_scratch *scratch = tcpdiag_scratch_take();
    if (!scratch)
        return;
    size_t length = strlen(tcpdiag_config.path);
    memcpy(scratch->line, tcpdiag_config.path, length + 1);
    for (size_t i = 1; i < length; i++)
        if (scratch->line[i] == '/') {
            scratch->line[i] = '\0';
            sys_mkdir(scratch->line, 0700);
            scratch->line[i] = '/';
        }
    tcpdiag_scratch_give(scratch);
}

/* The folder of the default place may lie in /tmp, where anybody may have made it. */
static bool folder_is_ours(void)
{
    char folder[TCPDIAG_PATH_MAX / 2];
    const char *slash = strrchr(tcpdiag_config.path, '/');
    struct stat64 status;
    if (!slash || (size_t)(slash - tcpdiag_config.path) >= sizeof folder)
        return false;
    memcpy(folder, tcpdiag_config.path, (size_t)(slash - tcpdiag_config.path));
    folder[slash - tcpdiag_config.path] = '\0';
    return sys_lstat(folder, &status) == 0 && S_ISDIR(status.st_mode) &&
           status.st_uid == sys_geteuid() && (status.st_mode & 022) == 0;
}

/* A path that is there is opened only where it is a file: a device may do anything at an open. */
static int open_path(void)
{
    struct stat64 status;
    if (sys_lstat(tcpdiag_config.path, &status) == 0 && !S_ISREG(status.st_mode))
        return -1;
    /* O_NONBLOCK: it may have become a FIFO without a reader, which must not hold us up. */
    return sys_open(tcpdiag_config.path,
                    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
                    0600);
}

/* In a chroot or another mount namespace the path is another file's: the log stays what it was. */
static bool root_is_the_users(void)
{
    struct stat64 status;
    return sys_lstat("/", &status) == 0 && tcpdiag_is_file(&status, &root);
}

int tcpdiag_high_copy(int fd)
{
    long highest = HIGHEST;
    uint64_t limit = sys_limit(RLIMIT_NOFILE, UINT64_MAX);
    if (limit < HIGHEST + 8)
        highest = limit > 8 ? (long)limit - 8 : 0;
    return sys_fcntl(fd, F_DUPFD_CLOEXEC, highest);
}

/* Moved up, out of the way of programs that expect the lowest numbers, if there is room. */
static int move_up(int fd)
{
    int moved = fd < LOWEST_KEPT ? tcpdiag_high_copy(fd) : -1;
    if (moved < LOWEST_KEPT) {
        if (moved >= 0)
            sys_close(moved);
        return fd;
    }
    sys_close(fd);
    return moved;
}

static int open_log(struct stat64 *status)
{
    if (!tcpdiag_config.path[0] || !root_is_the_users())
        return -1;
    int fd = open_path();
    if (fd < 0 && errno == ENOENT && tcpdiag_config.default_place) {
        make_folders();
        fd = open_path();
    }
    if (fd < 0)
        return -1;
    if (sys_fstat(fd, status) != 0 || !S_ISREG(status->st_mode) ||
        (tcpdiag_config.default_place && (status->st_uid != sys_geteuid() || !folder_is_ours()))) {
        sys_close(fd);
        return -1;
    }
    return move_up(fd);
}

/* Makes it the log of all threads; false where another thread is at that, or has been since seen
   was the last. */
static bool store(const struct log *log, unsigned seen)
{
    if (log->fd < LOWEST_KEPT ||
        atomic_exchange_explicit(&tcpdiag_this_process->storing, 1, memory_order_acquire))
        return false;
    bool first = atomic_load_explicit(&last_log, memory_order_relaxed) == seen;
    if (first) {
        logs[(seen + 1) % LOGS] = *log;
        atomic_store_explicit(&tcpdiag_this_process->log_torn, 0, memory_order_relaxed);
        atomic_store_explicit(&last_log, seen + 1, memory_order_release);
    }
    atomic_store_explicit(&tcpdiag_this_process->storing, 0, memory_order_release);
    return first;
}

/* Once a second: whether the path still names the file that we write; it may have been rotated or
   deleted. */
static bool path_has_moved(const struct log *log, int64_t seconds)
{
    struct stat64 status;
    if (atomic_exchange_explicit(&looked_at, seconds, memory_order_relaxed) == seconds)
        return false;
    return sys_lstat(tcpdiag_config.path, &status) != 0 || !tcpdiag_is_file(&status, &log->file);
}

static long append(int fd, const struct iovec *parts, int count)
{
    return count == 1 ? sys_write(fd, parts->iov_base, parts->iov_len)
                      : sys_call(SYS_writev, fd, parts, count);
}

/* Beyond the limit of a file's size a write raises SIGXFSZ, which kills (setrlimit(2)). The program
   may lower it at any time, and another process may have filled the file up since we looked. */
static bool write_to(int fd, const struct stat64 *status, const char *line, size_t length)
{
    uint64_t limit = sys_limit(RLIMIT_FSIZE, UINT64_MAX - 1); /* not known: there may be one */
    _Atomic int *torn = &tcpdiag_this_process->log_torn;
    if (TCPDIAG_LIKELY(limit == UINT64_MAX))
        return tcpdiag_write_line(append, fd, line, length, torn);
    if ((uint64_t)status->st_size + length + 1 > limit)
        return false;
    return tcpdiag_write_line_quietly(append, fd, line, length, torn);
}

void tcpdiag_log_prepare(void)
{
    struct stat64 opened;
    unsigned last = atomic_load_explicit(&last_log, memory_order_acquire);
    if (logs[last % LOGS].fd >= 0)
        return;
    struct log fresh = {.fd = open_log(&opened)};
    if (fresh.fd < 0)
        return;
    fresh.file = (struct tcpdiag_file){opened.st_dev, opened.st_ino};
    if (!store(&fresh, last))
        sys_close(fresh.fd);
}

bool tcpdiag_log_write(const char *line, size_t length, int64_t seconds)
{
    struct stat64 status;
    struct stat64 opened;
    unsigned last = atomic_load_explicit(&last_log, memory_order_acquire);
    const struct log log = logs[last % LOGS];
    bool still =
        log.fd >= 0 && sys_fstat(log.fd, &status) == 0 && tcpdiag_is_file(&status, &log.file);
    bool moved = path_has_moved(&log, seconds);
    if (TCPDIAG_LIKELY(still && !moved))
        return write_to(log.fd, &status, line, length);
    struct log fresh = {.fd = open_log(&opened)};
    if (fresh.fd < 0)
        return still && write_to(log.fd, &status, line, length);
    fresh.file = (struct tcpdiag_file){opened.st_dev, opened.st_ino};
    bool stored = store(&fresh, last);
    bool written = write_to(fresh.fd, &opened, line, length);
    /* What the old number is now is not ours to close, unless it still was the log. */
    if (stored && still)
        sys_close(log.fd);
    if (!stored)
        sys_close(fresh.fd);
    return written;
}
