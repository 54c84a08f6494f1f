/* SPDX-License-Identifier: MIT */
#include "probe/questions/neighbour.h"

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static bool is_for(const struct nlmsghdr *message, const struct tcpdiag_endpoint *address)
{
    const struct ndmsg *entry = NLMSG_DATA(message);
    size_t size = address->family == AF_INET ? 4 : 16;
    int left = (int)NLMSG_PAYLOAD(message, sizeof *entry);
    if (message->nlmsg_type != RTM_NEWNEIGH || message->nlmsg_len < NLMSG_LENGTH(sizeof *entry) ||
        entry->ndm_family != address->family ||
        (address->scope != 0 && (int)address->scope != entry->ndm_ifindex))
        return false;
    const struct rtattr *at =
        (const struct rtattr *)(const void *)((const char *)entry + NLMSG_ALIGN(sizeof *entry));
    for (; RTA_OK(at, left); at = RTA_NEXT(at, left))
        if (at->rta_type == NDA_DST && RTA_PAYLOAD(at) == size)
            return memcmp(RTA_DATA(at), address->address, size) == 0;
    return false;
}

/* One part of the answer; true while more will come. */
static bool read_part(int fd, const struct tcpdiag_endpoint *address, uint16_t *state, bool *found)
{
    union {
        struct nlmsghdr align;
        char bytes[32768]; /* the kernel's largest part of a dump, netlink(7) */
    } part;
    ssize_t length = recv(fd, &part, sizeof part, 0);
    if (length <= 0)
        return false;
    int left = (int)length;
    for (const struct nlmsghdr *at = &part.align; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
        if (at->nlmsg_type == NLMSG_DONE || at->nlmsg_type == NLMSG_ERROR)
            return false;
        if (is_for(at, address)) {
            *state = ((const struct ndmsg *)NLMSG_DATA(at))->ndm_state;
            *found = true;
        }
    }
    return true;
}

bool neighbour_state(const struct tcpdiag_endpoint *address, uint16_t *state)
{
    struct {
        struct nlmsghdr header;
        struct ndmsg entry;
    } ask = {{.nlmsg_len = sizeof ask,
              .nlmsg_type = RTM_GETNEIGH,
              .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
             {.ndm_family = (uint8_t)address->family}};
    struct timeval limit = {1, 0}; /* the kernel answers at once: only not to hang, should it not */
    bool found = false;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (send(fd, &ask, sizeof ask, 0) == (ssize_t)sizeof ask)
        while (read_part(fd, address, state, &found))
            ;
    close(fd);
    return found;
}
