/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_RIGHTS_H
#define TCPDIAG_RIGHTS_H

#include <string.h>
#include <sys/socket.h>

#include "shim/sys.h"
#include "shim/track.h"

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

#endif
