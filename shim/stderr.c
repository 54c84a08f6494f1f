/* SPDX-License-Identifier: MIT */
/* Standard error as the log: it may be a pipe or a terminal whose reader is asleep or gone. */
#include <errno.h>
#include <signal.h>

#include "shim/places.h"
#include "shim/scratch.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif

static struct tcpdiag_file standard_error;

void tcpdiag_stderr_init(void)
{
    struct stat64 status;
    if (sys_fstat(STDERR_FILENO, &status) == 0)
        standard_error = (struct tcpdiag_file){status.st_dev, status.st_ino};
}

bool tcpdiag_write_line(tcpdiag_writer writer, int fd, const char *line, size_t length,
                        _Atomic int *torn)
{
    const struct iovec parts[] = {{(void *)"\n", 1}, {(void *)line, length}};
    bool mend = atomic_exchange_explicit(torn, 0, memory_order_relaxed);
    long written = writer(fd, mend ? parts : parts + 1, mend ? 2 : 1);
    if (written == (long)length + mend)
        return true;
    if (written > (mend ? 1 : 0) || (mend && written <= 0))
        atomic_store_explicit(torn, 1, memory_order_relaxed);
    return false;
}

/* SIGTTOU: a terminal may stop the background jobs that write to it, unless they block this
   (termios(3), TOSTOP). */
bool tcpdiag_write_line_quietly(tcpdiag_writer writer, int fd, const char *line, size_t length,
                                _Atomic int *torn)
{
    const uint64_t signals =
        UINT64_C(1) << (SIGPIPE - 1) | UINT64_C(1) << (SIGXFSZ - 1) | UINT64_C(1) << (SIGTTOU - 1);
    uint64_t before;
    uint64_t pending = 0;
    if (sys_sigpending(&pending) != 0 || sys_sigmask(SIG_BLOCK, &signals, &before) != 0)
        return false;
    bool written = tcpdiag_write_line(writer, fd, line, length, torn);
    uint64_t raised = written          ? 0
                      : errno == EPIPE ? UINT64_C(1) << (SIGPIPE - 1)
                      : errno == EFBIG ? UINT64_C(1) << (SIGXFSZ - 1)
                                       : 0;
    if (raised & ~pending)
        sys_take_signal(&raised);
    sys_sigmask(SIG_SETMASK, &before, NULL);
    return written;
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

/* By a description of our own, so that the program's stays blocking. */
static long write_reopened(int fd, const struct iovec *parts, int count)
{
    int own = sys_open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
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

bool tcpdiag_stderr_write(const char *line, size_t length)
{
    struct stat64 status;
    if (sys_fstat(STDERR_FILENO, &status) != 0 || !tcpdiag_is_file(&status, &standard_error))
        return false;
    int ready = sys_poll_now(STDERR_FILENO, POLLOUT);
    if (!(ready & POLLOUT) || ready & (POLLERR | POLLNVAL))
        return false;
    tcpdiag_writer writer = S_ISREG(status.st_mode)    ? write_now
                            : S_ISSOCK(status.st_mode) ? send_now
                            : S_ISFIFO(status.st_mode) ? write_pipe
                                                       : write_reopened;
    return tcpdiag_write_line_quietly(writer, STDERR_FILENO, line, length,
                                      &tcpdiag_this_process->stderr_torn);
}
