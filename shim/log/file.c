/* SPDX-License-Identifier: MIT */
/* The log as a file: opened late, looked after, and kept out of the program's way. */
#include "shim/log/file.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "shim/log/line.h"
#include "shim/log/open.h"
#include "shim/process/descriptor.h"
#include "shim/process/identity.h"
#include "shim/process/state.h"
#include "shim/process/sys.h"
#include "shim/process/threads.h"

/* A write that is cut short by a signal that kills ends at the end of a page
   (generic_perform_write in mm/filemap.c), one on a full disk at that of a block. */
enum { SMALLEST_BLOCK = 512 };

/* Tries to become the one that opens the log, first with the processor given away in between, then
   with a millisecond each: the one that opens it may have lost the processor in the middle. */
enum { YIELDS = 100, PAUSES = 20 };

struct log {
    int fd; /* was the log when it was stored; what it is now is asked before each write */
    bool counts_links;
    const char *path;
    struct tcpdiag_file file;
};

/* The log was opened so often, and only the last opening counts. This is a data race that is
   tolerated: a reader may copy an entry while, 16 openings later, a writer stores it anew. The copy
   is then of two logs; it differs from what the kernel says of the descriptor, and the reader opens
   the log itself. */
enum { LOGS = 16 };
static struct log logs[LOGS] = {{.fd = -1}};
static _Atomic unsigned last_log;
static _Atomic int64_t looked_at; /* when the path was last compared with the descriptor, seconds */
static _Atomic int64_t failed_at; /* when it could not be opened among threads, seconds */

/* ---- one line ---- */

static long append(int fd, const struct iovec *parts, int count)
{
    return count == 1 ? sys_write(fd, parts->iov_base, parts->iov_len)
                      : sys_call(SYS_writev, fd, parts, count);
}

/* Whether somebody's line was cut short at the end of the file. A line that another process is just
   writing looks the same, but not any more when its write is over, for which SEEK_DATA waits: it
   takes the inode's lock (ext4_llseek, shmem_file_llseek and others). */
static bool ends_in_half_a_line(int fd, const struct tcpdiag_status *status)
{
    char last;
    struct tcpdiag_status later;
    if (status->size == 0 || sys_pread(fd, &last, 1, status->size - 1) != 1 || last == '\n')
        return false;
    sys_seek_data(fd);
    return tcpdiag_status_of(fd, &later) == 0 && later.size == status->size;
}

/* Beyond the limit of a file's size a write raises SIGXFSZ, which kills (setrlimit(2)). The program
   may lower it at any time, and another process may have filled the file up since we looked. */
static bool write_to(int fd, const struct tcpdiag_status *status, const char *line, size_t length)
{
    uint64_t limit = sys_limit(RLIMIT_FSIZE, UINT64_MAX - 1); /* not known: there may be one */
    _Atomic int *torn = &tcpdiag_this_process->log_torn;
    bool mend = false;
    int result;
    if (TCPDIAG_UNLIKELY(status->size % SMALLEST_BLOCK == 0 ||
                         atomic_load_explicit(torn, memory_order_relaxed)))
        mend = ends_in_half_a_line(fd, status);
    if (TCPDIAG_LIKELY(limit == UINT64_MAX))
        result = tcpdiag_write_line(append, fd, line, length, mend);
    else if (status->size + length + 1 > limit)
        return false;
    else
        result = tcpdiag_write_line_quietly(append, fd, line, length, mend);
    if (result != 0)
        atomic_store_explicit(torn, result != 1, memory_order_relaxed);
    return result > 0;
}

/* ---- opening ---- */

static bool is_still(const struct log *log, struct tcpdiag_status *status)
{
    return log->fd >= 0 && tcpdiag_status_of(log->fd, status) == 0 &&
           tcpdiag_same_file(&status->file, &log->file);
}

static bool deleted(const struct log *log, const struct tcpdiag_status *status)
{
    return log->counts_links && status->links == 0;
}

/* Once a second: whether the path still names the file that we write; it may have been rotated. */
static bool path_has_moved(const struct log *log, int64_t seconds)
{
    struct tcpdiag_status status;
    if (atomic_exchange_explicit(&looked_at, seconds, memory_order_relaxed) == seconds)
        return false;
    return tcpdiag_status_at(log->path, &status) != 0 ||
           !tcpdiag_same_file(&status.file, &log->file);
}

static bool own_memory(void)
{
    struct tcpdiag_this_process *process = tcpdiag_this_process;
    int pid = sys_getpid();
    int none = 0;
    return atomic_compare_exchange_strong(&process->pid, &none, pid) || none == pid;
}

/* A handler that has interrupted the thread that opens the log does not wait for itself. */
static bool begin_opening(void)
{
    int tid;
    tcpdiag_pid_and_tid(&tid);
    for (int i = 0; i < YIELDS + PAUSES; i++) {
        int opener = 0;
        if (atomic_compare_exchange_strong_explicit(&tcpdiag_this_process->opening, &opener, tid,
                                                    memory_order_acquire, memory_order_relaxed))
            return true;
        if (opener == tid)
            return false;
        if (i < YIELDS)
            sys_yield();
        else
            sys_pause_millisecond();
    }
    return false;
}

static void end_opening(void)
{
    atomic_store_explicit(&tcpdiag_this_process->opening, 0, memory_order_release);
}

static struct log newest(void)
{
    return logs[atomic_load_explicit(&last_log, memory_order_acquire) % LOGS];
}

static void store(const struct log *log)
{
    unsigned next = atomic_load_explicit(&last_log, memory_order_relaxed) + 1;
    logs[next % LOGS] = *log;
    atomic_store_explicit(&tcpdiag_this_process->log_torn, 0, memory_order_relaxed);
    atomic_store_explicit(&last_log, next, memory_order_release);
}

/* The new log under the number that we keep: the old one's, or a new one. -1: it cannot be kept. */
static int keep(const struct tcpdiag_opened *fresh, const struct log *old, bool few)
{
    struct tcpdiag_status status;
    if (!is_still(old, &status))
        return tcpdiag_moved_up(fresh->fd, &fresh->status.file, few);
    int fd = (int)sys_call(SYS_dup3, fresh->fd, old->fd, O_CLOEXEC);
    if (fd >= 0)
        tcpdiag_close_own(fresh->fd, &fresh->status.file);
    return fd;
}

/* A process with threads opens the log anew where it was rotated, deleted or closed: the one time
   that a number of ours can be seen (docs/limits.md). Not for each record where that fails. */
static bool may_open(const struct log *old, bool alone, int64_t seconds)
{
    return alone ||
           (old->fd >= 0 && atomic_load_explicit(&failed_at, memory_order_relaxed) != seconds);
}

/* old NULL: it is not kept. line NULL: none. */
static bool write_fresh(const struct tcpdiag_opened *fresh, const struct log *old, bool few,
                        const char *line, size_t length)
{
    int kept = old ? keep(fresh, old, few) : -1;
    int fd = kept >= 0 ? kept : fresh->fd;
    if (kept >= 0)
        store(&(struct log){kept, fresh->status.links > 0, fresh->path, fresh->status.file});
    bool written = line && write_to(fd, &fresh->status, line, length);
    if (kept < 0)
        tcpdiag_close_own(fd, &fresh->status.file);
    return written;
}

/* By the last opening, which may be another thread's. */
static bool write_newest(const char *line, size_t length)
{
    struct tcpdiag_status status;
    struct log log = newest();
    return is_still(&log, &status) && !deleted(&log, &status) &&
           (!line || write_to(log.fd, &status, line, length));
}

/* line NULL: none, the log is only opened. few: see tcpdiag_moved_up. */
static bool open_and_write(const char *line, size_t length, int64_t seconds, bool few,
                           unsigned seen)
{
    struct tcpdiag_opened fresh;
    bool shared = own_memory() && begin_opening(); /* else for this line alone */
    bool alone = tcpdiag_alone();
    struct log old = newest();
    bool written = false;
    if (shared && atomic_load_explicit(&last_log, memory_order_acquire) != seen) {
        written = write_newest(line, length);
    } else if (may_open(&old, alone, seconds) && (shared || alone)) {
        if (tcpdiag_logfile_open(&fresh))
            written = write_fresh(&fresh, shared ? &old : NULL, few || !alone, line, length);
        else
            atomic_store_explicit(&failed_at, seconds, memory_order_relaxed);
    }
    if (shared)
        end_opening();
    return written;
}

void tcpdiag_logfile_prepare(void)
{
    struct tcpdiag_status status;
    unsigned seen = atomic_load_explicit(&last_log, memory_order_acquire);
    struct log log = newest();
    if (!is_still(&log, &status))
        open_and_write(NULL, 0, 0, true, seen);
}

bool tcpdiag_logfile_write(const char *line, size_t length, int64_t seconds)
{
    struct tcpdiag_status status;
    unsigned seen = atomic_load_explicit(&last_log, memory_order_acquire);
    struct log log = newest();
    bool still = is_still(&log, &status);
    bool gone = still && (deleted(&log, &status) || path_has_moved(&log, seconds));
    if (TCPDIAG_LIKELY(still && !gone))
        return write_to(log.fd, &status, line, length);
    return open_and_write(line, length, seconds, false, seen) || write_newest(line, length);
}
