/* SPDX-License-Identifier: MIT */
#include "probe/connect/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>

#include "tests/probe/loopback.h"

namespace
{

class DialTest : public testing::Test
{
  protected:
    // Where the connect goes on, waits for its end.
    dial_state Dial(const tcpdiag_endpoint &peer)
    {
        dial_.peer = peer;
        dial_state state = dial_start(&dial_, &options_, &record_);
        while (state == DIAL_PENDING) {
            pollfd one = {dial_.fd, POLLOUT, 0};
            EXPECT_EQ(poll(&one, 1, 30000), 1);
            state = dial_check(&dial_, &record_);
        }
        return state;
    }
    dial dial_ = {};
    dial_options options_ = {};
    tcpdiag_record record_ = {};
};

TEST_F(DialTest, AnOpenPortConnects)
{
    Port port(Port::kOpen);
    EXPECT_EQ(Dial(port.endpoint()), DIAL_ENDED);
    EXPECT_EQ(record_.verdict.outcome, TCPDIAG_CONNECTED);
    EXPECT_EQ(record_.error, 0);
    EXPECT_EQ(record_.peer.port, port.number());
    EXPECT_GT(record_.duration_ns, 0);
    EXPECT_EQ(dial_.fd, -1);
}

TEST_F(DialTest, AClosedPortRefuses)
{
    Port port(Port::kClosed);
    EXPECT_EQ(Dial(port.endpoint()), DIAL_ENDED);
    EXPECT_EQ(record_.verdict.outcome, TCPDIAG_REFUSED);
    EXPECT_EQ(record_.verdict.cause, TCPDIAG_CAUSE_PORT_CLOSED);
    EXPECT_EQ(record_.error, ECONNREFUSED);
    EXPECT_EQ(dial_.fd, -1);
}

TEST_F(DialTest, SilenceEndsWhenItsTimeIsOver)
{
    Port port(Port::kSilent);
    dial_.peer = port.endpoint();
    ASSERT_EQ(dial_start(&dial_, &options_, &record_), DIAL_PENDING);
    EXPECT_EQ(dial_check(&dial_, &record_), DIAL_PENDING);
    dial_expire(&dial_, &record_);
    EXPECT_EQ(record_.verdict.outcome, TCPDIAG_TIMEOUT);
    EXPECT_EQ(record_.ending, TCPDIAG_ENDED_LIMIT);
    EXPECT_EQ(dial_.fd, -1);
}

TEST_F(DialTest, DroppedWithoutAWord)
{
    Port port(Port::kSilent);
    dial_.peer = port.endpoint();
    ASSERT_EQ(dial_start(&dial_, &options_, &record_), DIAL_PENDING);
    int fd = dial_.fd;
    dial_drop(&dial_);
    EXPECT_EQ(dial_.fd, -1);
    EXPECT_EQ(fcntl(fd, F_GETFD), -1);
    dial_drop(&dial_); // nothing is left to close
}

TEST_F(DialTest, ASourceThatIsTakenIsAnErrorOfThisMachine)
{
    Port open(Port::kOpen), taken(Port::kOpen);
    options_.source = taken.endpoint();
    EXPECT_EQ(Dial(open.endpoint()), DIAL_ENDED);
    EXPECT_EQ(record_.error, EADDRINUSE);
    EXPECT_EQ(record_.verdict.outcome, TCPDIAG_ERROR);
    EXPECT_EQ(dial_test(&options_), EADDRINUSE);
}

TEST_F(DialTest, OptionsThatCannotBeHadAreToldBeforehand)
{
    EXPECT_EQ(dial_test(&options_), 0);
    options_.interface = "none-such";
    EXPECT_NE(dial_test(&options_), 0);
    options_.interface = nullptr;
    options_.source.family = AF_INET;
    const unsigned char foreign[] = {192, 0, 2, 1}; // RFC 5737
    memcpy(options_.source.address, foreign, sizeof foreign);
    EXPECT_EQ(dial_test(&options_), EADDRNOTAVAIL);
}

TEST_F(DialTest, WithoutADescriptorNothingWasTried)
{
    Port port(Port::kOpen);
    rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = {0, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    dial_.peer = port.endpoint();
    dial_state state = dial_start(&dial_, &options_, &record_);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(state, DIAL_NO_DESCRIPTOR);
    EXPECT_EQ(record_.error, EMFILE);
}

} // namespace
