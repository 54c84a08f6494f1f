/* SPDX-License-Identifier: MIT */
/*
 * Why a name did not resolve, which getaddrinfo does not tell: each server of /etc/resolv.conf is
 * asked by itself and at once for the name (both families, as it stands and under each search
 * domain) and for the root's servers, which every working resolver knows; /etc/hosts and
 * /etc/nsswitch.conf are read. Needs no privilege. Blocks for at most the limit.
 */
#ifndef TCPDIAG_PROBE_DNS_H
#define TCPDIAG_PROBE_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/diagnosis/classify.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    DNS_SERVERS_MAX = 3, /* MAXNS of resolv.h */
    DNS_NAMES_MAX = 8,   /* the name as it stands, then under each search domain */
    DNS_NAME_SIZE = 256,
};

enum dns_reply {
    DNS_NOT_ASKED = 0,
    DNS_SILENT,      /* no answer within the limit */
    DNS_UNREACHABLE, /* ICMP or a local error: see error */
    DNS_FOUND,       /* NOERROR with records of the type */
    DNS_EMPTY,       /* NOERROR without: the name exists, not with this type */
    DNS_NXDOMAIN,
    DNS_REFUSED,
    DNS_SERVFAIL,
    DNS_OTHER, /* another rcode, or nonsense (rcode -1) */
};

struct dns_answer {
    enum dns_reply reply;
    int rcode;
    int error; /* UNREACHABLE: errno */
    int64_t rtt_us;
};

struct dns_server {
    struct tcpdiag_endpoint endpoint;
    struct dns_answer root;             /* "." NS: does it resolve anything */
    struct dns_answer a[DNS_NAMES_MAX]; /* as in names[] of the result */
    struct dns_answer aaaa[DNS_NAMES_MAX];
};

/* Takes reply and rcode from a name server's packet, which may be anything, about records of this
   type. */
void dns_read_packet(struct dns_answer *answer, int type, const unsigned char *packet,
                     size_t length);

/* The one finding that explains most, most local first. */
enum dns_why {
    DNS_WHY_UNKNOWN = 0,
    DNS_WHY_BAD_NAME,        /* no server may be asked for it: empty or over-long label, ... */
    DNS_WHY_HOSTS,           /* /etc/hosts has the name, but not in the family asked for */
    DNS_WHY_HOSTS_UNUSED,    /* /etc/hosts has it, nsswitch.conf does not read the file */
    DNS_WHY_DNS_UNUSED,      /* nsswitch.conf asks no DNS */
    DNS_WHY_NO_SERVER,       /* resolv.conf is missing or names none, and this machine runs none */
    DNS_WHY_ALL_SILENT,      /* no server answers anything */
    DNS_WHY_ALL_UNREACHABLE, /* nothing listens there, or no way to it */
    DNS_WHY_ALL_REFUSE,     /* servers answer, but could answer for neither the name nor the root */
    DNS_WHY_NAME_FAILS,     /* the servers work; for this name they fail or refuse */
    DNS_WHY_OTHER_FAMILY,   /* the name has addresses, of the other family only */
    DNS_WHY_NO_ADDRESS,     /* the name exists and has no address at all */
    DNS_WHY_ONLY_SEARCH,    /* it exists under a search domain that was not applied (a dot ends
                               the name) */
    DNS_WHY_ONLY_BARE,      /* it exists as it stands, but libc asks for it only under the search
                               domains (options no-tld-query) */
    DNS_WHY_SERVERS_DIFFER, /* one server has it, another says that it does not exist */
    DNS_WHY_SINGLE_LABEL,   /* no dot in it, and no search domain has it */
    DNS_WHY_NOT_FOUND,      /* the servers agree: no such name */
    DNS_WHY_RESOLVES,       /* asked directly just now it has addresses of the wanted family */
};

struct dns_request {
    const char *name;
    int family;       /* what getaddrinfo was asked for: AF_UNSPEC, AF_INET, AF_INET6 */
    int64_t limit_ns; /* 0: three seconds */
};

struct dns_result {
    char name[DNS_NAME_SIZE];
    int family;
    bool trailing_dot, single_label;
    bool resolv_conf;   /* /etc/resolv.conf can be read */
    bool servers_named; /* and names a server; else libc falls back on 127.0.0.1 */
    bool hosts_has_v4, hosts_has_v6;
    bool files_used, dns_used; /* of nsswitch.conf's hosts line */
    struct dns_server servers[DNS_SERVERS_MAX];
    unsigned server_count;
    char names[DNS_NAMES_MAX][DNS_NAME_SIZE]; /* absolute, without the last dot */
    unsigned name_count;
    bool searched;          /* libc itself would try names[1..] too: no dot ends the name */
    bool tld_queries;       /* a name without a dot is asked as it stands, too (resolv.conf(5)) */
    bool any_name_resolves; /* some server knew something: about the root or about this name */
    enum dns_why why;
    unsigned why_name; /* index into names, where why is about one of them */
    int64_t duration_ns;
};

void dns_ask(const struct dns_request *request, struct dns_result *result);

#ifdef __cplusplus
}
#endif
#endif
