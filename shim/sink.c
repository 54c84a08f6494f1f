/* SPDX-License-Identifier: MIT */
#include "shim/sink.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "shim/config.h"
#include "shim/diagnosis/text.h"
#include "shim/scratch.h"
#include "shim/sys.h"

/* Where the descriptor that we ask for begins: above what programs and shells name by number, below
   FD_SETSIZE, so that the kernel's descriptor table stays small. */
enum { HIGHEST = 1000 };

struct identity {
    dev_t device;
    ino_t inode;
};

struct log {
    int fd; /* was the log when it was stored; what it is now is asked before each write */
    struct identity identity;
};

/* Only the last one counts. A reader may copy an entry while it is stored anew, 16 openings later:
   then the kernel's answer differs from what it got, and it opens the log itself. */
enum { LOGS = 16 };
static struct log logs[LOGS] = {{.fd = -1}};
static _Atomic unsigned last_log;
static _Atomic int storing;
static struct identity stderr_file;
static _Atomic uint64_t lost;
static _Atomic int complained;
static _Atomic int torn;          /* our last write was short: the next begins a new line */
static _Atomic int64_t looked_at; /* when the path was last compared with the descriptor, seconds */
static _Atomic uint64_t size_limit = UINT64_MAX;

static __thread int my_tid __attribute__((tls_model("initial-exec")));
static __thread int my_pid __attribute__((tls_model("initial-exec")));

int tcpdiag_sink_pid(void)
{
    int tid = sys_gettid();
    if (TCPDIAG_UNLIKELY(tid != my_tid)) {
        my_tid = tid;
        my_pid = sys_getpid();
    }
    return my_pid;
}

void tcpdiag_sink_init(void)
{
    struct stat64 status;
    if (sys_fstat(STDERR_FILENO, &status) == 0)
        stderr_file = (struct identity){status.st_dev, status.st_ino};
}

static bool is(const struct stat64 *status, const struct identity *identity)
{
    return status->st_ino == identity->inode && status->st_dev == identity->device;
}

/* Standard error may be a pipe whose reader is gone or asleep. POLLOUT on a pipe means room for
   PIPE_BUF bytes (pipe(7)), so a line then neither blocks nor tears. SIGPIPE is held back for the
   reader that goes in between: blocked, and taken if our write raised it (sigpending(2)). */
static bool write_stderr(const char *bytes, size_t length)
{
    struct stat64 status;
    if (sys_fstat(STDERR_FILENO, &status) != 0 || !is(&status, &stderr_file))
        return false;
    int ready = sys_poll_now(STDERR_FILENO, POLLOUT);
    if (!(ready & POLLOUT) || ready & (POLLERR | POLLNVAL))
        return false;
    const uint64_t pipe_signal = UINT64_C(1) << (SIGPIPE - 1);
    uint64_t before;
    uint64_t pending = 0;
    if (sys_sigpending(&pending) != 0 || sys_sigmask(SIG_BLOCK, &pipe_signal, &before) != 0)
        return false;
    bool written = sys_write(STDERR_FILENO, bytes, length) == (long)length;
    if (!written && errno == EPIPE && !(pending & pipe_signal))
        sys_take_signal(&pipe_signal);
    sys_sigmask(SIG_SETMASK, &before, NULL);
    return written;
}

void tcpdiag_sink_complain(const char *what)
{
    if (!tcpdiag_config.warn || atomic_exchange(&complained, true))
        return;
    char line[256];
    struct tcpdiag_out out = {line, line + sizeof line, false};
    tcpdiag_put_literal(&out, "libtcpdiag: ");
    tcpdiag_put_string(&out, what);
    tcpdiag_put_literal(&out, "\n");
    write_stderr(line, (size_t)(out.at - line));
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

static int open_path(void)
{
    /* O_NONBLOCK: a FIFO without a reader must not hold the program up. */
    return sys_open(tcpdiag_config.path,
                    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
                    0600);
}

int tcpdiag_high_copy(int fd)
{
    long highest = HIGHEST;
    uint64_t limit = sys_limit(RLIMIT_NOFILE, UINT64_MAX);
    if (limit < HIGHEST + 8)
        highest = (long)limit - 8;
    return highest > 0 ? sys_fcntl(fd, F_DUPFD_CLOEXEC, highest) : -1;
}

/* Moved up, out of the way of programs that expect the lowest numbers. */
static int move_up(int fd)
{
    int moved = fd < HIGHEST ? tcpdiag_high_copy(fd) : -1;
    if (moved < 0)
        return fd;
    sys_close(fd);
    return moved;
}

static int open_log(struct stat64 *status)
{
    if (!tcpdiag_config.path[0])
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
    if (atomic_exchange_explicit(&storing, 1, memory_order_acquire))
        return false;
    bool first = atomic_load_explicit(&last_log, memory_order_relaxed) == seen;
    if (first) {
        logs[(seen + 1) % LOGS] = *log;
        atomic_store_explicit(&torn, 0, memory_order_relaxed);
        atomic_store_explicit(&last_log, seen + 1, memory_order_release);
    }
    atomic_store_explicit(&storing, 0, memory_order_release);
    return first;
}

/* Once a second: whether the path still names the file that we write (it may have been rotated or
   deleted), and how large a file the program may write (RLIMIT_FSIZE). */
static bool path_has_moved(const struct log *log, int64_t seconds)
{
    struct stat64 status;
    if (atomic_exchange_explicit(&looked_at, seconds, memory_order_relaxed) == seconds)
        return false;
    atomic_store_explicit(&size_limit, sys_limit(RLIMIT_FSIZE, UINT64_MAX), memory_order_relaxed);
    return sys_lstat(tcpdiag_config.path, &status) != 0 || !is(&status, &log->identity);
}

static bool write_to(int fd, const struct stat64 *status, const char *bytes, size_t length)
{
    /* Beyond the limit a write raises SIGXFSZ, which kills (setrlimit(2)). */
    if ((uint64_t)status->st_size + length + 1 >
        atomic_load_explicit(&size_limit, memory_order_relaxed))
        return false;
    if (atomic_exchange_explicit(&torn, 0, memory_order_relaxed))
        sys_write(fd, "\n", 1);
    long written = sys_write(fd, bytes, length);
    if (written > 0 && written < (long)length)
        atomic_store_explicit(&torn, 1, memory_order_relaxed);
    return written == (long)length;
}

static bool write_log(const char *bytes, size_t length, int64_t seconds)
{
    struct stat64 status;
    struct stat64 opened;
    unsigned last = atomic_load_explicit(&last_log, memory_order_acquire);
    const struct log log = logs[last % LOGS];
    bool still = log.fd >= 0 && sys_fstat(log.fd, &status) == 0 && is(&status, &log.identity);
    bool moved = path_has_moved(&log, seconds);
    if (TCPDIAG_LIKELY(still && !moved))
        return write_to(log.fd, &status, bytes, length);
    struct log fresh = {.fd = open_log(&opened)};
    if (fresh.fd < 0)
        return still && write_to(log.fd, &status, bytes, length);
    fresh.identity = (struct identity){opened.st_dev, opened.st_ino};
    bool stored = store(&fresh, last);
    bool written = write_to(fresh.fd, &opened, bytes, length);
    /* What the old number is now is not ours to close, unless it still was the log. */
    if (stored && still)
        sys_close(log.fd);
    if (!stored)
        sys_close(fresh.fd);
    return written;
}

void tcpdiag_sink_record(struct tcpdiag_record *record)
{
    struct tcpdiag_scratch *scratch = tcpdiag_scratch_take();
    if (!scratch) {
        atomic_fetch_add(&lost, 1);
        return;
    }
    record->who = &tcpdiag_identity;
    record->pid = tcpdiag_sink_pid();
    record->tid = my_tid;
    record->wall_ns = sys_nanoseconds(CLOCK_REALTIME);
    uint64_t missing = 0;
    if (TCPDIAG_UNLIKELY(atomic_load_explicit(&lost, memory_order_relaxed) != 0))
        missing = atomic_exchange(&lost, 0);
    record->lost = missing;
    size_t length = tcpdiag_record_json(record, scratch->line);
    bool written = tcpdiag_config.to_stderr
                       ? write_stderr(scratch->line, length)
                       : write_log(scratch->line, length, record->wall_ns / 1000000000);
    if (!written) {
        atomic_fetch_add(&lost, missing + 1);
        tcpdiag_sink_complain("the log cannot be written; records are lost");
    }
    tcpdiag_scratch_give(scratch);
}
