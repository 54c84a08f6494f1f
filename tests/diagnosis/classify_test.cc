// SPDX-License-Identifier: MIT
// Each way in which a network ends a connect, as the kernel shows it, and each way in which what is
// shown does not suffice: there the outcome stands without a cause.
#include <arpa/inet.h>
#include <cerrno>
#include <climits>
#include <netdb.h>
#include <ostream>
#include <string>

#include "shim/diagnosis/classify_lookup.h"
#include "gtest/gtest.h"

namespace
{

enum State { kUnknown = -1, kEstablished = 1, kSynSent = 2, kSynReceived = 3, kClosed = 7 };

constexpr int64_t kMillisecond = 1000000;
constexpr int64_t kSecond = 1000 * kMillisecond;

tcpdiag_endpoint Address(const char *text, unsigned scope = 0)
{
    tcpdiag_endpoint endpoint = {};
    const bool v6 = std::string(text).find(':') != std::string::npos;
    endpoint.family = v6 ? AF_INET6 : AF_INET;
    endpoint.port = 5432;
    endpoint.scope = scope;
    EXPECT_EQ(inet_pton(endpoint.family, text, endpoint.address), 1) << text;
    return endpoint;
}

// What was seen, built up a word at a time from nothing known.
class Seen
{
  public:
    Seen()
    {
        evidence_.answered = -1;
        evidence_.udp_error = -1;
        evidence_.tcp_state = -1;
        evidence_.syn_retransmits = -1;
        evidence_.rtt_us = -1;
    }
    Seen &State(int state, int retransmits = 0)
    {
        evidence_.tcp_state = state;
        evidence_.syn_retransmits = retransmits;
        return *this;
    }
    Seen &Icmp(int type, int code, const char *from)
    {
        evidence_.icmp = true;
        evidence_.icmp_type = static_cast<uint8_t>(type);
        evidence_.icmp_code = static_cast<uint8_t>(code);
        evidence_.icmp_from = Address(from);
        return Queue();
    }
    Seen &Own() // the sender is an address of this machine
    {
        evidence_.icmp_own = true;
        return *this;
    }
    Seen &Queue() // the queue would have held an ICMP error
    {
        evidence_.queue_complete = true;
        return *this;
    }
    Seen &Answered(bool answered) // by a TCP segment
    {
        evidence_.answered = answered;
        return *this;
    }
    Seen &Local() // no packet was sent
    {
        evidence_.local = true;
        return *this;
    }
    Seen &Udp(int error) // of a UDP connect to the same address
    {
        evidence_.udp_error = error;
        return *this;
    }
    Seen &Foreign() // the address is of another family than the socket takes
    {
        evidence_.foreign = true;
        return *this;
    }
    Seen &Labelled()
    {
        evidence_.labelled = true;
        return *this;
    }
    const tcpdiag_evidence &evidence() const
    {
        return evidence_;
    }

  private:
    tcpdiag_evidence evidence_ = {};
};

const char kHost[] = "10.0.2.2";
const char kRouter[] = "10.0.1.1";
const char kSelf[] = "10.0.1.2";
const char kHost6[] = "fd00:2::2";
const char kRouter6[] = "fd00:1::1";
const char kSelf6[] = "fd00:1::2";

struct Case {
    const char *what;
    int error;
    const char *peer;
    int64_t duration;
    Seen seen;
    const char *outcome;
    const char *cause; // "": none may be claimed
    tcpdiag_ending ending = TCPDIAG_ENDED_RESULT;
};

void Check(const Case &c)
{
    const tcpdiag_endpoint peer = Address(c.peer);
    const tcpdiag_verdict verdict =
        tcpdiag_classify_connect(c.ending, c.error, &peer, c.duration, &c.seen.evidence());
    EXPECT_STREQ(tcpdiag_outcome_info(verdict.outcome)->name, c.outcome) << c.what;
    EXPECT_STREQ(tcpdiag_cause_info(verdict.cause)->name, c.cause) << c.what;
    if (verdict.cause != TCPDIAG_CAUSE_NONE) {
        EXPECT_EQ(tcpdiag_cause_info(verdict.cause)->outcome, verdict.outcome)
            << c.what << ": the cause is another outcome's";
    }
}

const int64_t kFast = kMillisecond;

TEST(GroundTruth, Ipv4)
{
    const Case cases[] = {
        {"a listening port", 0, kHost, kFast, Seen().State(kEstablished), "connected", ""},
        {"a listening port, a SYN lost", 0, kHost, kSecond, Seen().State(kEstablished, 1),
         "connected", "slow-handshake"},
        {"a closed port", ECONNREFUSED, kHost, kFast, Seen().State(kClosed).Queue(), "refused",
         "port-closed"},
        {"a closed port, a blocking connect", ECONNREFUSED, kHost, kFast, Seen().Queue(), "refused",
         "port-closed"},
        {"the host's firewall: port unreachable", ECONNREFUSED, kHost, kFast,
         Seen().State(kSynSent).Icmp(3, 3, kHost), "refused", "firewall-reject"},
        {"the router's firewall: port unreachable", ECONNREFUSED, kHost, kFast,
         Seen().State(kSynSent).Icmp(3, 3, kRouter), "refused", "firewall-reject"},
        {"the host's firewall: protocol unreachable", ENOPROTOOPT, kHost, kFast,
         Seen().State(kSynSent).Icmp(3, 2, kHost), "refused", "firewall-reject"},
        {"a firewall: administratively prohibited", EHOSTUNREACH, kHost, kFast,
         Seen().State(kSynSent).Icmp(3, 13, kRouter), "no-route", "admin-prohibited"},
        {"a firewall: network prohibited", ENETUNREACH, kHost, kFast,
         Seen().State(kSynSent).Icmp(3, 9, kRouter), "no-route", "admin-prohibited"},
        {"a firewall: host prohibited", EHOSTUNREACH, kHost, kFast,
         Seen().State(kSynSent).Icmp(3, 10, kHost), "no-route", "admin-prohibited"},
        {"a router: host unreachable", EHOSTUNREACH, kHost, kFast,
         Seen().State(kSynSent).Icmp(3, 1, kRouter), "no-route", "router-unreachable"},
        {"a router: network unreachable", ENETUNREACH, kHost, kFast,
         Seen().State(kSynSent).Icmp(3, 0, kRouter), "no-route", "router-unreachable"},
        {"the host's firewall: host unreachable", EHOSTUNREACH, kHost, kFast,
         Seen().State(kSynSent).Icmp(3, 1, kHost), "no-route", "host-reject"},
        {"an absent neighbour", EHOSTUNREACH, kHost, 3 * kSecond,
         Seen().State(kClosed).Icmp(3, 1, kSelf).Own(), "no-route", "neighbour-silent"},
        {"an absent neighbour, the queue not ours to read", EHOSTUNREACH, kHost, 3 * kSecond,
         Seen().State(kClosed, 0), "no-route", "neighbour-silent"},
        {"an absent host behind a router", EHOSTUNREACH, kHost, 3 * kSecond,
         Seen().State(kClosed).Icmp(3, 1, kRouter), "no-route", "router-unreachable"},
        {"the time to live ran out", EHOSTUNREACH, kHost, kFast,
         Seen().State(kSynSent).Icmp(11, 0, kRouter), "no-route", "ttl-exceeded"},
        {"the own firewall: port unreachable", ECONNREFUSED, kHost, 0,
         Seen().State(kSynSent).Icmp(3, 3, kSelf).Own(), "denied", "local-firewall"},
        {"the own firewall, after the second SYN of a blocking connect", ECONNREFUSED, kHost,
         kSecond, Seen().Icmp(3, 3, kSelf).Own(), "denied", "local-firewall"},
        {"the own firewall: prohibited", EHOSTUNREACH, kHost, 0,
         Seen().State(kSynSent).Icmp(3, 13, kSelf).Own(), "denied", "local-firewall"},
        {"the own firewall: host unreachable", EHOSTUNREACH, kHost, 0,
         Seen().State(kSynSent).Icmp(3, 1, kSelf).Own(), "denied", "local-firewall"},
        {"a local unreachable route", EHOSTUNREACH, kHost, 0, Seen().State(kClosed).Local().Queue(),
         "no-route", "local-unreachable"},
        {"a local prohibit route", EACCES, kHost, 0, Seen().State(kClosed).Local().Queue(),
         "denied", "prohibited-route"},
        {"a local blackhole route", EINVAL, kHost, 0, Seen().State(kClosed).Local().Queue(),
         "no-route", "blackhole-route"},
        {"no route at all", ENETUNREACH, kHost, 0, Seen().State(kClosed).Local().Queue(),
         "no-route", "no-local-route"},
        {"silence until the kernel gives up", ETIMEDOUT, kHost, 130 * kSecond,
         Seen().State(kClosed, 6).Queue(), "timeout", "no-answer"},
        {"no free source port", EADDRNOTAVAIL, kHost, 0, Seen().State(kClosed).Local(), "error",
         "ports-used-up"},
        {"a security module or seccomp", EPERM, kHost, 0, Seen().State(kClosed).Local(), "denied",
         "permission"},
        {"a sandbox that forbids TCP", EACCES, kHost, 0, Seen().State(kClosed).Local().Udp(0),
         "denied", "permission"},
        {"a prohibit route forbids UDP too", EACCES, kHost, 0,
         Seen().State(kClosed).Local().Udp(EACCES), "denied", "prohibited-route"},
        {"multicast", ENETUNREACH, "224.0.0.1", 0, Seen().State(kClosed).Local(), "error",
         "not-unicast"},
        {"limited broadcast", ENETUNREACH, "255.255.255.255", 0, Seen().State(kClosed).Local(),
         "error", "not-unicast"},
        {"a subnet's broadcast address", ENETUNREACH, "10.0.1.255", 0,
         Seen().State(kClosed).Local().Udp(EACCES), "error", "not-unicast"},
        {"no route, for UDP neither", ENETUNREACH, kHost, 0,
         Seen().State(kClosed).Local().Udp(ENETUNREACH), "no-route", "no-local-route"},
        {"a v4-mapped address on an IPv6-only socket", ENETUNREACH, kHost, 0,
         Seen().State(kClosed).Local().Foreign(), "error", "wrong-family"},
        {"an IPv4 address on an IPv6 socket", EINVAL, kHost, 0,
         Seen().State(kClosed).Local().Foreign(), "error", "wrong-family"},
        {"IPv6 is switched off", EADDRNOTAVAIL, kHost6, 0,
         Seen().State(kClosed).Local().Udp(EADDRNOTAVAIL), "error", "no-source-address"},
        {"no free source port for IPv6", EADDRNOTAVAIL, kHost6, 0,
         Seen().State(kClosed).Local().Udp(0), "error", "ports-used-up"},
        {"SELinux", EACCES, kHost, 0, Seen().State(kClosed).Local().Labelled(), "denied",
         "permission"},
        {"established and reset before anybody looked", ECONNRESET, kHost, kFast,
         Seen().State(kClosed).Queue(), "refused", "connection-reset"},
    };
    for (const Case &c : cases)
        Check(c);
}

TEST(GroundTruth, Ipv6)
{
    const Case cases[] = {
        {"a listening port", 0, kHost6, kFast, Seen().State(kEstablished), "connected", ""},
        {"a closed port, with IPV6_RECVERR", ECONNREFUSED, kHost6, kFast,
         Seen().State(kClosed).Queue(), "refused", "port-closed"},
        {"port unreachable", ECONNREFUSED, kHost6, kFast,
         Seen().State(kSynSent).Icmp(1, 4, kRouter6), "refused", "firewall-reject"},
        {"administratively prohibited", EACCES, kHost6, kFast,
         Seen().State(kSynSent).Icmp(1, 1, kRouter6), "no-route", "admin-prohibited"},
        {"failed policy", EACCES, kHost6, kFast, Seen().State(kSynSent).Icmp(1, 5, kRouter6),
         "no-route", "admin-prohibited"},
        {"a reject route on a router", EACCES, kHost6, kFast,
         Seen().State(kSynSent).Icmp(1, 6, kRouter6), "no-route", "admin-prohibited"},
        {"no route on a router", ENETUNREACH, kHost6, kFast,
         Seen().State(kSynSent).Icmp(1, 0, kRouter6), "no-route", "router-unreachable"},
        {"address unreachable, from a router", EHOSTUNREACH, kHost6, 3 * kSecond,
         Seen().State(kClosed).Icmp(1, 3, kRouter6), "no-route", "router-unreachable"},
        {"address unreachable, from the host", EHOSTUNREACH, kHost6, kFast,
         Seen().State(kSynSent).Icmp(1, 3, kHost6), "no-route", "host-reject"},
        {"an absent neighbour", EHOSTUNREACH, kHost6, 3 * kSecond,
         Seen().State(kClosed).Icmp(1, 3, kSelf6).Own(), "no-route", "neighbour-silent"},
        {"the own firewall", ECONNREFUSED, kHost6, 0,
         Seen().State(kSynSent).Icmp(1, 4, kSelf6).Own(), "denied", "local-firewall"},
        {"the own firewall: address unreachable", EHOSTUNREACH, kHost6, 0,
         Seen().State(kSynSent).Icmp(1, 3, kSelf6).Own(), "denied", "local-firewall"},
        {"the hop limit ran out", EHOSTUNREACH, kHost6, kFast,
         Seen().State(kSynSent).Icmp(3, 0, kRouter6), "no-route", "ttl-exceeded"},
        {"no route at all", ENETUNREACH, kHost6, 0, Seen().State(kClosed).Local(), "no-route",
         "no-local-route"},
        {"a local unreachable route", EHOSTUNREACH, kHost6, 0, Seen().State(kClosed).Local(),
         "no-route", "local-unreachable"},
        {"a local prohibit route", EACCES, kHost6, 0, Seen().State(kClosed).Local(), "denied",
         "prohibited-route"},
        {"a local blackhole route", EINVAL, kHost6, 0, Seen().State(kClosed).Local(), "no-route",
         "blackhole-route"},
        {"link-local without its interface", EINVAL, "fe80::1", 0, Seen().State(kClosed).Local(),
         "error", "scope-missing"},
        {"link-local, at the other end of fe80::/10", EINVAL, "febf::1", 0, Seen().Local(), "error",
         "scope-missing"},
        {"silence until the kernel gives up", ETIMEDOUT, kHost6, 130 * kSecond,
         Seen().State(kClosed, 6), "timeout", "no-answer"},
    };
    for (const Case &c : cases)
        Check(c);
}

// Where less is known, less is said.
TEST(Weak, NoCauseWithoutProof)
{
    const Case cases[] = {
        {"a reset or an ICMP error: the queue was not to be read", ECONNREFUSED, kHost, kFast,
         Seen().State(kClosed), "refused", ""},
        {"IPv6 without IPV6_RECVERR", ECONNREFUSED, kHost6, kFast, Seen(), "refused", ""},
        {"the same, but a segment came: a reset", ECONNREFUSED, kHost6, kFast,
         Seen().Answered(true), "refused", "port-closed"},
        {"the same, and no segment came: no reset", ECONNREFUSED, kHost6, kFast,
         Seen().Answered(false), "refused", "firewall-reject"},
        {"protocol unreachable, the queue not read", ENOPROTOOPT, kHost, kFast,
         Seen().State(kClosed), "refused", ""},
        {"IPv6: prohibited by whom?", EACCES, kHost6, kFast, Seen().State(kSynSent), "no-route",
         ""},
        {"IPv4: EACCES from nobody knows where", EACCES, kHost, kFast, Seen().State(kSynSent),
         "denied", ""},
        {"unreachable, at once, the queue not read", EHOSTUNREACH, kHost, kFast,
         Seen().State(kSynSent), "no-route", ""},
        {"unreachable after seconds, retransmissions unknown", EHOSTUNREACH, kHost, 3 * kSecond,
         Seen(), "no-route", ""},
        {"unreachable after seconds, SYNs sent again: a router or the neighbour", EHOSTUNREACH,
         kHost, 3 * kSecond, Seen().State(kClosed, 1), "no-route", ""},
        {"network unreachable after seconds is no neighbour's silence", ENETUNREACH, kHost,
         3 * kSecond, Seen().State(kClosed, 0), "no-route", ""},
        {"own host-unreachable, neither at once nor after the neighbour's time", EHOSTUNREACH,
         kHost, 700 * kMillisecond, Seen().State(kClosed).Icmp(3, 1, kSelf).Own(), "no-route", ""},
        {"own host-unreachable, at once, but a SYN was sent again", EHOSTUNREACH, kHost, kFast,
         Seen().State(kClosed, 1).Icmp(3, 1, kSelf).Own(), "no-route", ""},
        {"an ICMP error of another kind", EPROTO, kHost, kFast,
         Seen().State(kSynSent).Icmp(12, 0, kRouter), "no-route", ""},
        {"an ICMPv6 error of another kind", EPROTO, kHost6, kFast,
         Seen().State(kSynSent).Icmp(4, 0, kRouter6), "no-route", ""},
        {"the interface went down", ENETDOWN, kHost, kFast, Seen().State(kClosed), "no-route", ""},
        {"host down", EHOSTDOWN, kHost, kFast, Seen().State(kClosed), "no-route", ""},
        {"no network", ENONET, kHost, kFast, Seen().State(kClosed), "no-route", ""},
        {"EINVAL after a packet was sent", EINVAL, kHost, kFast, Seen().State(kClosed), "error",
         ""},
        {"EINVAL for an address of 0.0.0.0/8", EINVAL, "0.1.2.3", 0, Seen().Local(), "error", ""},
        {"IPv6: EADDRNOTAVAIL may be the protocol switched off", EADDRNOTAVAIL, kHost6, 0,
         Seen().Local(), "error", ""},
        {"EADDRNOTAVAIL with a port: the program's own bind", EADDRNOTAVAIL, kHost, 0, Seen(),
         "error", ""},
    };
    for (const Case &c : cases)
        Check(c);
}

TEST(Weak, LinkLocalWithItsInterfaceIsNoMissingScope)
{
    const tcpdiag_endpoint peer = Address("fe80::1", 2);
    const Seen seen = Seen().Local();
    const tcpdiag_verdict verdict =
        tcpdiag_classify_connect(TCPDIAG_ENDED_RESULT, EINVAL, &peer, 0, &seen.evidence());
    EXPECT_EQ(verdict.cause, TCPDIAG_CAUSE_BLACKHOLE_ROUTE);
}

TEST(Weak, AnUnknownAddressHasNoBlackhole)
{
    const tcpdiag_endpoint none = {};
    const Seen seen = Seen().Local();
    const tcpdiag_verdict verdict =
        tcpdiag_classify_connect(TCPDIAG_ENDED_RESULT, EINVAL, &none, 0, &seen.evidence());
    EXPECT_EQ(verdict.outcome, TCPDIAG_ERROR);
    EXPECT_EQ(verdict.cause, TCPDIAG_CAUSE_NONE);
}

TEST(SoftError, StillInSynSentIsNoReset)
{
    Check({"an ICMP error that found the socket busy", ECONNREFUSED, kHost, kFast,
           Seen().State(kSynSent), "refused", "firewall-reject"});
}

TEST(GivenUp, WhoGaveUpAndWhen)
{
    const auto closed = TCPDIAG_ENDED_CLOSED;
    const auto limit = TCPDIAG_ENDED_LIMIT;
    const auto process = TCPDIAG_ENDED_PROCESS;
    const Case cases[] = {
        {"closed before a SYN could be sent again", 0, kHost, 200 * kMillisecond,
         Seen().State(kSynSent), "abandoned", "", closed},
        {"closed, nothing known, early", 0, kHost, 200 * kMillisecond, Seen(), "abandoned", "",
         closed},
        {"closed after its SYN was sent again", 0, kHost, 200 * kMillisecond,
         Seen().State(kSynSent, 1), "timeout", "gave-up-waiting", closed},
        {"closed after a second, retransmissions unknown", 0, kHost, kSecond, Seen(), "timeout",
         "gave-up-waiting", closed},
        {"just before that second", 0, kHost, kSecond - 1, Seen(), "abandoned", "", closed},
        {"SO_SNDTIMEO, however short", 0, kHost, kMillisecond, Seen().State(kSynSent), "timeout",
         "gave-up-waiting", limit},
        {"the process ended early", 0, kHost, kMillisecond, Seen().State(kSynSent), "abandoned", "",
         process},
        {"the process ended late", 0, kHost, 5 * kSecond, Seen().State(kSynSent, 2), "timeout",
         "gave-up-waiting", process},
        {"a reset that nobody fetched: the state alone does not tell", 0, kHost, kMillisecond,
         Seen().State(kClosed), "abandoned", "", closed},
        {"the answer is half there", 0, kHost, kMillisecond, Seen().State(kSynReceived),
         "abandoned", "", closed},
        {"established, and nobody looked", 0, kHost, kMillisecond, Seen().State(kEstablished),
         "connected", "", closed},
        {"established after a lost SYN, and nobody looked", 0, kHost, 5 * kSecond,
         Seen().State(kEstablished, 2), "connected", "slow-handshake", process},
        {"established and closing", 0, kHost, kMillisecond, Seen().State(8), "connected", "",
         closed},
        {"failed, the error left to somebody else", 0, kHost, 5 * kSecond, Seen().State(kClosed),
         "error", "reason-unseen", TCPDIAG_ENDED_FAILED},
        {"out of sight, however long", 0, kHost, 5 * kSecond, Seen(), "abandoned", "out-of-sight",
         TCPDIAG_ENDED_UNSEEN},
        {"closed with the error still on the socket", ECONNREFUSED, kHost, kMillisecond,
         Seen().State(kClosed).Queue(), "refused", "port-closed", closed},
        {"closed with the ICMP error still queued", ECONNREFUSED, kHost, kMillisecond,
         Seen().State(kSynSent).Icmp(3, 3, kRouter), "refused", "firewall-reject", closed},
    };
    for (const Case &c : cases)
        Check(c);
}

// An ICMP error in the queue of a connection that did succeed (a soft error) is no failure.
TEST(Success, IsNeverTakenBack)
{
    Check({"connected in spite of an earlier ICMP error", 0, kHost, kSecond,
           Seen().State(kEstablished, 1).Icmp(3, 1, kRouter), "connected", "slow-handshake"});
}

// Every errno gets an outcome, and with nothing known no cause but those that errno alone proves.
TEST(Every, ErrnoHasAnOutcome)
{
    for (const char *address : {kHost, kHost6}) {
        const tcpdiag_endpoint peer = Address(address);
        for (int error = 1; error < 4096; error++) {
            const Seen nothing;
            const tcpdiag_verdict verdict = tcpdiag_classify_connect(
                TCPDIAG_ENDED_RESULT, error, &peer, kFast, &nothing.evidence());
            EXPECT_NE(verdict.outcome, TCPDIAG_OUTCOME_NONE) << error;
            EXPECT_NE(verdict.outcome, TCPDIAG_CONNECTED) << error;
            EXPECT_NE(verdict.outcome, TCPDIAG_DNS) << error;
            EXPECT_NE(verdict.outcome, TCPDIAG_ABANDONED) << error;
            if (error != ETIMEDOUT && error != ECONNRESET && error != EPERM) {
                EXPECT_EQ(verdict.cause, TCPDIAG_CAUSE_NONE) << error;
            }
        }
    }
}

// Whatever a packet holds: a failure stays one, and the cause fits the outcome.
TEST(Every, IcmpErrorHasAFittingCause)
{
    for (const char *from : {kHost, kRouter, kRouter6}) {
        const tcpdiag_endpoint peer = Address(from == kRouter6 ? kHost6 : kHost);
        for (int own = 0; own < 2; own++)
            for (int type = 0; type < 256; type++)
                for (int code = 0; code < 256; code++) {
                    Seen seen = Seen().State(kSynSent).Icmp(type, code, from);
                    if (own)
                        seen.Own();
                    const tcpdiag_verdict verdict = tcpdiag_classify_connect(
                        TCPDIAG_ENDED_RESULT, EHOSTUNREACH, &peer, kFast, &seen.evidence());
                    ASSERT_NE(verdict.outcome, TCPDIAG_CONNECTED);
                    if (verdict.cause != TCPDIAG_CAUSE_NONE) {
                        ASSERT_EQ(tcpdiag_cause_info(verdict.cause)->outcome, verdict.outcome);
                    }
                }
    }
}

struct Code {
    int code;
    const char *outcome;
    const char *cause;
};

void ExpectVerdict(const tcpdiag_verdict &verdict, const Code &code)
{
    EXPECT_STREQ(tcpdiag_outcome_info(verdict.outcome)->name, code.outcome) << code.code;
    EXPECT_STREQ(tcpdiag_cause_info(verdict.cause)->name, code.cause) << code.code;
}

TEST(Resolver, GetaddrinfoCodes)
{
    const Code codes[] = {
        {0, "resolved", ""},
        {EAI_NONAME, "dns", "name-not-found"},
        {EAI_NODATA, "dns", "no-address"},
        {EAI_ADDRFAMILY, "dns", "no-address"},
        {EAI_AGAIN, "dns", "server-failed"},
        {EAI_SERVICE, "dns", "bad-service"},
        {EAI_FAIL, "dns", "resolver-error"},
        {EAI_MEMORY, "dns", "resolver-error"},
        {EAI_SYSTEM, "dns", "resolver-error"},
        {EAI_BADFLAGS, "dns", ""},
        {EAI_FAMILY, "error", ""},
        {EAI_SOCKTYPE, "dns", ""},
        {EAI_OVERFLOW, "dns", ""},
        {EAI_CANCELED, "dns", ""},
        {1, "dns", ""},
        {INT_MIN, "dns", ""},
    };
    for (const Code &code : codes)
        ExpectVerdict(tcpdiag_classify_gai(code.code), code);
}

TEST(Resolver, HErrno)
{
    const Code codes[] = {
        {0, "resolved", ""},
        {HOST_NOT_FOUND, "dns", "name-not-found"},
        {TRY_AGAIN, "dns", "server-failed"},
        {NO_RECOVERY, "dns", "resolver-error"},
        {NO_DATA, "dns", "no-address"},
        {NETDB_INTERNAL, "dns", "resolver-error"},
        {99, "dns", "resolver-error"},
    };
    for (const Code &code : codes)
        ExpectVerdict(tcpdiag_classify_h_errno(code.code), code);
}

TEST(SameAddress, ComparesAddressesOnly)
{
    const tcpdiag_endpoint a = Address(kHost);
    tcpdiag_endpoint b = a;
    b.port = 1;
    b.address[4] = 1; // beyond an IPv4 address
    EXPECT_TRUE(tcpdiag_same_address(&a, &b));
    b = Address(kRouter);
    EXPECT_FALSE(tcpdiag_same_address(&a, &b));
    const tcpdiag_endpoint v6 = Address(kHost6);
    tcpdiag_endpoint w6 = v6;
    EXPECT_TRUE(tcpdiag_same_address(&v6, &w6));
    w6.address[15] ^= 1;
    EXPECT_FALSE(tcpdiag_same_address(&v6, &w6));
    EXPECT_FALSE(tcpdiag_same_address(&a, &v6));
}

} // namespace
