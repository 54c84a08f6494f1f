/* SPDX-License-Identifier: MIT */
#include "probe/base/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

void socket_queue_errors(int fd, int family)
{
    int on = 1;
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    else
        setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
}

bool socket_met_itself(int fd, const struct tcpdiag_endpoint *peer)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    struct tcpdiag_endpoint self;
    if (getsockname(fd, (struct sockaddr *)&name, &length) != 0)
        return false;
    tcpdiag_endpoint_from(&self, &name, length);
    return self.port == peer->port && tcpdiag_same_address(&self, peer);
}
