/* SPDX-License-Identifier: MIT */
/* Standard error as the log: it may be a pipe or a terminal whose reader is asleep or gone. */
#include "shim/log/stderr.h"

#include <errno.h>
#include <signal.h>

#include "shim/log/line.h"
#include "shim/process/descriptor.h"
#include "shim/process/state.h"
#include "shim/process/sys.h"
#include "shim/process/threads.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif

static struct tcpdiag_file standard_error;

/* A description of our own of a terminal, or of a pipe that cannot be told not to wait, so that the
   program's stays blocking. A process with one thread opens and closes it for each line; one with
   threads keeps it from before the first one, and until the program lets go of standard error. */
static _Atomic int kept = -1;

void tcpdiag_stderr_init(void)
{
    struct tcpdiag_status status;
    if (tcpdiag_status_of(STDERR_FILENO, &status) == 0)
        standard_error = status.file;
}

static bool is_standard_error(int fd, struct tcpdiag_status *status)
{
    return fd >= 0 && tcpdiag_status_of(fd, status) == 0 &&
           tcpdiag_same_file(&status->file, &standard_error);
}

static long write_now(int fd, const struct iovec *parts, int count)
{
    return sys_call(SYS_writev, fd, parts, count);
}

static long send_now(int fd, const struct iovec *parts, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
    return sys_sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int reopen(void)
{
    return sys_open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
}

static long write_reopened(int fd, const struct iovec *parts, int count)
{
    struct tcpdiag_status status;
    int own = atomic_load_explicit(&kept, memory_order_relaxed);
    if (is_standard_error(own, &status))
        return write_now(own, parts, count);
    if (!tcpdiag_alone())
        return -1;
    own = reopen();
    if (own < 0) /* no /proc, or somebody else's terminal: there was room a moment ago */
        return write_now(fd, parts, count);
    long written = write_now(own, parts, count);
    int error = errno;
    sys_close(own);
    errno = error;
    return written;
}

/* Pipes can be told not to wait since Linux 6.5; terminals cannot. */
static long write_pipe(int fd, const struct iovec *parts, int count)
{
    long written = sys_call(SYS_pwritev2, fd, parts, count, -1, -1, RWF_NOWAIT);
    if (written < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL))
        return write_reopened(fd, parts, count);
    return written;
}

static bool kernel_before(unsigned major, unsigned minor)
{
    struct utsname name;
    unsigned found[2] = {0, 0};
    const char *at = name.release;
    if (sys_uname(&name) != 0)
        return true;
    for (int i = 0; i < 2; i++, at += *at == '.')
        for (; *at >= '0' && *at <= '9'; at++)
            found[i] = found[i] * 10 + (unsigned)(*at - '0');
    return found[0] < major || (found[0] == major && found[1] < minor);
}

void tcpdiag_stderr_prepare(void)
{
    struct tcpdiag_status status;
    if (is_standard_error(atomic_load_explicit(&kept, memory_order_relaxed), &status) ||
        !is_standard_error(STDERR_FILENO, &status) ||
        !(S_ISCHR(status.mode) || (S_ISFIFO(status.mode) && kernel_before(6, 5))) ||
        !tcpdiag_alone())
        return;
    int own = reopen();
    int high = own >= 0 ? tcpdiag_moved_up(own, &standard_error, true) : -1;
    if (high < 0 && own >= 0)
        sys_close(own);
    atomic_store_explicit(&kept, high, memory_order_relaxed);
}

void tcpdiag_stderr_closing(void)
{
    int own = atomic_load_explicit(&kept, memory_order_relaxed);
    if (own < 0)
        return;
    tcpdiag_close_own(own, &standard_error);
    /* A vfork child closes its own descriptor, and shares the memory in which its parent's stands.
     */
    if (atomic_load_explicit(&tcpdiag_this_process->pid, memory_order_relaxed) == sys_getpid())
        atomic_store_explicit(&kept, -1, memory_order_relaxed);
}

bool tcpdiag_stderr_write(const char *line, size_t length)
{
    struct tcpdiag_status status;
    _Atomic int *torn = &tcpdiag_this_process->stderr_torn;
    if (!is_standard_error(STDERR_FILENO, &status))
        return false;
    int ready = sys_poll_now(STDERR_FILENO, POLLOUT);
    if (!(ready & POLLOUT) || ready & (POLLERR | POLLNVAL))
        return false;
    tcpdiag_writer writer = S_ISREG(status.mode)    ? write_now
                            : S_ISSOCK(status.mode) ? send_now
                            : S_ISFIFO(status.mode) ? write_pipe
                                                    : write_reopened;
    bool mend = atomic_load_explicit(torn, memory_order_relaxed);
    int result = tcpdiag_write_line_quietly(writer, STDERR_FILENO, line, length, mend);
    if (result != 0)
        atomic_store_explicit(torn, result != 1, memory_order_relaxed);
    return result > 0;
}
