/* SPDX-License-Identifier: MIT */
/*
 * An address and a port: as the kernel has them, as people read them, and whether two are the same.
 * Pure: no system call, no allocation, no locale; thread-safe and async-signal-safe.
 */
#ifndef TCPDIAG_ENDPOINT_H
#define TCPDIAG_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "shim/diagnosis/text.h"

#ifdef __cplusplus
extern "C" {
#endif

struct tcpdiag_endpoint {
    uint16_t family;     /* AF_INET or AF_INET6; 0: none */
    uint16_t port;       /* host byte order */
    uint32_t scope;      /* IPv6 scope id (interface index), 0: none */
    uint8_t address[16]; /* network byte order; the first 4 bytes for AF_INET */
};

/* From the kernel's or the program's sockaddr, which must be readable and need not be aligned.
   Leaves family 0 where it is no IPv4 or IPv6 address, or too short for one. A v4-mapped address
   becomes the IPv4 address that the packets carry (RFC 4291, 2.5.5.2). */
void tcpdiag_endpoint_from(struct tcpdiag_endpoint *endpoint, const void *address,
                           socklen_t length);

/* The same from the 4 or 16 bytes of an in_addr or in6_addr; port and scope become 0. */
void tcpdiag_endpoint_from_bytes(struct tcpdiag_endpoint *endpoint, int family, const void *bytes);

/* As connect and bind take it; returns its length. */
socklen_t tcpdiag_endpoint_to(const struct tcpdiag_endpoint *endpoint,
                              struct sockaddr_storage *address);

/* Whatever their ports and scopes are. */
bool tcpdiag_same_address(const struct tcpdiag_endpoint *a, const struct tcpdiag_endpoint *b);

/* "10.0.2.2", "fe80::1%2", as inet_ntop(3) writes it, whose own sprintf is not for a signal
   handler; "" where there is none. The scope is a number: an interface's name takes a system call,
   and getaddrinfo(3) reads both. */
void tcpdiag_put_address(struct tcpdiag_out *out, const struct tcpdiag_endpoint *endpoint);

/* The same, NUL-terminated; buffer has room for TCPDIAG_ADDRESS_MAX bytes. Returns its length. */
#define TCPDIAG_ADDRESS_MAX 64
size_t tcpdiag_address_text(const struct tcpdiag_endpoint *endpoint, char *buffer);

#ifdef __cplusplus
}
#endif
#endif
