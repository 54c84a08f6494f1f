// SPDX-License-Identifier: MIT
// Records as a reader that we did not write sees them: by jansson, strictly.
#include <arpa/inet.h>
#include <cerrno>
#include <functional>
#include <jansson.h>
#include <memory>
#include <netdb.h>
#include <string>
#include <vector>

#include "shim/diagnosis/record.h"
#include "shim/diagnosis/sentence.h"
#include "shim/diagnosis/version.h"
#include "gtest/gtest.h"

namespace
{

struct Freed {
    void operator()(json_t *json) const
    {
        json_decref(json);
    }
};
using Json = std::unique_ptr<json_t, Freed>;

tcpdiag_text Text(const std::string &text)
{
    return {text.data(), text.size()};
}

tcpdiag_endpoint Address(const char *text, uint16_t port = 5432, unsigned scope = 0)
{
    tcpdiag_endpoint endpoint = {};
    const bool v6 = std::string(text).find(':') != std::string::npos;
    endpoint.family = v6 ? AF_INET6 : AF_INET;
    endpoint.port = port;
    endpoint.scope = scope;
    EXPECT_EQ(inet_pton(endpoint.family, text, endpoint.address), 1) << text;
    return endpoint;
}

const tcpdiag_identity kWho = {{"app", 3}, {"machine", 7}, 0x18a2b3c4d5e6f708};

tcpdiag_record Connect(tcpdiag_phase phase = TCPDIAG_END)
{
    tcpdiag_record record = {};
    record.event = TCPDIAG_CONNECT;
    record.phase = phase;
    record.who = &kWho;
    record.wall_ns = INT64_C(951782400123456789);
    record.attempt = 7;
    record.pid = 4242;
    record.tid = 4243;
    record.peer = Address("10.0.2.2");
    record.evidence.tcp_state = -1;
    record.evidence.syn_retransmits = -1;
    record.evidence.rtt_us = -1;
    if (phase == TCPDIAG_END) {
        record.verdict = {TCPDIAG_REFUSED, TCPDIAG_CAUSE_PORT_CLOSED};
        record.error = ECONNREFUSED;
        record.duration_ns = 312456;
    }
    return record;
}

tcpdiag_record Resolve(tcpdiag_phase phase = TCPDIAG_END)
{
    tcpdiag_record record = Connect(phase);
    record.event = TCPDIAG_RESOLVE;
    record.peer = {};
    record.error = 0;
    record.name = {"db.staging", 10};
    record.service = {"5432", 4};
    record.verdict = {};
    if (phase == TCPDIAG_END)
        record.verdict = {TCPDIAG_RESOLVED, TCPDIAG_CAUSE_NONE};
    return record;
}

// The line, in a buffer of exactly the promised size on the heap: a sanitizer sees one byte more.
std::string Line(const tcpdiag_record &record)
{
    std::vector<char> buffer(TCPDIAG_RECORD_MAX);
    const size_t length = tcpdiag_record_json(&record, buffer.data());
    return std::string(buffer.data(), length);
}

Json Parse(const tcpdiag_record &record)
{
    const std::string line = Line(record);
    json_error_t error;
    EXPECT_LE(line.size(), static_cast<size_t>(TCPDIAG_RECORD_MAX));
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    Json json(
        json_loadb(line.data(), line.size(), JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error));
    EXPECT_TRUE(json) << error.text << " at " << error.position << " of " << line;
    return json;
}

std::string String(const Json &json, const char *key)
{
    json_t *value = json_object_get(json.get(), key);
    if (!json_is_string(value))
        return value ? "(no string)" : "(absent)";
    return std::string(json_string_value(value), json_string_length(value));
}

json_int_t Integer(const Json &json, const char *key)
{
    json_t *value = json_object_get(json.get(), key);
    EXPECT_TRUE(json_is_integer(value)) << key;
    return json_integer_value(value);
}

bool Has(const Json &json, const char *key)
{
    return json_object_get(json.get(), key) != nullptr;
}

TEST(Connect, EachFieldComesBack)
{
    tcpdiag_record record = Connect();
    record.name = {"db.staging", 10};
    record.blocking = TCPDIAG_NONBLOCKING;
    record.lost = 3;
    record.evidence.icmp = true;
    record.evidence.icmp_type = 3;
    record.evidence.icmp_code = 13;
    record.evidence.icmp_from = Address("10.0.1.1");
    record.evidence.syn_retransmits = 2;
    record.evidence.rtt_us = 1250;
    record.verdict = {TCPDIAG_NO_ROUTE, TCPDIAG_CAUSE_ADMIN_PROHIBITED};
    record.error = EHOSTUNREACH;
    const Json json = Parse(record);
    EXPECT_EQ(String(json, "time"), "2000-02-29T00:00:00.123456Z");
    EXPECT_EQ(String(json, "event"), "connect");
    EXPECT_EQ(String(json, "phase"), "end");
    EXPECT_EQ(String(json, "attempt"), "18a2b3c4d5e6f708-7");
    EXPECT_EQ(String(json, "outcome"), "no-route");
    EXPECT_EQ(String(json, "cause"), "admin-prohibited");
    EXPECT_EQ(String(json, "errno"), "EHOSTUNREACH");
    EXPECT_EQ(json_number_value(json_object_get(json.get(), "duration_ms")), 0.312);
    EXPECT_EQ(String(json, "server.address"), "db.staging");
    EXPECT_EQ(String(json, "network.peer.address"), "10.0.2.2");
    EXPECT_EQ(Integer(json, "network.peer.port"), 5432);
    EXPECT_EQ(String(json, "network.type"), "ipv4");
    EXPECT_EQ(String(json, "network.transport"), "tcp");
    EXPECT_TRUE(json_is_false(json_object_get(json.get(), "blocking")));
    EXPECT_EQ(Integer(json, "process.pid"), 4242);
    EXPECT_EQ(Integer(json, "thread.id"), 4243);
    EXPECT_EQ(String(json, "process.executable.name"), "app");
    EXPECT_EQ(String(json, "host.name"), "machine");
    EXPECT_EQ(Integer(json, "lost"), 3);
    EXPECT_EQ(String(json, "tcpdiag.version"), TCPDIAG_VERSION);
    json_t *evidence = json_object_get(json.get(), "evidence");
    EXPECT_EQ(json_integer_value(json_object_get(evidence, "icmp.type")), 3);
    EXPECT_EQ(json_integer_value(json_object_get(evidence, "icmp.code")), 13);
    EXPECT_STREQ(json_string_value(json_object_get(evidence, "icmp.from")), "10.0.1.1");
    EXPECT_EQ(json_integer_value(json_object_get(evidence, "syn_retransmits")), 2);
    EXPECT_EQ(json_number_value(json_object_get(evidence, "rtt_ms")), 1.25);
    EXPECT_EQ(String(json, "message"),
              "db.staging (10.0.2.2) port 5432: no-route: a firewall or router says that policy "
              "forbids it (ICMP administratively prohibited); 10.0.1.1 said ICMP administratively "
              "prohibited; SYN sent again 2 times");
}

// Readers find a record behind half of another by its first bytes.
TEST(Record, BeginsWithItsTimeAndNamesItsVersion)
{
    for (const tcpdiag_record &record :
         {Connect(TCPDIAG_BEGIN), Connect(), Resolve(TCPDIAG_BEGIN), Resolve()}) {
        EXPECT_EQ(Line(record).rfind("{\"time\":\"", 0), 0u);
        EXPECT_EQ(String(Parse(record), "tcpdiag.version"), TCPDIAG_VERSION);
    }
}

TEST(Connect, WhatIsUnknownIsAbsent)
{
    const Json json = Parse(Connect());
    for (const char *key : {"gai", "h_errno", "server.address", "service", "evidence",
                            "dns.answers", "blocking", "lost"})
        EXPECT_FALSE(Has(json, key)) << key;
    tcpdiag_record well = Connect();
    well.verdict = {TCPDIAG_CONNECTED, TCPDIAG_CAUSE_NONE};
    well.error = 0;
    const Json success = Parse(well);
    for (const char *key : {"errno", "cause"})
        EXPECT_FALSE(Has(success, key)) << key;
    EXPECT_EQ(String(success, "message"),
              "10.0.2.2 port 5432: connected: the connection was established");
}

TEST(Connect, BeginHasNoEnd)
{
    tcpdiag_record record = Connect(TCPDIAG_BEGIN);
    record.blocking = TCPDIAG_BLOCKING;
    const Json json = Parse(record);
    EXPECT_EQ(String(json, "phase"), "begin");
    for (const char *key : {"outcome", "cause", "errno", "duration_ms", "evidence"})
        EXPECT_FALSE(Has(json, key)) << key;
    EXPECT_TRUE(json_is_true(json_object_get(json.get(), "blocking")));
    EXPECT_EQ(String(json, "message"), "connecting to 10.0.2.2 port 5432");
}

TEST(Connect, AddressesOfBothFamilies)
{
    const struct {
        tcpdiag_endpoint peer;
        const char *text;
        const char *type;
    } cases[] = {
        {Address("0.0.0.0", 0), "0.0.0.0", "ipv4"},
        {Address("255.255.255.255", 65535), "255.255.255.255", "ipv4"},
        {Address("::"), "::", "ipv6"},
        {Address("2001:db8::1"), "2001:db8::1", "ipv6"},
        {Address("fe80::1", 22, 2), "fe80::1%2", "ipv6"},
        {Address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, UINT32_MAX),
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295", "ipv6"},
    };
    for (const auto &one : cases) {
        tcpdiag_record record = Connect();
        record.peer = one.peer;
        const Json json = Parse(record);
        EXPECT_EQ(String(json, "network.peer.address"), one.text);
        EXPECT_EQ(String(json, "network.type"), one.type);
        EXPECT_EQ(Integer(json, "network.peer.port"), one.peer.port);
        std::vector<char> text(TCPDIAG_ADDRESS_MAX);
        EXPECT_EQ(tcpdiag_address_text(&one.peer, text.data()), strlen(one.text));
        EXPECT_STREQ(text.data(), one.text);
    }
}

// Each of the 256 ways in which groups can be zero, with values of one to four digits.
TEST(Address, Ipv6TextIsInetNtops)
{
    const uint16_t values[] = {0x1, 0xab, 0xf0f, 0xffff};
    for (unsigned zeros = 0; zeros < 256; zeros++)
        for (unsigned first = 0; first < 4; first++) {
            tcpdiag_endpoint endpoint = {};
            endpoint.family = AF_INET6;
            for (unsigned group = 0; group < 8; group++) {
                uint16_t value = zeros >> group & 1 ? 0 : values[(first + group) % 4];
                endpoint.address[2 * group] = (uint8_t)(value >> 8);
                endpoint.address[2 * group + 1] = (uint8_t)value;
            }
            char expected[INET6_ADDRSTRLEN];
            char text[TCPDIAG_ADDRESS_MAX];
            ASSERT_NE(inet_ntop(AF_INET6, endpoint.address, expected, sizeof expected), nullptr);
            EXPECT_EQ(tcpdiag_address_text(&endpoint, text), strlen(expected));
            EXPECT_STREQ(text, expected);
        }
}

TEST(Connect, HowItWasGivenUp)
{
    tcpdiag_record record = Connect();
    record.error = 0;
    record.verdict = {TCPDIAG_TIMEOUT, TCPDIAG_CAUSE_GAVE_UP_WAITING};
    record.duration_ns = INT64_C(2001500000);
    const std::string start =
        "10.0.2.2 port 5432: timeout: the program gave up, or was ended, before anybody answered; ";
    record.ending = TCPDIAG_ENDED_CLOSED;
    EXPECT_EQ(String(Parse(record), "message"), start + "it closed the socket after 2001.5 ms");
    record.ending = TCPDIAG_ENDED_LIMIT;
    EXPECT_EQ(String(Parse(record), "message"),
              start + "the time limit of the client ran out after 2001.5 ms");
    record.ending = TCPDIAG_ENDED_PROCESS;
    EXPECT_EQ(String(Parse(record), "message"),
              start + "the process ended or replaced itself after 2001.5 ms");
}

TEST(Connect, MessageNamesTheErrorWhereNoCauseDoes)
{
    tcpdiag_record record = Connect();
    record.verdict = {TCPDIAG_ERROR, TCPDIAG_CAUSE_NONE};
    record.error = EAFNOSUPPORT;
    EXPECT_EQ(String(Parse(record), "message"),
              "10.0.2.2 port 5432: error: a local error (EAFNOSUPPORT)");
    record.error = 524; // ENOTSUPP, which the kernel leaks now and then
    EXPECT_EQ(String(Parse(record), "message"), "10.0.2.2 port 5432: error: a local error");
    EXPECT_EQ(String(Parse(record), "errno"), "524");
    record.error = INT32_MIN;
    EXPECT_EQ(String(Parse(record), "errno"), "-2147483648");
}

// "10.0.2.2 (10.0.2.2)" says nothing twice.
TEST(Connect, ANameThatIsTheAddressIsSaidOnce)
{
    tcpdiag_record record = Connect();
    record.name = {"10.0.2.2", 8};
    EXPECT_EQ(String(Parse(record), "message").find("10.0.2.2 port"), 0u);
    record.name = {"10.0.2.20", 9};
    EXPECT_EQ(String(Parse(record), "message").find("10.0.2.20 (10.0.2.2) port"), 0u);
}

TEST(Connect, TheOwnFirewallIsNamedAsOurs)
{
    tcpdiag_record record = Connect();
    record.verdict = {TCPDIAG_DENIED, TCPDIAG_CAUSE_LOCAL_FIREWALL};
    record.evidence.icmp = true;
    record.evidence.icmp_own = true;
    record.evidence.icmp_type = 1;
    record.evidence.icmp_code = 4;
    record.evidence.icmp_from = Address("fd00:1::2");
    record.evidence.syn_retransmits = 1;
    const std::string message = String(Parse(record), "message");
    EXPECT_NE(message.find("; fd00:1::2 (this machine) said ICMPv6 port unreachable; SYN sent "
                           "again 1 time"),
              std::string::npos)
        << message;
}

TEST(Resolve, EachFieldComesBack)
{
    tcpdiag_record record = Resolve();
    record.answers[0] = Address("10.0.2.2");
    record.answers[1] = Address("fe80::2", 0, 3);
    record.answer_count = 2;
    const Json json = Parse(record);
    EXPECT_EQ(String(json, "event"), "resolve");
    EXPECT_EQ(String(json, "outcome"), "resolved");
    EXPECT_EQ(String(json, "server.address"), "db.staging");
    EXPECT_EQ(String(json, "service"), "5432");
    json_t *answers = json_object_get(json.get(), "dns.answers");
    ASSERT_EQ(json_array_size(answers), 2u);
    EXPECT_STREQ(json_string_value(json_array_get(answers, 0)), "10.0.2.2");
    EXPECT_STREQ(json_string_value(json_array_get(answers, 1)), "fe80::2%3");
    for (const char *key :
         {"gai", "errno", "network.transport", "network.peer.address", "evidence"})
        EXPECT_FALSE(Has(json, key)) << key;
    EXPECT_EQ(String(Parse(Resolve(TCPDIAG_BEGIN)), "message"), "looking up db.staging");
}

TEST(Resolve, FailuresCarryTheirCode)
{
    tcpdiag_record record = Resolve();
    record.verdict = {TCPDIAG_DNS, TCPDIAG_CAUSE_NAME_NOT_FOUND};
    record.gai = EAI_NONAME;
    EXPECT_EQ(String(Parse(record), "gai"), "EAI_NONAME");
    EXPECT_EQ(String(Parse(record), "message"), "db.staging: dns: the name does not exist");
    record.gai = EAI_SYSTEM;
    record.error = EMFILE;
    EXPECT_EQ(String(Parse(record), "gai"), "EAI_SYSTEM");
    EXPECT_EQ(String(Parse(record), "errno"), "EMFILE");
    record.gai = -77;
    EXPECT_EQ(String(Parse(record), "gai"), "-77");
    record.gai = 0;
    record.error = 0;
    record.h_error = TRY_AGAIN;
    EXPECT_EQ(String(Parse(record), "h_errno"), "TRY_AGAIN");
}

TEST(Resolve, MoreAnswersThanThereIsRoomForAreLeftOut)
{
    tcpdiag_record record = Resolve();
    for (tcpdiag_endpoint &answer : record.answers)
        answer = Address("10.0.2.2");
    record.answer_count = 1000;
    EXPECT_EQ(json_array_size(json_object_get(Parse(record).get(), "dns.answers")),
              static_cast<size_t>(TCPDIAG_ANSWERS_MAX));
}

TEST(Names, HostileBytesStayInsideTheirString)
{
    for (const std::string &name :
         {std::string("\",\"outcome\":\"connected"), std::string("a\nb"), std::string("a\\"),
          std::string("\0x", 2), std::string("\xff\xfe"), std::string("\x1b]0;title\x07")}) {
        tcpdiag_record record = Connect();
        record.name = Text(name);
        const Json json = Parse(record);
        EXPECT_EQ(String(json, "outcome"), "refused");
        if (name[0] != '\xff') {
            EXPECT_EQ(String(json, "server.address"), name);
        }
    }
}

// Every field as long as it can be, filled with what grows most when it is escaped.
tcpdiag_record Longest(const std::string &text, tcpdiag_identity *who)
{
    tcpdiag_record record = Connect();
    *who = {Text(text), Text(text), UINT64_MAX};
    record.who = who;
    record.wall_ns = INT64_MAX;
    record.attempt = UINT64_MAX;
    record.pid = INT32_MAX;
    record.tid = INT32_MAX;
    record.name = Text(text);
    record.service = Text(text);
    record.blocking = TCPDIAG_NONBLOCKING;
    record.lost = INT64_MAX;
    record.peer = Address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535, UINT32_MAX);
    record.duration_ns = INT64_MAX;
    record.error = INT32_MIN;
    record.gai = INT32_MIN;
    record.h_error = INT32_MIN;
    record.evidence.icmp = true;
    record.evidence.icmp_own = true;
    record.evidence.icmp_from = record.peer;
    record.evidence.icmp_type = 255;
    record.evidence.icmp_code = 255;
    record.evidence.syn_retransmits = INT32_MAX;
    record.evidence.rtt_us = INT64_MAX;
    for (tcpdiag_endpoint &answer : record.answers)
        answer = record.peer;
    record.answer_count = TCPDIAG_ANSWERS_MAX;
    return record;
}

TEST(Length, TheLongestRecordFitsWhole)
{
    size_t longest = 0;
    for (const std::string &text : {std::string(5000, '\x01'), std::string(5000, 'x'),
                                    std::string(5000, '"'), std::string(5000, '\xff')})
        for (int outcome = 1; outcome < TCPDIAG_OUTCOME_COUNT; outcome++)
            for (int cause = 0; cause < TCPDIAG_CAUSE_COUNT; cause++)
                for (int ending = 0; ending <= TCPDIAG_ENDED_UNSEEN; ending++)
                    for (int error : {0, INT32_MIN}) {
                        tcpdiag_identity who;
                        tcpdiag_record record = Longest(text, &who);
                        record.verdict = {static_cast<tcpdiag_outcome>(outcome),
                                          static_cast<tcpdiag_cause>(cause)};
                        record.ending = static_cast<tcpdiag_ending>(ending);
                        record.error = error;
                        const Json json = Parse(record);
                        ASSERT_TRUE(Has(json, "message"));
                        longest = std::max(longest, Line(record).size());
                    }
    EXPECT_GT(longest, 2500u) << "these are not the longest records";
    RecordProperty("longest", static_cast<int>(longest));
}

TEST(Message, IsTheOneOfTheRecord)
{
    tcpdiag_record record = Connect();
    record.name = {"db.staging", 10};
    char text[TCPDIAG_RECORD_MAX];
    const size_t length = tcpdiag_record_message(&record, text, sizeof text);
    EXPECT_EQ(std::string(text, length), String(Parse(record), "message"));
}

TEST(Message, IsCutFromItsEndOnly)
{
    tcpdiag_record record = Connect();
    record.name = {"db.staging", 10};
    record.evidence.syn_retransmits = 2;
    char text[TCPDIAG_RECORD_MAX];
    const std::string whole(text, tcpdiag_record_message(&record, text, sizeof text));
    for (size_t size = 1; size <= whole.size() + 1; size++) {
        std::vector<char> buffer(size, 'x');
        const size_t length = tcpdiag_record_message(&record, buffer.data(), size);
        ASSERT_LT(length, size);
        EXPECT_EQ(buffer[length], '\0');
        EXPECT_EQ(whole.compare(0, length, buffer.data()), 0) << size << ": " << buffer.data();
    }
}

} // namespace
