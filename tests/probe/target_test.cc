// SPDX-License-Identifier: MIT
#include "probe/targets/target.h"

#include <arpa/inet.h>
#include <string.h>

#include <string>

#include "gtest/gtest.h"

namespace
{

// Services and interfaces that every machine of these tests has.
uint16_t Service(const char *name)
{
    if (strcmp(name, "http") == 0)
        return 80;
    if (strcmp(name, "https") == 0)
        return 443;
    return strcmp(name, "kerberos-adm") == 0 ? 749 : 0;
}

uint32_t Interface(const char *name)
{
    return strcmp(name, "eth0") == 0 ? 7 : 0;
}

const target_machine machine = {Service, Interface};

std::string Ports(const target &t)
{
    std::string text;
    for (unsigned i = 0; i < t.range_count; i++) {
        text += (i ? "," : "") + std::to_string(t.ranges[i].first);
        if (t.ranges[i].last != t.ranges[i].first)
            text += "-" + std::to_string(t.ranges[i].last);
    }
    return text;
}

std::string Address(const tcpdiag_endpoint &e)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (e.family != 0)
        inet_ntop(e.family, e.address, text, sizeof text);
    return text + (e.scope ? "%" + std::to_string(e.scope) : "");
}

struct Good {
    const char *text;
    const char *host;
    const char *first; // "": a name
    uint32_t addresses;
    const char *ports; // "": still to come
};

class Understood : public testing::TestWithParam<Good>
{
};

TEST_P(Understood, AsWritten)
{
    const Good &want = GetParam();
    target t;
    char error[TARGET_ERROR_MAX] = "";
    ASSERT_TRUE(target_parse(&t, want.text, &machine, error)) << error;
    EXPECT_STREQ(want.host, t.host);
    EXPECT_EQ(want.first, Address(t.first));
    EXPECT_EQ(want.addresses, t.addresses);
    EXPECT_EQ(want.ports, Ports(t));
}

const std::string longest(253, 'a');

INSTANTIATE_TEST_SUITE_P(
    Hosts, Understood,
    testing::Values(Good{"db.staging", "db.staging", "", 1, ""},
                    Good{"db.staging.", "db.staging.", "", 1, ""},
                    Good{"_sip._tcp.example", "_sip._tcp.example", "", 1, ""},
                    Good{longest.c_str(), longest.c_str(), "", 1, ""},
                    Good{"10.0.0.1", "10.0.0.1", "10.0.0.1", 1, ""},
                    Good{"::1", "::1", "::1", 1, ""}, Good{"[::1]", "::1", "::1", 1, ""},
                    Good{"fe80::1%eth0", "fe80::1%eth0", "fe80::1%7", 1, ""},
                    Good{"fe80::1%3", "fe80::1%3", "fe80::1%3", 1, ""},
                    Good{"[fe80::1%eth0]", "fe80::1%eth0", "fe80::1%7", 1, ""},
                    Good{"[fe80::1]%eth0", "fe80::1%eth0", "fe80::1%7", 1, ""},
                    Good{"::ffff:192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", 1, ""}));

INSTANTIATE_TEST_SUITE_P(
    HostsWithPorts, Understood,
    testing::Values(Good{"db:5432", "db", "", 1, "5432"}, Good{"db:http", "db", "", 1, "80"},
                    Good{"db:kerberos-adm", "db", "", 1, "749"},
                    Good{"db:80,443,8000-8100", "db", "", 1, "80,443,8000-8100"},
                    Good{"db:http,https", "db", "", 1, "80,443"},
                    Good{"10.0.0.1:1-65535", "10.0.0.1", "10.0.0.1", 1, "1-65535"},
                    Good{"[::1]:80", "::1", "::1", 1, "80"},
                    Good{"[fe80::1%eth0]:80", "fe80::1%eth0", "fe80::1%7", 1, "80"},
                    Good{"[fe80::1]%eth0:80", "fe80::1%eth0", "fe80::1%7", 1, "80"}));

INSTANTIATE_TEST_SUITE_P(
    Blocks, Understood,
    testing::Values(Good{"10.0.0.0/24", "10.0.0.0", "10.0.0.0", 256, ""},
                    Good{"10.0.0.77/24:80", "10.0.0.77", "10.0.0.0", 256, "80"},
                    Good{"10.1.2.3/16", "10.1.2.3", "10.1.0.0", 65536, ""},
                    Good{"10.1.2.3/32", "10.1.2.3", "10.1.2.3", 1, ""},
                    Good{"10.1.2.3/31", "10.1.2.3", "10.1.2.2", 2, ""},
                    Good{"2001:db8::ffff/112", "2001:db8::ffff", "2001:db8::", 65536, ""},
                    Good{"2001:db8::5/126", "2001:db8::5", "2001:db8::4", 4, ""},
                    Good{"[2001:db8::]/120:80", "2001:db8::", "2001:db8::", 256, "80"},
                    Good{"[2001:db8::/120]:80", "2001:db8::", "2001:db8::", 256, "80"}));

INSTANTIATE_TEST_SUITE_P(
    Urls, Understood,
    testing::Values(Good{"tcp://db:5432", "db", "", 1, "5432"},
                    Good{"http://example.org", "example.org", "", 1, "80"},
                    Good{"https://example.org/a:b/?c#d", "example.org", "", 1, "443"},
                    Good{"HTTPS://example.org:8443/", "example.org", "", 1, "8443"},
                    Good{"http://user:pa@ss@example.org/", "example.org", "", 1, "80"},
                    Good{"http://example.org?q=1", "example.org", "", 1, "80"},
                    Good{"http://[::1]/", "::1", "::1", 1, "80"},
                    Good{"http://[::1]:8080/", "::1", "::1", 1, "8080"}));

struct Bad {
    const char *text;
    const char *why;
};

class Refused : public testing::TestWithParam<Bad>
{
};

TEST_P(Refused, WithItsReason)
{
    target t;
    char error[TARGET_ERROR_MAX] = "";
    ASSERT_FALSE(target_parse(&t, GetParam().text, &machine, error));
    EXPECT_NE(std::string::npos, std::string(error).find(GetParam().why)) << error;
    for (const char *at = error; *at; at++)
        EXPECT_TRUE(*at >= 0x20 && *at < 0x7f) << error;
}

const std::string too_long(254, 'a');
const std::string endless(100000, '9');
const std::string endless_port = "db:" + endless;
const std::string endless_block = "10.0.0.0/" + endless;

INSTANTIATE_TEST_SUITE_P(
    Hosts, Refused,
    testing::Values(Bad{"", "the host is empty"}, Bad{".", "the host is empty"},
                    Bad{":80", "the host is empty"}, Bad{"[]:80", "no IPv6 address"},
                    Bad{"[db]:80", "no IPv6 address"}, Bad{"[::1:80", "not closed"},
                    Bad{"[::1]80", "after the bracket"}, Bad{"[::g]:80", "not an IPv6 address"},
                    Bad{"::1::2", "not an IPv6 address"}, Bad{"1:2:3", "not an IPv6 address"},
                    Bad{too_long.c_str(), "254 bytes"}, Bad{"a b", "not the name"},
                    Bad{"a\x1b[2J", "a\\x1b[2J: not the name"}, Bad{"a\nb", "not the name"},
                    Bad{"b\xc3\xbc"
                        "cher.example",
                        "xn--"},
                    Bad{"db/x", "begins with an address"}, Bad{"db%eth0", "has a scope"},
                    Bad{"10.0.0.1%eth0", "has a scope"}, Bad{"fe80::1%eth9", "no interface"},
                    Bad{"fe80::1%", "no interface"}, Bad{"fe80::1%0", "no interface"}));

INSTANTIATE_TEST_SUITE_P(
    Ports, Refused,
    testing::Values(Bad{"db:", "the port is empty"}, Bad{"db:0", "between 1 and 65535"},
                    Bad{"db:65536", "between 1 and 65535"}, Bad{"db:-1", "neither a port"},
                    Bad{"db:80,", "the port is empty"}, Bad{"db:,80", "the port is empty"},
                    Bad{"db:80-", "neither a port"}, Bad{"db:90-80", "backwards"},
                    Bad{"db:0-80", "between 1 and 65535"}, Bad{"db:80-65536", "between 1 and"},
                    Bad{"db:nosuch", "neither a port"}, Bad{"db:8o", "neither a port"},
                    Bad{"db:+80", "neither a port"}, Bad{"db: 80", "neither a port"},
                    Bad{endless_port.c_str(), "between 1 and 65535"}));

INSTANTIATE_TEST_SUITE_P(
    BlocksAndUrls, Refused,
    testing::Values(Bad{"0.0.0.0/0", "2^32"}, Bad{"10.0.0.0/15", "2^17"}, Bad{"::/0", "2^128"},
                    Bad{"2001:db8::/111", "2^17"}, Bad{"10.0.0.0/33", "between 0 and 32"},
                    Bad{"::1/129", "between 0 and 128"}, Bad{"10.0.0.0/", "between 0 and 32"},
                    Bad{"10.0.0.0/x", "between 0 and 32"}, Bad{endless_block.c_str(), "between 0"},
                    Bad{"ftp://db", "only tcp, http and https"}, Bad{"tcp://db", "needs its port"},
                    Bad{"http://", "the host is empty"}, Bad{"http:///path", "the host is empty"}));

TEST(Ports, MoreThanATargetHolds)
{
    target t;
    char error[TARGET_ERROR_MAX];
    ASSERT_TRUE(target_parse(&t, "db", &machine, error));
    for (int i = 0; i < TARGET_RANGES_MAX; i++)
        ASSERT_TRUE(target_add_ports(&t, "80", &machine, error));
    EXPECT_FALSE(target_add_ports(&t, "80", &machine, error));
}

TEST(Ports, AWordAfterTheHost)
{
    EXPECT_TRUE(target_is_ports("80", &machine));
    EXPECT_TRUE(target_is_ports("0", &machine)); // a wrong port, and no host
    EXPECT_TRUE(target_is_ports("80,https", &machine));
    EXPECT_TRUE(target_is_ports("http", &machine));
    EXPECT_FALSE(target_is_ports("db", &machine));
    EXPECT_FALSE(target_is_ports("db:80", &machine));
    EXPECT_FALSE(target_is_ports("10.0.0.1", &machine));
    EXPECT_FALSE(target_is_ports("", &machine));
}

TEST(Walk, EveryPortAndAddressOnce)
{
    target t;
    char error[TARGET_ERROR_MAX];
    ASSERT_TRUE(target_parse(&t, "10.0.0.0/22:5,10-12,65535", &machine, error));
    ASSERT_EQ(5U, target_port_count(&t));
    const uint16_t ports[] = {5, 10, 11, 12, 65535};
    for (unsigned i = 0; i < 5; i++)
        EXPECT_EQ(ports[i], target_port(&t, i));
    EXPECT_EQ("10.0.0.0", Address(target_address(&t, 0)));
    EXPECT_EQ("10.0.1.2", Address(target_address(&t, 258)));
    EXPECT_EQ("10.0.3.255", Address(target_address(&t, 1023)));
}

} // namespace
