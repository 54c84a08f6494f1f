/* SPDX-License-Identifier: MIT */
#include "shim/diagnosis/icmp.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

struct meaning {
    uint8_t kind;
    uint8_t error;
};

#define MEANING(kind, error)                                                                       \
    {                                                                                              \
        TCPDIAG_ICMP_##kind, error                                                                 \
    }

/* Destination unreachable by its codes: RFC 792, RFC 1122 (3.2.2.1), RFC 1812 (5.2.7.1). */
static const struct meaning unreachable4[] = {
    MEANING(UNREACHABLE, ENETUNREACH),
    MEANING(UNREACHABLE, EHOSTUNREACH),
    MEANING(PORT, ENOPROTOOPT), /* what "reject with icmp proto-unreachable" sends */
    MEANING(PORT, ECONNREFUSED),
    MEANING(UNREACHABLE, 0), /* fragmentation needed: path MTU discovery goes on */
    MEANING(UNREACHABLE, EOPNOTSUPP),
    MEANING(UNREACHABLE, ENETUNREACH),
    MEANING(UNREACHABLE, EHOSTDOWN),
    MEANING(UNREACHABLE, ENONET),
    MEANING(PROHIBITED, ENETUNREACH),
    MEANING(PROHIBITED, EHOSTUNREACH),
    MEANING(UNREACHABLE, ENETUNREACH),
    MEANING(UNREACHABLE, EHOSTUNREACH),
    MEANING(PROHIBITED, EHOSTUNREACH),
    MEANING(UNREACHABLE, EHOSTUNREACH),
    MEANING(UNREACHABLE, EHOSTUNREACH),
};

/* RFC 4443, 3.1. */
static const struct meaning unreachable6[] = {
    MEANING(UNREACHABLE, ENETUNREACH),
    MEANING(PROHIBITED, EACCES),
    MEANING(UNREACHABLE, EHOSTUNREACH),
    MEANING(UNREACHABLE, EHOSTUNREACH),
    MEANING(PORT, ECONNREFUSED),
    MEANING(PROHIBITED, EACCES), /* the source address failed a policy */
    MEANING(PROHIBITED, EACCES), /* a route says reject */
};

static struct meaning meaning4(int type, int code)
{
    static const struct meaning unknown = MEANING(UNREACHABLE, 0);
    static const struct meaning expired = MEANING(TTL, EHOSTUNREACH);
    static const struct meaning parameter = MEANING(OTHER, EPROTO);
    static const struct meaning other = MEANING(OTHER, 0);
    if (type == 3)
        return (size_t)code < sizeof unreachable4 / sizeof unreachable4[0] ? unreachable4[code]
                                                                           : unknown;
    return type == 11 ? expired : type == 12 ? parameter : other;
}

static struct meaning meaning6(int type, int code)
{
    static const struct meaning unknown = MEANING(UNREACHABLE, EPROTO);
    static const struct meaning expired = MEANING(TTL, EHOSTUNREACH);
    static const struct meaning parameter = MEANING(OTHER, EPROTO);
    static const struct meaning other = MEANING(OTHER, 0); /* too big: path MTU discovery goes on */
    if (type == 1)
        return (size_t)code < sizeof unreachable6 / sizeof unreachable6[0] ? unreachable6[code]
                                                                           : unknown;
    return type == 3 ? expired : type == 4 ? parameter : other;
}

enum tcpdiag_icmp_kind tcpdiag_icmp_kind(int family, int type, int code)
{
    return (enum tcpdiag_icmp_kind)(family == AF_INET6 ? meaning6(type, code).kind
                                                       : meaning4(type, code).kind);
}

int tcpdiag_icmp_errno(int family, int type, int code)
{
    return family == AF_INET6 ? meaning6(type, code).error : meaning4(type, code).error;
}
