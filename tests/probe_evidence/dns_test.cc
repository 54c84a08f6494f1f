/* SPDX-License-Identifier: MIT */
// Runs in the network that tests/probe_evidence/net makes, with an /etc of its own and the name
// servers of nameservers.py.
#include "probe/questions/dns_text.h"

#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

#include "tests/probe_evidence/net.h"

namespace
{

constexpr int64_t kMillisecond = 1000000;
constexpr int64_t kLimit = 300 * kMillisecond;

void Write(const char *path, const std::string &text)
{
    std::ofstream file(path);
    file << text;
    ASSERT_TRUE(file.good()) << path;
}

class Dns
{
  public:
    Dns(const char *name, int family = AF_UNSPEC, int64_t limit = kLimit)
    {
        dns_request request = {name, family, limit};
        dns_ask(&request, &result_);
        char lines[DNS_LINES_MAX][DNS_LINE_SIZE];
        unsigned count = dns_lines(&result_, lines);
        EXPECT_GE(count, 1u);
        for (unsigned i = 0; i < count; i++) {
            EXPECT_LE(strlen(lines[i]), 80u);
            text_ += std::string(i ? " " : "") + lines[i];
            if (getenv("SHOW"))
                printf("%s\n", lines[i]);
        }
        static char json[DNS_JSON_SIZE];
        size_t length = dns_json(&result_, json, sizeof json);
        EXPECT_EQ(length, strlen(json));
        json_ = json;
        if (getenv("SHOW"))
            puts(json);
    }
    const dns_result *operator->() const
    {
        return &result_;
    }
    std::string Why() const
    {
        return dns_why_name(result_.why);
    }
    bool Says(const char *words) const
    {
        return text_.find(words) != std::string::npos;
    }
    const std::string &text() const
    {
        return text_;
    }
    const std::string &json() const
    {
        return json_;
    }

  private:
    dns_result result_;
    std::string text_, json_;
};

class DnsTest : public testing::Test
{
  protected:
    void SetUp() override
    {
        Servers({"127.0.2.1"});
        Write("/etc/hosts", "127.0.0.1 localhost\n");
        Write("/etc/nsswitch.conf", "hosts: files dns\n");
        unsetenv("LOCALDOMAIN");
        unsetenv("RES_OPTIONS");
    }
    void Servers(std::vector<std::string> addresses, const std::string &more = "")
    {
        std::string text;
        for (const std::string &address : addresses)
            text += "nameserver " + address + "\n";
        Write("/etc/resolv.conf", text + more);
    }
};

TEST_F(DnsTest, ANameThatResolvesIsSaidToResolve)
{
    for (const char *name : {"both.test", "both.test.", "BOTH.test"}) {
        Dns dns(name);
        EXPECT_EQ(dns.Why(), "resolves") << dns.text();
        EXPECT_EQ(dns->servers[0].a[0].reply, DNS_FOUND);
        EXPECT_EQ(dns->servers[0].aaaa[0].reply, DNS_FOUND);
        EXPECT_EQ(dns->servers[0].root.reply, DNS_FOUND);
        EXPECT_GT(dns->servers[0].a[0].rtt_us, 0);
        EXPECT_TRUE(dns->any_name_resolves);
        EXPECT_LT(dns->duration_ns, kLimit / 2);
    }
}

TEST_F(DnsTest, ANameThatDoesNotExist)
{
    Dns dns("nosuch.test");
    EXPECT_EQ(dns.Why(), "not-found");
    EXPECT_EQ(dns->servers[0].a[0].reply, DNS_NXDOMAIN);
    EXPECT_TRUE(dns.Says("servers work and say that the name does not exist")) << dns.text();
    EXPECT_TRUE(dns.Says("127.0.2.1: NXDOMAIN")) << dns.text();
}

TEST_F(DnsTest, AServerThatRefusesEveryName)
{
    Servers({"127.0.2.2"});
    Dns dns("both.test");
    EXPECT_EQ(dns.Why(), "all-refuse");
    EXPECT_EQ(dns->servers[0].a[0].reply, DNS_REFUSED);
    EXPECT_FALSE(dns->any_name_resolves);
    EXPECT_TRUE(dns.Says("127.0.2.2: REFUSED")) << dns.text();
}

TEST_F(DnsTest, AServerThatFailsForEveryName)
{
    Servers({"127.0.2.3"});
    Dns dns("both.test");
    EXPECT_EQ(dns.Why(), "all-refuse");
    EXPECT_EQ(dns->servers[0].a[0].reply, DNS_SERVFAIL);
    EXPECT_TRUE(dns.Says("could answer for this name or for the root")) << dns.text();
}

TEST_F(DnsTest, AServerThatFailsForThisNameOnly)
{
    Dns dns("broken.test");
    EXPECT_EQ(dns.Why(), "name-fails");
    EXPECT_TRUE(dns->any_name_resolves);
    EXPECT_TRUE(dns.Says("127.0.2.1: SERVFAIL (other names: yes)")) << dns.text();
}

TEST_F(DnsTest, ASilentServer)
{
    Servers({"127.0.2.4"});
    Dns dns("both.test");
    EXPECT_EQ(dns.Why(), "all-silent");
    EXPECT_TRUE(dns.Says("No name server answers, for any name")) << dns.text();
    EXPECT_TRUE(dns.Says("127.0.2.4: no answer")) << dns.text();
    EXPECT_GE(dns->duration_ns, kLimit);
    EXPECT_LT(dns->duration_ns, kLimit + 100 * kMillisecond);
}

TEST_F(DnsTest, AServerThatAnswersOnlyTheRoot)
{
    Servers({"127.0.2.9"});
    Dns dns("both.test");
    EXPECT_EQ(dns.Why(), "all-refuse") << dns.text();
    EXPECT_TRUE(dns.Says("could answer for this name or for the root")) << dns.text();
    EXPECT_TRUE(dns.Says("127.0.2.9: no answer")) << dns.text();
}

TEST_F(DnsTest, AnAddressWithoutAServer)
{
    Servers({"127.0.2.5"});
    Dns dns("both.test");
    EXPECT_EQ(dns.Why(), "all-unreachable");
    EXPECT_EQ(dns->servers[0].a[0].reply, DNS_UNREACHABLE);
    EXPECT_EQ(dns->servers[0].a[0].error, ECONNREFUSED);
    EXPECT_TRUE(dns.Says("127.0.2.5: no name server there")) << dns.text();
    EXPECT_LT(dns->duration_ns, kLimit / 2);
}

TEST_F(DnsTest, AServerThatSpeaksNonsense)
{
    Servers({"127.0.2.7"});
    Dns dns("both.test");
    EXPECT_EQ(dns.Why(), "all-refuse");
    EXPECT_EQ(dns->servers[0].a[0].reply, DNS_OTHER);
    EXPECT_TRUE(dns.Says("127.0.2.7: nonsense")) << dns.text();
}

TEST_F(DnsTest, ARealForwarderWithAndWithoutAServerBehindIt)
{
    Servers({"127.0.2.53"}); /* dnsmasq, which asks 127.0.2.1 */
    EXPECT_EQ(Dns("both.test").Why(), "resolves");
    EXPECT_EQ(Dns("nosuch.test").Why(), "not-found");
    Servers({"127.0.2.54"}); /* dnsmasq that has nobody to ask */
    Dns dns("both.test");
    EXPECT_EQ(dns.Why(), "all-refuse");
    EXPECT_EQ(dns->servers[0].root.reply, DNS_REFUSED);
}

TEST_F(DnsTest, ALostPacketIsSentAgain)
{
    Servers({"127.0.2.8"});
    Dns dns("both.test", AF_UNSPEC, 900 * kMillisecond);
    EXPECT_EQ(dns.Why(), "resolves") << dns.text();
    EXPECT_LT(dns->duration_ns, 600 * kMillisecond);
}

TEST_F(DnsTest, EachServerIsAskedByItself)
{
    Servers({"127.0.2.4", "127.0.2.2", "::1"});
    Dns dns("nosuch.test");
    EXPECT_EQ(dns.Why(), "not-found");
    EXPECT_EQ(dns->server_count, 3u);
    EXPECT_TRUE(dns.Says("127.0.2.4: no answer (for any name)")) << dns.text();
    EXPECT_TRUE(dns.Says("127.0.2.2: REFUSED (for any name)")) << dns.text();
    EXPECT_TRUE(dns.Says("::1: NXDOMAIN")) << dns.text();
}

TEST_F(DnsTest, ServersThatDisagree)
{
    Servers({"127.0.2.6", "127.0.2.1"});
    Dns dns("both.test");
    EXPECT_EQ(dns.Why(), "servers-differ");
    EXPECT_TRUE(dns.Says("127.0.2.6: NXDOMAIN; 127.0.2.1: has it")) << dns.text();
}

TEST_F(DnsTest, ANameOfTheOtherFamilyOnly)
{
    Dns six("v6only.test", AF_INET);
    EXPECT_EQ(six.Why(), "other-family");
    EXPECT_TRUE(six.Says("v6only.test has IPv6 addresses, but no IPv4 one")) << six.text();
    Dns four("v4only.test", AF_INET6);
    EXPECT_EQ(four.Why(), "other-family");
    EXPECT_TRUE(four.Says("v4only.test has IPv4 addresses, but no IPv6 one")) << four.text();
    EXPECT_EQ(Dns("v6only.test", AF_INET6).Why(), "resolves");
    EXPECT_EQ(Dns("v6only.test").Why(), "resolves");
}

TEST_F(DnsTest, ANameWithoutAnyAddress)
{
    Dns dns("empty.test");
    EXPECT_EQ(dns.Why(), "no-address");
    EXPECT_TRUE(dns.Says("exists, but has no address")) << dns.text();
}

TEST_F(DnsTest, ADotAtTheEndTurnsTheSearchOff)
{
    Servers({"127.0.2.1"}, "search corp.test\n");
    Dns dotted("db.");
    EXPECT_EQ(dotted.Why(), "only-search");
    EXPECT_TRUE(dotted.Says("The name exists as db.corp.test")) << dotted.text();
    EXPECT_EQ(Dns("db").Why(), "resolves");
    /* libc is of the same opinion. */
    addrinfo *list;
    res_init();
    EXPECT_NE(getaddrinfo("db.", nullptr, nullptr, &list), 0);
    ASSERT_EQ(getaddrinfo("db", nullptr, nullptr, &list), 0);
    freeaddrinfo(list);
}

TEST_F(DnsTest, ASingleLabel)
{
    Dns alone("db");
    EXPECT_EQ(alone.Why(), "single-label");
    EXPECT_TRUE(alone.Says("no search domain")) << alone.text();
    Servers({"127.0.2.1"}, "search other.test\n");
    Dns searched("db");
    EXPECT_EQ(searched.Why(), "single-label");
    EXPECT_TRUE(searched.Says("nor under the search domains")) << searched.text();
    EXPECT_EQ(searched->name_count, 2u);
}

TEST_F(DnsTest, ANameThatOnlyExistsWithoutTheSearch)
{
    Servers({"127.0.2.1"}, "search corp.test\noptions no-tld-query\n");
    Dns dns("bare");
    EXPECT_EQ(dns.Why(), "only-bare") << dns.text();
    EXPECT_EQ(Dns("bare.").Why(), "resolves");
}

TEST_F(DnsTest, TheSearchOfTheEnvironmentCounts)
{
    setenv("LOCALDOMAIN", "corp.test", 1);
    EXPECT_EQ(Dns("db").Why(), "resolves");
}

TEST_F(DnsTest, NoServerIsNamed)
{
    Write("/etc/resolv.conf", "# nothing\n");
    Dns dns("both.test");
    EXPECT_EQ(dns.Why(), "no-server");
    EXPECT_TRUE(dns->resolv_conf);
    EXPECT_TRUE(dns.Says("/etc/resolv.conf names no server")) << dns.text();
}

TEST_F(DnsTest, NoResolvConf)
{
    ASSERT_EQ(unlink("/etc/resolv.conf"), 0);
    Dns dns("both.test");
    EXPECT_EQ(dns.Why(), "no-server");
    EXPECT_FALSE(dns->resolv_conf);
    EXPECT_TRUE(dns.Says("There is no /etc/resolv.conf")) << dns.text();
}

TEST_F(DnsTest, HostsDecides)
{
    Write("/etc/hosts", "fd00:3::2 pinned.test alias # a remark\n10.0.3.2 v6only.test\n");
    Dns dns("pinned.test", AF_INET);
    EXPECT_EQ(dns.Why(), "hosts");
    EXPECT_TRUE(dns.Says("/etc/hosts has the name, but only with an IPv6 address")) << dns.text();
    EXPECT_EQ(Dns("alias", AF_INET6).Why(), "resolves");
    EXPECT_EQ(Dns("remark").Why(), "single-label");
    EXPECT_EQ(Dns("v6only.test", AF_INET).Why(), "resolves");
}

TEST_F(DnsTest, HostsThatNobodyReads)
{
    Write("/etc/hosts", "10.0.3.2 pinned.test\n");
    Write("/etc/nsswitch.conf", "passwd: files\nhosts: dns [!UNAVAIL=return]\n");
    Dns dns("pinned.test");
    EXPECT_EQ(dns.Why(), "hosts-unused") << dns.text();
}

TEST_F(DnsTest, ASwitchThatAsksNoDns)
{
    Write("/etc/nsswitch.conf", "hosts: files # dns\n");
    Dns dns("both.test");
    EXPECT_EQ(dns.Why(), "dns-unused");
    EXPECT_TRUE(dns.Says("127.0.2.1: has it")) << dns.text();
}

TEST_F(DnsTest, WhatCanBeNoName)
{
    std::string label(64, 'a'), longest(254, 'a');
    for (const std::string &name : {std::string(), label + ".test", longest, std::string("a..b")}) {
        Dns dns(name.c_str());
        EXPECT_EQ(dns.Why(), "bad-name") << name;
        EXPECT_LT(dns->duration_ns, kLimit / 2);
    }
}

TEST_F(DnsTest, AnOddNameDoesNotReachTheTerminal)
{
    Servers({"127.0.2.6", "127.0.2.1"});
    Dns dns("esc\033[31m.test");
    EXPECT_EQ(dns.text().find('\033'), std::string::npos) << dns.text();
    EXPECT_EQ(dns.json().find('\033'), std::string::npos) << dns.json();
}

TEST_F(DnsTest, ALongSearchListWithThreeServersFits)
{
    std::string search = "search";
    for (int i = 0; i < 12; i++)
        search += " domain-of-a-company-with-a-long-name-" + std::to_string(i) + ".example.test";
    Servers({"127.0.2.6", "127.0.2.1", "::1"}, search + "\n");
    Dns dns("nosuch.test");
    EXPECT_EQ(dns.Why(), "not-found");
    EXPECT_EQ(dns.json().back(), '}');
    EXPECT_GT(dns->name_count, 4u);
}

} // namespace
