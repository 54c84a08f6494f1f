/* SPDX-License-Identifier: MIT */
// Runs in the network that tests/probe_evidence/net makes.
#include "probe/questions/control.h"

#include <stdlib.h>

#include <fstream>

#include "probe/questions/neighbour.h"
#include "tests/probe_evidence/net.h"

namespace
{

constexpr int64_t kMillisecond = 1000000;
constexpr int64_t kLimit = 400 * kMillisecond;

class Control
{
  public:
    Control(const char *address, uint16_t port, std::vector<uint16_t> ports = {})
    {
        control_request request = {};
        request.target = At(address, port);
        request.limit_ns = kLimit;
        for (uint16_t one : ports)
            request.ports[request.port_count++] = one;
        control_ask(&request, &control_);
        char text[CONTROL_JSON_SIZE];
        size_t length = control_sentence(&control_, text, CONTROL_SENTENCE_SIZE);
        EXPECT_EQ(length, strlen(text));
        sentence_ = text;
        length = control_json(&control_, text, sizeof text);
        EXPECT_EQ(length, strlen(text));
        EXPECT_NE(std::string(text).find(sentence_), std::string::npos);
        if (getenv("SHOW"))
            puts(text);
    }
    const struct control *operator->() const
    {
        return &control_;
    }
    const std::string &sentence() const
    {
        return sentence_;
    }
    bool Says(const char *words) const
    {
        return sentence_.find(words) != std::string::npos;
    }
    tcpdiag_cause CauseOf(tcpdiag_outcome outcome, tcpdiag_cause cause, bool changes) const
    {
        tcpdiag_verdict verdict = {outcome, cause};
        EXPECT_EQ(control_upgrade(&control_, &verdict), changes) << sentence_;
        EXPECT_EQ(verdict.outcome, outcome);
        return verdict.cause;
    }
    const control_answer *Answer(control_kind kind, uint16_t port = 0) const
    {
        for (unsigned i = 0; i < control_.count; i++)
            if (control_.answers[i].kind == kind && control_.answers[i].port == port)
                return &control_.answers[i];
        return nullptr;
    }

  private:
    struct control control_;
    std::string sentence_;
};

/* A new network namespace allows nobody a ping, and that cannot be taken back to (its "1 0" names a
   group that the user namespace lacks): the tests that need it so come first. */
TEST(ControlWithoutPingTest, WhatAnotherMachineSaysSettlesNothing)
{
    Control control("10.0.3.2", 82, {91, 92});
    EXPECT_FALSE(control->alive) << control.sentence();
    EXPECT_FALSE(control->silent) << control.sentence();
    EXPECT_EQ(Text(control.Answer(CONTROL_PORT, 91)->from), "10.0.1.1");
    EXPECT_TRUE(control.Says("port 91: 10.0.1.1 says ICMP")) << control.sentence();
    EXPECT_EQ(control.CauseOf(TCPDIAG_TIMEOUT, TCPDIAG_CAUSE_NO_ANSWER, false),
              TCPDIAG_CAUSE_NO_ANSWER);
}

TEST(ControlWithoutPingTest, AnIcmpErrorFromTheHostItselfProvesItAlive)
{
    Control control("10.0.3.2", 82, {81});
    EXPECT_TRUE(control->alive) << control.sentence();
}

TEST(ControlWithoutPingTest, APingThatIsNotAllowedIsSaidAndClaimsNothing)
{
    Control control("10.0.3.3", 82);
    EXPECT_EQ(control.Answer(CONTROL_ECHO)->says, CONTROL_NOT_ALLOWED);
    EXPECT_TRUE(control.Says("ping: not allowed here (net.ipv4.ping_group_range)"))
        << control.sentence();
    EXPECT_FALSE(control.Says("ping,"));
    EXPECT_TRUE(control->silent);
}

class ControlTest : public testing::Test
{
  public:
    static void SetUpTestSuite()
    {
        std::ofstream file("/proc/sys/net/ipv4/ping_group_range");
        file << "0 0" << std::endl;
        ASSERT_TRUE(file.good());
    }
};

TEST_F(ControlTest, AHostWithADroppedPortIsAlive)
{
    for (const char *address : {"10.0.3.2", "fd00:3::2"}) {
        Control control(address, 82);
        EXPECT_TRUE(control->alive) << control.sentence();
        EXPECT_FALSE(control->silent);
        EXPECT_EQ(control.CauseOf(TCPDIAG_TIMEOUT, TCPDIAG_CAUSE_GAVE_UP_WAITING, true),
                  TCPDIAG_CAUSE_PORT_FILTERED);
        EXPECT_EQ(control.Answer(CONTROL_PORT, 80)->says, CONTROL_CONNECTED);
        EXPECT_EQ(control.Answer(CONTROL_PORT, 22)->says, CONTROL_RESET);
        EXPECT_EQ(control.Answer(CONTROL_ECHO)->says, CONTROL_REPLY);
        EXPECT_GT(control.Answer(CONTROL_ECHO)->rtt_us, 0);
        EXPECT_TRUE(control.Says("the host is alive: port 80 connects")) << control.sentence();
        EXPECT_TRUE(control.Says("ping is answered")) << control.sentence();
        EXPECT_LT(control->duration_ns, kLimit);
    }
}

TEST_F(ControlTest, AHostThatDropsEverythingIsSilent)
{
    for (const char *address : {"10.0.3.3", "fd00:3::3"}) {
        Control control(address, 5432);
        EXPECT_TRUE(control->silent) << control.sentence();
        EXPECT_FALSE(control->alive);
        EXPECT_EQ(control.CauseOf(TCPDIAG_TIMEOUT, TCPDIAG_CAUSE_NO_ANSWER, true),
                  TCPDIAG_CAUSE_HOST_SILENT);
        EXPECT_TRUE(control.Says("no answer from port 80, port 443, port 22, port 1, ping"))
            << control.sentence();
        EXPECT_GE(control->duration_ns, kLimit);
        EXPECT_LT(control->duration_ns, kLimit + 200 * kMillisecond);
    }
}

TEST_F(ControlTest, OnlyATimeoutIsUpgraded)
{
    Control control("10.0.3.2", 82);
    EXPECT_EQ(control.CauseOf(TCPDIAG_REFUSED, TCPDIAG_CAUSE_PORT_CLOSED, false),
              TCPDIAG_CAUSE_PORT_CLOSED);
}

TEST_F(ControlTest, TheSilentPortItselfIsNotAskedAgain)
{
    Control control("10.0.3.2", 80);
    EXPECT_EQ(control.Answer(CONTROL_PORT, 80), nullptr);
    EXPECT_NE(control.Answer(CONTROL_PORT, 443), nullptr);
}

TEST_F(ControlTest, ANeighbourThatDropsEverythingIsAlive)
{
    Control first("10.0.1.7", 5432); /* makes the kernel ask by ARP, if nothing else has */
    Control control("10.0.1.7", 5432);
    ASSERT_NE(control.Answer(CONTROL_NEIGHBOUR), nullptr) << control.sentence();
    EXPECT_EQ(control.Answer(CONTROL_NEIGHBOUR)->says, CONTROL_REACHABLE);
    EXPECT_EQ(control.Answer(CONTROL_PORT, 80)->says, CONTROL_SILENT);
    EXPECT_TRUE(control->alive) << control.sentence();
    EXPECT_TRUE(control.Says("a machine answers for the address on the local link"));
}

TEST_F(ControlTest, AnAddressOfTheLinkThatNobodyHasIsSilent)
{
    for (const char *address : {"10.0.1.99", "fd00:1::99"}) {
        Control control(address, 5432);
        ASSERT_NE(control.Answer(CONTROL_NEIGHBOUR), nullptr) << control.sentence();
        EXPECT_EQ(control.Answer(CONTROL_NEIGHBOUR)->says, CONTROL_NOBODY);
        EXPECT_TRUE(control->silent) << control.sentence();
        EXPECT_TRUE(control.Says("no machine on the local link answers")) << control.sentence();
    }
}

TEST_F(ControlTest, AHostBehindARouterHasNoNeighbourEntry)
{
    tcpdiag_endpoint far = At("10.0.3.2", 0);
    uint16_t state;
    EXPECT_FALSE(neighbour_state(&far, &state));
}

} // namespace
