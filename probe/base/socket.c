/* SPDX-License-Identifier: MIT */
#include "probe/base/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "shim/evidence/endpoint.h"

socklen_t socket_address(const struct tcpdiag_endpoint *endpoint, struct sockaddr_storage *address)
{
    memset(address, 0, sizeof *address);
    if (endpoint->family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(endpoint->port);
        in6->sin6_scope_id = endpoint->scope;
        memcpy(&in6->sin6_addr, endpoint->address, sizeof in6->sin6_addr);
        return sizeof *in6;
    }
    struct sockaddr_in *in = (struct sockaddr_in *)address;
    in->sin_family = AF_INET;
    in->sin_port = htons(endpoint->port);
    memcpy(&in->sin_addr, endpoint->address, sizeof in->sin_addr);
    return sizeof *in;
}

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
