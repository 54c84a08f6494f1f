/* SPDX-License-Identifier: MIT */
// Runs in the network that tests/probe_evidence/net makes: the host is at hop 3.
#include "probe/questions/trace_text.h"

#include <errno.h>
#include <sys/resource.h>

#include "tests/probe_evidence/net.h"

namespace
{

constexpr int64_t kMillisecond = 1000000;
constexpr int64_t kLimit = 600 * kMillisecond;

class Trace
{
  public:
    Trace(const char *address, uint16_t port, bool control = true)
    {
        trace_request request = {};
        request.target = At(address, port);
        request.limit_ns = kLimit;
        request.no_control = !control;
        trace_run(&request, &trace_);
        char text[TRACE_TEXT_SIZE];
        size_t length = trace_text(&trace_, text, sizeof text);
        EXPECT_EQ(length, strlen(text));
        text_ = text;
        ExpectFits80Columns(text_);
        static char json[TRACE_JSON_SIZE];
        length = trace_json(&trace_, json, sizeof json);
        EXPECT_EQ(length, strlen(json));
        json_ = json;
        if (getenv("SHOW"))
            puts((text_ + json_).c_str());
    }
    const trace *operator->() const
    {
        return &trace_;
    }
    std::string Hop(unsigned hop) const
    {
        for (const trace_try &one : trace_.hops[hop - 1])
            if (one.answer == TRACE_EXPIRED)
                return Text(one.from);
        return "";
    }
    std::string Rejecter() const
    {
        return Text(trace_.end.from);
    }
    bool Says(const char *words) const
    {
        return Flat(text_).find(words) != std::string::npos;
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
    /* The lines as one, each run of blanks as one blank. */
    static std::string Flat(const std::string &text)
    {
        std::istringstream words(text);
        std::string flat, word;
        while (words >> word)
            flat += (flat.empty() ? "" : " ") + word;
        return flat;
    }
    struct trace trace_;
    std::string text_, json_;
};

TEST(TraceTest, AnOpenPortAnswersAtTheHostsHop)
{
    for (bool v6 : {false, true}) {
        Trace trace(v6 ? "fd00:3::2" : "10.0.3.2", 80);
        EXPECT_EQ(trace->end.answer, TRACE_CONNECTED) << trace.text();
        EXPECT_EQ(trace->end_hop, 3u);
        EXPECT_EQ(trace->last_hop, 2u);
        EXPECT_TRUE(trace->end_by_target);
        EXPECT_EQ(trace.Hop(1), v6 ? "fd00:1::1" : "10.0.1.1");
        EXPECT_EQ(trace.Hop(2), v6 ? "fd00:2::2" : "10.0.2.2");
        EXPECT_GT(trace->hops[0][0].rtt_us, 0);
        /* No hop was silent, so nothing had to be waited for. */
        EXPECT_LT(trace->duration_ns, kLimit / 2);
        EXPECT_TRUE(trace.Says("the way is open")) << trace.text();
    }
}

TEST(TraceTest, EachHopIsAskedSeveralTimes)
{
    Trace trace("10.0.3.2", 80);
    for (unsigned hop : {0, 1})
        for (unsigned i = 0; i < 3; i++)
            EXPECT_EQ(trace->hops[hop][i].answer, TRACE_EXPIRED) << trace.text();
}

TEST(TraceTest, AClosedPortIsNotCalledForged)
{
    for (const char *address : {"10.0.3.2", "fd00:3::2"}) {
        Trace trace(address, 79);
        EXPECT_EQ(trace->end.answer, TRACE_RESET) << trace.text();
        EXPECT_EQ(trace->end_hop, 3u);
        EXPECT_EQ(trace->control_port, 80);
        EXPECT_TRUE(trace->control_connected);
        EXPECT_EQ(trace->control_hop, 3u);
        EXPECT_EQ(trace->reset_ttl, 62u) << trace.text();
        EXPECT_EQ(trace->control_ttl, 62u);
        EXPECT_FALSE(trace->reset_nearer);
        EXPECT_TRUE(trace.Says("nothing proves that the reset is forged")) << trace.text();
    }
}

TEST(TraceTest, AForgedResetIsProvedByTheHopItFirstAppearsAt)
{
    for (const char *address : {"10.0.3.2", "fd00:3::2"}) {
        Trace trace(address, 93);
        EXPECT_EQ(trace->end.answer, TRACE_RESET) << trace.text();
        EXPECT_EQ(trace->end_hop, 2u);
        EXPECT_EQ(trace->control_hop, 3u);
        EXPECT_TRUE(trace->reset_nearer) << trace.text();
        EXPECT_TRUE(trace.Says("made by a nearer machine")) << trace.text();
        EXPECT_NE(trace.json().find("\"reset_nearer\":true"), std::string::npos) << trace.json();
    }
}

TEST(TraceTest, AResetForgedRightBeforeTheHostIsProvedByTheTtlItArrivesWith)
{
    for (const char *address : {"10.0.3.2", "fd00:3::2"}) {
        Trace trace(address, 95);
        EXPECT_EQ(trace->end.answer, TRACE_RESET) << trace.text();
        EXPECT_EQ(trace->end_hop, 3u);
        EXPECT_EQ(trace->control_hop, 3u);
        EXPECT_EQ(trace->reset_ttl, 63u);
        EXPECT_EQ(trace->control_ttl, 62u);
        EXPECT_TRUE(trace->reset_nearer) << trace.text();
    }
}

TEST(TraceTest, ADropOnTheFirstRouterIsNarrowedDownByAPortThatAnswers)
{
    for (bool v6 : {false, true}) {
        Trace trace(v6 ? "fd00:3::2" : "10.0.3.2", 92);
        EXPECT_EQ(trace->end_hop, 0u) << trace.text();
        EXPECT_EQ(trace->last_hop, 1u);
        EXPECT_EQ(trace->control_hop, 3u);
        EXPECT_TRUE(trace.Says(v6 ? "hop 1 (fd00:1::1) is the last that answers"
                                  : "hop 1 (10.0.1.1) is the last that answers"));
        EXPECT_TRUE(trace.Says(v6 ? "hop 2 (fd00:2::2) answers too: the packets die between"
                                  : "hop 2 (10.0.2.2) answers too: the packets die between"))
            << trace.text();
        EXPECT_LT(trace->duration_ns, 2 * kLimit + 100 * kMillisecond);
    }
}

TEST(TraceTest, ADropOnTheHostDiesAfterTheLastRouter)
{
    for (const char *address : {"10.0.3.2", "fd00:3::2"}) {
        Trace trace(address, 82);
        EXPECT_EQ(trace->end_hop, 0u);
        EXPECT_EQ(trace->last_hop, 2u);
        EXPECT_TRUE(trace.Says("is the last that answers. Asked for port")) << trace.text();
        EXPECT_TRUE(trace.Says("the host itself answers (hop 3)")) << trace.text();
    }
}

TEST(TraceTest, WithoutControlTheSilenceStaysWhereItIs)
{
    Trace trace("10.0.3.2", 92, false);
    EXPECT_EQ(trace->last_hop, 1u);
    EXPECT_EQ(trace->control_port, 0);
    EXPECT_FALSE(trace.Says("answers too")) << trace.text();
    EXPECT_LT(trace->duration_ns, kLimit + 100 * kMillisecond);
}

TEST(TraceTest, ARouterThatRejectsIsNamedWithItsHop)
{
    for (bool v6 : {false, true}) {
        Trace trace(v6 ? "fd00:3::2" : "10.0.3.2", 91);
        EXPECT_EQ(trace->end.answer, TRACE_REJECTED) << trace.text();
        EXPECT_EQ(trace.Rejecter(), v6 ? "fd00:1::1" : "10.0.1.1");
        EXPECT_EQ(trace->rejecter_hop, 1u);
        EXPECT_FALSE(trace->end_by_target);
        EXPECT_TRUE(trace.Says(v6 ? "the router fd00:1::1 (hop 1) rejects it: ICMPv6"
                                  : "the router 10.0.1.1 (hop 1) rejects it: ICMP"))
            << trace.text();
        EXPECT_TRUE(trace.Says("prohibited.")) << trace.text();
    }
}

TEST(TraceTest, TheSecondRouterRejects)
{
    Trace trace("10.0.3.2", 96);
    EXPECT_EQ(trace.Rejecter(), "10.0.2.2") << trace.text();
    EXPECT_EQ(trace->rejecter_hop, 2u);
}

TEST(TraceTest, AHostThatRejectsIsToldFromARouter)
{
    for (const char *address : {"10.0.3.2", "fd00:3::2"}) {
        Trace trace(address, 81);
        EXPECT_EQ(trace->end.answer, TRACE_REJECTED);
        EXPECT_TRUE(trace->end_by_target);
        EXPECT_EQ(trace->end_hop, 3u);
        EXPECT_TRUE(trace.Says("the host itself")) << trace.text();
        EXPECT_TRUE(trace.Says("port unreachable")) << trace.text();
    }
}

TEST(TraceTest, ThisMachinesOwnRulesAreNamed)
{
    Trace trace("10.0.3.2", 71);
    EXPECT_EQ(trace->end.answer, TRACE_REJECTED) << trace.text();
    EXPECT_TRUE(trace->end_own);
    EXPECT_TRUE(trace.Says("this machine (10.0.1.2) rejects it")) << trace.text();
}

TEST(TraceTest, WhatThisMachineDropsNeverReachesTheFirstHop)
{
    Trace trace("10.0.3.2", 72);
    EXPECT_EQ(trace->last_hop, 0u) << trace.text();
    EXPECT_TRUE(
        trace.Says("no hop answers. Asked for port 80, hop 1 (10.0.1.1) answers: the packets "
                   "die on this machine, or before that hop."))
        << trace.text();
}

TEST(TraceTest, AHostThatIsSilentEverywhereLeavesTheHopOpen)
{
    Trace trace("10.0.3.3", 80);
    EXPECT_EQ(trace->last_hop, 2u) << trace.text();
    EXPECT_EQ(trace->control_port, 0);
    EXPECT_TRUE(trace.Says("is the last that answers: the packets die at its rules"))
        << trace.text();
}

TEST(TraceTest, ARoutingLoopIsRecognised)
{
    Trace trace("10.0.6.1", 80);
    EXPECT_TRUE(trace.Says("hop 3 is hop 1 again (10.0.1.1), a routing loop.")) << trace.text();
    EXPECT_TRUE(trace.Says("and so on up to hop 30")) << trace.text();
    EXPECT_FALSE(trace.Says(" 4 10.0.2.2")) << trace.text();
}

TEST(TraceTest, NothingLeavesWithoutADescriptor)
{
    struct rlimit old, none;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    Trace trace("10.0.3.2", 80);
    setrlimit(RLIMIT_NOFILE, &old);
    EXPECT_EQ(trace->error, EMFILE);
    EXPECT_TRUE(trace.Says("nothing leaves this machine: EMFILE")) << trace.text();
}

TEST(TraceTest, ABufferThatIsTooSmallIsNotOverrun)
{
    Trace trace("10.0.3.2", 93);
    char small[65];
    memset(small, '#', sizeof small);
    for (size_t size : {size_t(1), size_t(7), size_t(64)}) {
        EXPECT_LT(trace_text(trace.operator->(), small, size), size);
        EXPECT_EQ(small[64], '#');
        EXPECT_LT(trace_json(trace.operator->(), small, size), size);
        EXPECT_EQ(small[64], '#');
    }
}

} // namespace
