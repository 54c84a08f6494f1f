/* SPDX-License-Identifier: MIT */
#include "shim/log/line.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>

#include "shim/process/sys.h"

int tcpdiag_write_line(tcpdiag_writer writer, int fd, const char *line, size_t length, bool mend)
{
    const struct iovec parts[] = {{(void *)"\n", 1}, {(void *)line, length}};
    long written = writer(fd, mend ? parts : parts + 1, mend ? 2 : 1);
    if (written == (long)length + mend)
        return 1;
    if (written == (long)length + mend - 1)
        return 2;
    return written > mend ? -1 : 0;
}

/* SIGTTOU: a terminal may stop the background jobs that write to it, unless they block this
   (termios(3), TOSTOP). */
int tcpdiag_write_line_quietly(tcpdiag_writer writer, int fd, const char *line, size_t length,
                               bool mend)
{
    const uint64_t signals =
        UINT64_C(1) << (SIGPIPE - 1) | UINT64_C(1) << (SIGXFSZ - 1) | UINT64_C(1) << (SIGTTOU - 1);
    uint64_t before;
    uint64_t pending = 0;
    if (sys_sigpending(&pending) != 0 || sys_sigmask(SIG_BLOCK, &signals, &before) != 0)
        return 0;
    int written = tcpdiag_write_line(writer, fd, line, length, mend);
    uint64_t raised = written > 0      ? 0
                      : errno == EPIPE ? UINT64_C(1) << (SIGPIPE - 1)
                      : errno == EFBIG ? UINT64_C(1) << (SIGXFSZ - 1)
                                       : 0;
    if (raised & ~pending)
        sys_take_signal(&raised);
    sys_sigmask(SIG_SETMASK, &before, NULL);
    return written;
}
