# SPDX-License-Identifier: MIT
"""What is true in the lab's network (network.sh makes it so), and what the log must say of it.

A row is one destination. Where the kernel lets a kind of client see less than the truth, WEAKER
has the answer that is right for that client, and why there is no better one.
"""
from collections import namedtuple

Row = namedtuple("Row", "title address port outcome cause sender kind", defaults=("", "connect"))

SERVER, ROUTER, SELF = "2::2", "1::1", "1::2"
EITHER = "loop"

ROWS = [
    Row("listening port", SERVER, 80, "connected", ""),
    Row("first SYN lost", SERVER, 86, "connected", "slow-handshake"),
    Row("closed port", SERVER, 79, "refused", "port-closed"),
    Row("host: reject with tcp reset", SERVER, 83, "refused", "port-closed"),
    Row("router: reject with tcp reset", SERVER, 93, "refused", "port-closed"),
    Row("host: reject port-unreachable", SERVER, 81, "refused", "firewall-reject", SERVER),
    Row("router: reject port-unreachable", SERVER, 91, "refused", "firewall-reject", ROUTER),
    Row("host: reject admin-prohibited", SERVER, 84, "no-route", "admin-prohibited", SERVER),
    Row("router: reject admin-prohibited", SERVER, 94, "no-route", "admin-prohibited", ROUTER),
    Row("host: reject host-unreachable", SERVER, 85, "no-route", "host-reject", SERVER),
    Row("router: reject host-unreachable", SERVER, 95, "no-route", "router-unreachable", ROUTER),
    Row("router: prohibit route", "7::1", 80, "no-route", "admin-prohibited", ROUTER),
    Row("router: unreachable route", "8::1", 80, "no-route", "router-unreachable", ROUTER),
    Row("routing loop", "6::1", 80, "no-route", "ttl-exceeded", EITHER),
    Row("absent host on the link", "1::77", 80, "no-route", "neighbour-silent", SELF),
    Row("absent host behind the router", "2::77", 80, "no-route", "router-unreachable", ROUTER),
    Row("own firewall: tcp reset", SERVER, 73, "refused", "port-closed"),
    Row("own firewall: port-unreachable", SERVER, 71, "denied", "local-firewall", SELF),
    Row("own firewall: admin-prohibited", SERVER, 74, "denied", "local-firewall", SELF),
    Row("own firewall: host-unreachable", SERVER, 75, "denied", "local-firewall", SELF),
    Row("own prohibit route", "107::1", 80, "denied", "prohibited-route"),
    Row("own unreachable route", "108::1", 80, "no-route", "local-unreachable"),
    Row("own blackhole route", "109::1", 80, "no-route", "blackhole-route"),
    Row("no route at all", "none", 80, "no-route", "no-local-route"),
    Row("host: drop", SERVER, 82, "timeout", "no-answer"),
    Row("router: drop", SERVER, 92, "timeout", "no-answer"),
    Row("own firewall: drop", SERVER, 72, "timeout", "no-answer"),
    Row("router: blackhole route", "9::1", 80, "timeout", "no-answer"),
    Row("accept queue full", SERVER, 87, "timeout", "no-answer"),
]

# The same over a link that takes time, as real ones do.
WIRE = [row._replace(address="5::2", sender={SERVER: "5::2", ROUTER: "4::1"}.get(row.sender, ""))
        for row in ROWS if row.address == SERVER and row.port // 10 in (7, 8, 9)
        and row.port not in (71, 72, 73, 74, 75, 82, 87, 92)]

# Clients with a limit of their own, 1.5 or 2 seconds: the kernel would go on for seven.
IMPATIENT = [row._replace(cause="gave-up-waiting") for row in ROWS if row.outcome == "timeout"]

NAMES = [
    Row("name with addresses", "web.lab", 80, "resolved", "", kind="resolve"),
    Row("name does not exist", "nope.lab", 80, "dns", "name-not-found", kind="resolve"),
    Row("name without an address", "nodata.lab", 80, "dns", "no-address", kind="resolve"),
    Row("server says REFUSED", "x.refused.lab", 80, "dns", "server-failed", kind="resolve"),
    Row("server says SERVFAIL", "x.servfail.lab", 80, "dns", "server-failed", kind="resolve"),
    Row("server is silent", "x.silent.lab", 80, "dns", "server-failed", kind="resolve"),
    Row("nobody is a name server", "web.lab", 80, "dns", "server-failed", kind="no-server"),
    Row("unknown service", "web.lab", "nosuchsvc", "dns", "bad-service", kind="resolve"),
]


# Where each client has a host of its own. A router without a route answers one source address five
# times at once and then once a second (ip_error in net/ipv4/route.c): network.sh has a source for
# each. And who asks for a neighbour whom another has been asking for hears sooner that he is silent.
OWN_HOST = {"7::1": 1, "8::1": 1, "1::77": 177}


def address(row, family, which=1):
    """The row's address in IPv4 or IPv6; which: the client's number."""
    if "." in row.address:
        return row.address
    if row.address == "none":
        return "192.0.2.1" if family == 4 else "2001:db8::1"
    net, host = row.address.split("::")
    if row.address in OWN_HOST:
        host = str(OWN_HOST[row.address] + which - 1)
    if family == 6:
        return "fd00:%s::%s" % (net, host)
    if len(net) == 3: # 107 is 10.7.0.0/16, the client's own
        return "10.%d.0.%s" % (int(net) - 100, host)
    return "10.0.%s.%s" % (net, host)


def senders(row, family):
    """Who may have sent the ICMP error; none: there must be none."""
    if row.sender == EITHER:
        return [address(Row("", each, *[""] * 3), family) for each in (SERVER, ROUTER, "2::1")]
    return [address(row._replace(address=row.sender), family)] if row.sender else []


# Reason letter: why nothing better can be said.
WHY = {
    "a": "a blocking connect comes back a second after the rejection (the ICMP error met it inside "
         "the system call and was only a soft error): by then ARP or a rule may be the reason",
    "b": "without IPV6_RECVERR the kernel keeps no ICMPv6 error: the errno is all there is, and it "
         "does not tell who sent it (TCPDIAG_IPV6_RECVERR=1 does)",
    "c": "as b, but no TCP segment came back, so it was no reset: an ICMP error of an unknown sender",
    "d": "as b, but the SYN was never sent a second time: it still waits for the neighbour",
    "e": "killed inside connect(): the log has a begin without an end, which report reads so",
}


def expected(row, family, blocking, recverr):
    """(outcome, cause, senders, reason): what a right log says to this kind of client."""
    truth = (row.outcome, row.cause, senders(row, family), "")
    if row.title == "own firewall: host-unreachable" and blocking and (family == 4 or recverr):
        return "no-route", "", senders(row, family), "a"
    if family == 4 or recverr or not row.sender:
        return truth
    if row.title.endswith("port-unreachable"):
        return "refused", "firewall-reject", [], "c"
    if row.cause == "neighbour-silent":
        return ("no-route", "", [], "b") if blocking else ("no-route", row.cause, [], "d")
    return "no-route", "", [], "b"
