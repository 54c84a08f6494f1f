/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_ENDPOINT_H
#define TCPDIAG_ENDPOINT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "shim/diagnosis/classify.h"

/* From the kernel's or the program's sockaddr, which need not be aligned. Leaves family 0 where it
   is no IPv4 or IPv6 address or too short for one. A v4-mapped address becomes the IPv4 address
   that the packets carry (RFC 4291, 2.5.5.2). address must be readable. */
static inline void tcpdiag_endpoint_from(struct tcpdiag_endpoint *endpoint, const void *address,
                                         socklen_t length)
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    sa_family_t family = 0;
    memset(endpoint, 0, sizeof *endpoint);
    if (length >= (socklen_t)sizeof family)
        memcpy(&family, address, sizeof family);
    if (family == AF_INET && length >= (socklen_t)sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        endpoint->family = AF_INET;
        endpoint->port = ntohs(in.sin_port);
        memcpy(endpoint->address, &in.sin_addr, 4);
        /* 24 bytes (SIN6_LEN_RFC2133 in the kernel) are enough: the scope id came later. */
    } else if (family == AF_INET6 && length >= 24) {
        struct sockaddr_in6 in6 = {0};
        memcpy(&in6, address, (size_t)length < sizeof in6 ? (size_t)length : sizeof in6);
        endpoint->family = AF_INET6;
        endpoint->port = ntohs(in6.sin6_port);
        endpoint->scope = in6.sin6_scope_id;
        memcpy(endpoint->address, &in6.sin6_addr, 16);
        if (memcmp(endpoint->address, mapped, sizeof mapped) == 0) {
            endpoint->family = AF_INET;
            endpoint->scope = 0;
            memcpy(endpoint->address, &in6.sin6_addr.s6_addr[12], 4);
            memset(endpoint->address + 4, 0, 12);
        }
    }
}

#endif
