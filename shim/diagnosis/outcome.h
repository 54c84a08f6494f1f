/* SPDX-License-Identifier: MIT */
/*
 * What an attempt's end means: every outcome and every cause, with the words that
 * people and programs read. The log, the reports, the exit statuses and the manual
 * all come from these two tables; a new outcome or cause is a new row and nothing else.
 *
 * Pure data and pure functions: thread-safe and async-signal-safe.
 */
#ifndef TCPDIAG_OUTCOME_H
#define TCPDIAG_OUTCOME_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(symbol, name, exit status of tcpdiag-probe, meaning, advice) */
#define TCPDIAG_OUTCOMES(X)                                                                        \
    X(CONNECTED, "connected", 0, "the connection was established", "nothing to do")                \
    X(RESOLVED, "resolved", 0, "the name has addresses", "nothing to do")                          \
    X(DNS, "dns", 3, "the name did not resolve",                                                   \
      "check the spelling: getent hosts NAME, nslookup NAME; if every name fails, check this "     \
      "machine's own resolver settings: /etc/resolv.conf, /etc/nsswitch.conf")                     \
    X(NO_ROUTE, "no-route", 4, "there is no way to the host",                                      \
      "check the local routes (ip route get ADDRESS), the local firewall (nft list ruleset), the " \
      "server's firewall, and every hop in between (traceroute ADDRESS)")                          \
    X(REFUSED, "refused", 5, "the host or a firewall said no",                                     \
      "the host answers: is the port open there (ss -ltnp, or netstat -ntpl), or does a firewall " \
      "REJECT it")                                                                                 \
    X(TIMEOUT, "timeout", 6, "nobody answered",                                                    \
      "does the host exist and run (ping ADDRESS), or does a firewall DROP the packets: look at "  \
      "the host's own rules and at every firewall on the way")                                     \
    X(DENIED, "denied", 7, "this machine's own policy forbids it",                                 \
      "look at this machine: its firewall (nft list ruleset), its routes (ip route get ADDRESS), " \
      "its security module or sandbox")                                                            \
    X(ABANDONED, "abandoned", 8, "the program gave up before the network could answer",            \
      "no fault is claimed: a lost race between addresses or a cancelled request looks like this") \
    X(ERROR, "error", 9, "a local error", "read the error's name: connect(2) explains it")

/* X(symbol, name, outcome, meaning, advice or NULL for the outcome's) */
#define TCPDIAG_CAUSES(X)                                                                          \
    X(SLOW_HANDSHAKE, "slow-handshake", CONNECTED,                                                 \
      "connected, but SYNs had to be sent again: packets are lost on the way, or the server's "    \
      "accept queue is full",                                                                      \
      "look for packet loss on the way (mtr ADDRESS) and for an overflowing accept queue on the "  \
      "server (nstat -az TcpExtListenOverflows)")                                                  \
    X(SLOW_LOOKUP, "slow-lookup", RESOLVED,                                                        \
      "the name has addresses, but the lookup took a second or more",                              \
      "find the name server that is slow or silent: tcpdiag-probe NAME PORT asks each of them; "   \
      "look at /etc/resolv.conf (its order, timeout, single-request)")                             \
    X(NAME_NOT_FOUND, "name-not-found", DNS, "the name does not exist", 0)                         \
    X(NO_ADDRESS, "no-address", DNS, "the name exists but has no address of the family asked for", \
      "ask for the other family: getent ahosts NAME; ask the zone's owner for an A or AAAA "       \
      "record")                                                                                    \
    X(SERVER_FAILED, "server-failed", DNS,                                                         \
      "the name servers were silent, refused or failed (SERVFAIL)",                                \
      "check that the servers in /etc/resolv.conf can be reached and answer: nslookup NAME "       \
      "SERVER")                                                                                    \
    X(BAD_SERVICE, "bad-service", DNS, "the service name is unknown",                              \
      "check the spelling: getent services SERVICE; or give the port as a number")                 \
    X(LOOKUP_GIVEN_UP, "gave-up-waiting", DNS,                                                     \
      "the program gave up, or ended, before the name was resolved",                               \
      "check that the servers in /etc/resolv.conf can be reached and answer: nslookup NAME "       \
      "SERVER")                                                                                    \
    X(RESOLVER_ERROR, "resolver-error", DNS, "the resolver failed",                                \
      "check /etc/nsswitch.conf, /etc/resolv.conf and the limits of this machine")                 \
    X(NO_LOCAL_ROUTE, "no-local-route", NO_ROUTE, "this machine has no route to the address",      \
      "add a route or bring the interface up: ip route get ADDRESS, ip addr; or a rule for this "  \
      "program's user or mark sends it elsewhere: ip rule")                                        \
    X(LOCAL_UNREACHABLE, "local-unreachable", NO_ROUTE,                                            \
      "an unreachable route on this machine forbids the address",                                  \
      "find the route: ip route get ADDRESS, ip route show table all type unreachable; or the "    \
      "rule: ip rule")                                                                             \
    X(BLACKHOLE_ROUTE, "blackhole-route", NO_ROUTE,                                                \
      "a blackhole route on this machine swallows the address",                                    \
      "find the route: ip route show table all type blackhole; or the rule: ip rule")              \
    X(NEIGHBOUR_SILENT, "neighbour-silent", NO_ROUTE,                                              \
      "the address is on a local link and no machine there answers for it",                        \
      "is the host up and on this network: ip neigh show ADDRESS, and its cable, VLAN and "        \
      "netmask")                                                                                   \
    X(ROUTER_UNREACHABLE, "router-unreachable", NO_ROUTE,                                          \
      "a router on the way says that it cannot reach the host",                                    \
      "ask who runs that router: its route to the host is missing, or the host is down")           \
    X(HOST_REJECT, "host-reject", NO_ROUTE,                                                        \
      "the host itself answers that it is unreachable: its own firewall rejects the packet",       \
      "look at the firewall on the host: nft list ruleset")                                        \
    X(ADMIN_PROHIBITED, "admin-prohibited", NO_ROUTE,                                              \
      "a firewall or router says that policy forbids it (ICMP administratively prohibited)",       \
      "ask who runs the machine that said no to allow the port")                                   \
    X(TTL_EXCEEDED, "ttl-exceeded", NO_ROUTE,                                                      \
      "the packet's time to live ran out on the way: a routing loop, or a TTL set too low",        \
      "look for the loop: traceroute ADDRESS")                                                     \
    X(PORT_CLOSED, "port-closed", REFUSED,                                                         \
      "the answer was a TCP reset: nothing listens on the port, or a firewall resets in its "      \
      "place",                                                                                     \
      0)                                                                                           \
    X(FIREWALL_REJECT, "firewall-reject", REFUSED,                                                 \
      "a firewall rejects the port (ICMP port unreachable; a closed TCP port answers with a "      \
      "reset)",                                                                                    \
      "look at the firewall of the machine that said no: nft list ruleset")                        \
    X(CONNECTION_RESET, "connection-reset", REFUSED,                                               \
      "the connection was established and reset at once",                                          \
      "the host answers: look at the server's own access rules, or at a load balancer without a "  \
      "backend")                                                                                   \
    X(NO_ANSWER, "no-answer", TIMEOUT, "the kernel sent its last SYN and gave up", 0)              \
    X(GAVE_UP_WAITING, "gave-up-waiting", TIMEOUT,                                                 \
      "the program gave up, or was ended, before anybody answered", 0)                             \
    X(HOST_SILENT, "host-silent", TIMEOUT,                                                         \
      "the host answers nowhere that it was asked: not on other ports, not to a ping",             \
      "does the host exist and run, and is the address right; or does a firewall DROP everything " \
      "to it: tcpdiag-probe --trace shows how far the packets come")                               \
    X(PORT_FILTERED, "port-filtered", TIMEOUT,                                                     \
      "the host is alive and answers elsewhere: something drops the packets to this port",         \
      "find the firewall that DROPs the port: the host's own rules (nft list ruleset), then "      \
      "those "                                                                                     \
      "on the way: tcpdiag-probe --trace")                                                         \
    X(LOCAL_FIREWALL, "local-firewall", DENIED, "this machine's own firewall rejects the packet",  \
      "look at the output rules of this machine: nft list ruleset")                                \
    X(PROHIBITED_ROUTE, "prohibited-route", DENIED,                                                \
      "a prohibit route on this machine forbids the address",                                      \
      "find the route: ip route show table all type prohibit; or the rule: ip rule (a Landlock "   \
      "sandbox of the program answers the same)")                                                  \
    X(PERMISSION, "permission", DENIED,                                                            \
      "the kernel forbids this program to connect: a security module, a cgroup filter or a "       \
      "sandbox",                                                                                   \
      "look at the audit log (ausearch -m avc, dmesg), the unit's settings and the sandbox")       \
    X(OUT_OF_SIGHT, "out-of-sight", ABANDONED,                                                     \
      "the library lost sight of the socket: how the connect ended is not known",                  \
      "no fault is claimed: ask from outside, tcpdiag-probe ADDRESS PORT")                         \
    X(REASON_UNSEEN, "reason-unseen", ERROR,                                                       \
      "the connect failed, and why is not known: the program asked by a call that the library "    \
      "does not see, or left the error to whoever else holds the socket",                          \
      "ask from outside: tcpdiag-probe ADDRESS PORT")                                              \
    X(PORTS_USED_UP, "ports-used-up", ERROR,                                                       \
      "this machine has no free source port left for this destination",                            \
      "count the connections (ss -s), widen net.ipv4.ip_local_port_range, or keep connections "    \
      "open")                                                                                      \
    X(WRONG_FAMILY, "wrong-family", ERROR,                                                         \
      "the address is of another family, IPv4 or IPv6, than the program asked for or its socket "  \
      "takes",                                                                                     \
      "give the program an address of the other family; or it has to make its socket for the "     \
      "address's own family, or without IPV6_V6ONLY")                                              \
    X(NOT_UNICAST, "not-unicast", ERROR,                                                           \
      "the address is a broadcast or multicast address, to which TCP cannot connect",              \
      "check the address and the netmask: ip addr")                                                \
    X(NO_SOURCE_ADDRESS, "no-source-address", ERROR,                                               \
      "this machine has no address of its own to connect from, as where IPv6 is switched off",     \
      "ip -6 addr, sysctl net.ipv6.conf.all.disable_ipv6; or give the program an IPv4 address")    \
    X(NO_INTERFACE, "no-interface", ERROR,                                                         \
      "the address names a network interface that this machine does not have",                     \
      "list the interfaces: ip link")                                                              \
    X(SCOPE_MISSING, "scope-missing", ERROR, "a link-local IPv6 address needs its interface",      \
      "write the address with its scope: fe80::1%eth0")

enum tcpdiag_outcome {
    TCPDIAG_OUTCOME_NONE = 0, /* no end yet: a begin record */
#define X(symbol, name, status, meaning, advice) TCPDIAG_##symbol,
    TCPDIAG_OUTCOMES(X)
#undef X
        TCPDIAG_OUTCOME_COUNT
};

enum tcpdiag_cause {
    TCPDIAG_CAUSE_NONE = 0, /* the evidence does not tell: the outcome stands alone */
#define X(symbol, name, outcome, meaning, advice) TCPDIAG_CAUSE_##symbol,
    TCPDIAG_CAUSES(X)
#undef X
        TCPDIAG_CAUSE_COUNT
};

struct tcpdiag_outcome_info {
    const char *name;
    int exit_status; /* of tcpdiag-probe */
    const char *meaning;
};

struct tcpdiag_cause_info {
    const char *name;
    enum tcpdiag_outcome outcome;
    const char *meaning;
};

/* Out-of-range values give the row of NONE, whose strings are empty. */
const struct tcpdiag_outcome_info *tcpdiag_outcome_info(enum tcpdiag_outcome outcome);
const struct tcpdiag_cause_info *tcpdiag_cause_info(enum tcpdiag_cause cause);

/* By the name in the log; NONE for a word that is no name (or NULL). Causes of two outcomes may
   have one name. */
enum tcpdiag_outcome tcpdiag_outcome_by_name(const char *name);
enum tcpdiag_cause tcpdiag_cause_by_name(enum tcpdiag_outcome outcome, const char *name);

#ifdef __cplusplus
}
#endif
#endif
