/* SPDX-License-Identifier: MIT */
#include "shim/diagnosis/endpoint.h"

#include <netinet/in.h>
#include <string.h>

/* sin6_scope_id came later than the rest (SIN6_LEN_RFC2133 in the kernel). */
enum { IPV6_WITHOUT_SCOPE = 24 };

void tcpdiag_endpoint_from_bytes(struct tcpdiag_endpoint *endpoint, int family, const void *bytes)
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const unsigned char *address = bytes;
    bool v4_mapped = family == AF_INET6 && memcmp(address, mapped, sizeof mapped) == 0;
    memset(endpoint, 0, sizeof *endpoint);
    if (family == AF_INET || v4_mapped) {
        endpoint->family = AF_INET;
        memcpy(endpoint->address, address + (v4_mapped ? sizeof mapped : 0), 4);
    } else if (family == AF_INET6) {
        endpoint->family = AF_INET6;
        memcpy(endpoint->address, address, 16);
    }
}

void tcpdiag_endpoint_from(struct tcpdiag_endpoint *endpoint, const void *address, socklen_t length)
{
    sa_family_t family = 0;
    memset(endpoint, 0, sizeof *endpoint);
    if (length >= (socklen_t)sizeof family)
        memcpy(&family, address, sizeof family);
    if (family == AF_INET && length >= (socklen_t)sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        tcpdiag_endpoint_from_bytes(endpoint, AF_INET, &in.sin_addr);
        endpoint->port = ntohs(in.sin_port);
    } else if (family == AF_INET6 && length >= IPV6_WITHOUT_SCOPE) {
        struct sockaddr_in6 in6 = {0};
        memcpy(&in6, address, (size_t)length < sizeof in6 ? (size_t)length : sizeof in6);
        tcpdiag_endpoint_from_bytes(endpoint, AF_INET6, &in6.sin6_addr);
        endpoint->port = ntohs(in6.sin6_port);
        endpoint->scope = endpoint->family == AF_INET6 ? in6.sin6_scope_id : 0;
    }
}

socklen_t tcpdiag_endpoint_to(const struct tcpdiag_endpoint *endpoint,
                              struct sockaddr_storage *address)
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

bool tcpdiag_same_address(const struct tcpdiag_endpoint *a, const struct tcpdiag_endpoint *b)
{
    return a->family == b->family &&
           memcmp(a->address, b->address, a->family == AF_INET ? 4 : 16) == 0;
}

static void put_ipv4(struct tcpdiag_out *out, const uint8_t *address)
{
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            tcpdiag_put_literal(out, ".");
        tcpdiag_put_number(out, address[i], 1);
    }
}

/* RFC 5952: the first longest run of two or more zero groups is "::". An IPv4 address within is
   written as one. */
static void put_ipv6(struct tcpdiag_out *out, const uint8_t *address)
{
    unsigned groups[8];
    int start = -1;
    int length = 1;
    for (int i = 0; i < 8; i++)
        groups[i] = (unsigned)address[2 * i] << 8 | address[2 * i + 1];
    for (int i = 0; i < 8; i++) {
        int end = i;
        while (end < 8 && groups[end] == 0)
            end++;
        if (end - i > length) {
            start = i;
            length = end - i;
        }
    }
    bool ipv4 = start == 0 && (length == 6 || (length == 5 && groups[5] == 0xffff));
    for (int i = 0; i < (ipv4 ? 6 : 8); i++) {
        if (i == start) {
            tcpdiag_put_literal(out, "::");
            i += length - 1;
        } else {
            if (i > 0 && i != start + length)
                tcpdiag_put_literal(out, ":");
            tcpdiag_put_hex(out, groups[i]);
        }
    }
    if (ipv4) {
        if (length == 5)
            tcpdiag_put_literal(out, ":");
        put_ipv4(out, address + 12);
    }
}

void tcpdiag_put_address(struct tcpdiag_out *out, const struct tcpdiag_endpoint *endpoint)
{
    if (endpoint->family == AF_INET) {
        put_ipv4(out, endpoint->address);
    } else if (endpoint->family == AF_INET6) {
        put_ipv6(out, endpoint->address);
        if (endpoint->scope != 0) {
            tcpdiag_put_literal(out, "%");
            tcpdiag_put_number(out, endpoint->scope, 1);
        }
    }
}

size_t tcpdiag_address_text(const struct tcpdiag_endpoint *endpoint, char *buffer)
{
    struct tcpdiag_out out = {buffer, buffer + TCPDIAG_ADDRESS_MAX - 1, false};
    tcpdiag_put_address(&out, endpoint);
    *out.at = '\0';
    return (size_t)(out.at - buffer);
}
