/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_RIGHTS_H
#define TCPDIAG_RIGHTS_H

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "shim/attempts/flight.h"
#include "shim/process/readable.h"
#include "shim/process/sys.h"

/* After a message has gone or come: whoever gets a descriptor over a Unix socket may want its
   error, and of one that has come somebody else has, or had, another (unix(7), SCM_RIGHTS). */
static inline void tcpdiag_rights_passed(const struct msghdr *message)
{
    if (TCPDIAG_LIKELY(message->msg_controllen == 0))
        return;
    for (struct cmsghdr *at = NULL; (at = sys_control(message, at));) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= (uint32_t)at->cmsg_len; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(at) + i * sizeof fd, sizeof fd);
            tcpdiag_about_to_share(fd);
        }
    }
}

/* The same after one has come. The kernel had read where the control data goes before it wrote the
   data, which may lie over the message: what stands there now need not be a pointer. Then, or where
   a seccomp filter lets nobody ask, it may have been any descriptor. No need to ask about the page
   of the message itself: the kernel has read it. */
static inline void tcpdiag_rights_came(const struct msghdr *message)
{
    const uintptr_t page = (uintptr_t)message / 4096;
    const uintptr_t first = (uintptr_t)message->msg_control;
    const uint32_t length = (uint32_t)message->msg_controllen;
    if (TCPDIAG_LIKELY(message->msg_controllen == 0))
        return;
    int saved = errno;
    bool readable = (first / 4096 == page && (first + length - 1) / 4096 == page) ||
                    tcpdiag_readable(message->msg_control, length);
    errno = saved;
    if (readable)
        tcpdiag_rights_passed(message);
    else
        tcpdiag_about_to_share_all();
}

#endif
