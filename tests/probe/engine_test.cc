/* SPDX-License-Identifier: MIT */
#include "probe/connect/engine.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/probe/loopback.h"

namespace
{

constexpr int64_t kMillisecond = 1000000, kSecond = 1000 * kMillisecond;

int64_t Now()
{
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * kSecond + time.tv_nsec;
}

// A client whose jobs lie in a list.
class EngineTest : public testing::Test
{
  protected:
    engine_end Run()
    {
        engine_client client = {};
        client.next = [](void *self, job *job, int64_t *wake_ns) {
            return static_cast<EngineTest *>(self)->Next(job, wake_ns);
        };
        client.ended = [](void *self, const job *job, tcpdiag_record *record) {
            static_cast<EngineTest *>(self)->Ended(job, record);
        };
        client.readable = [](void *self, int fd) { static_cast<EngineTest *>(self)->Readable(fd); };
        client.tick = [](void *self) { static_cast<EngineTest *>(self)->ticks_++; };
        client.idle = [](void *self) { static_cast<EngineTest *>(self)->idles_++; };
        client.held = [](void *self, dial_state why) {
            static_cast<EngineTest *>(self)->held_.insert(why);
        };
        client.context = this;
        engine_ = engine_new(&options_, &client);
        EXPECT_NE(engine_, nullptr);
        if (watched_ >= 0)
            engine_watch(engine_, watched_);
        engine_end end = engine_run(engine_, &stop_);
        engine_free(engine_);
        return end;
    }
    void Add(const Port &port)
    {
        jobs_.push_back(port.endpoint());
    }
    tcpdiag_outcome Outcome(uint64_t number) const
    {
        auto found = outcomes_.find(number);
        return found == outcomes_.end() ? TCPDIAG_OUTCOME_NONE : found->second;
    }

    engine_options options_ = {{}, 30 * kSecond, 100, 0, 0};
    volatile sig_atomic_t stop_ = 0;
    std::vector<tcpdiag_endpoint> jobs_;
    std::map<uint64_t, tcpdiag_outcome> outcomes_;
    std::set<dial_state> held_;
    engine *engine_ = nullptr;
    int watched_ = -1, ticks_ = 0, idles_ = 0, readable_ = 0;
    unsigned in_flight_ = 0, most_in_flight_ = 0;
    bool later_ = false;     // the client waits for its descriptor
    int64_t wake_ = 0;       // it wants to be asked again then
    int64_t not_before_ = 0; // and no sooner
    bool stop_at_end_ = false, interrupt_at_end_ = false;

  private:
    engine_next Next(job *job, int64_t *wake_ns)
    {
        if (later_)
            return ENGINE_LATER;
        if (wake_ > Now()) {
            *wake_ns = wake_;
            return ENGINE_LATER;
        }
        if (at_ == jobs_.size())
            return ENGINE_NO_MORE;
        *job = {jobs_[at_], this, at_};
        at_++;
        most_in_flight_ = std::max(most_in_flight_, ++in_flight_);
        return ENGINE_JOB;
    }
    void Ended(const job *job, const tcpdiag_record *record)
    {
        EXPECT_EQ(job->owner, this);
        EXPECT_EQ(outcomes_.count(job->number), 0u) << "ended twice";
        EXPECT_GE(Now(), not_before_);
        outcomes_[job->number] = record->verdict.outcome;
        in_flight_--;
        if (stop_at_end_)
            engine_stop(engine_);
        if (interrupt_at_end_) {
            stop_ = 1;
            EXPECT_EQ(eventfd_write(watched_, 1), 0);
        }
    }
    void Readable(int fd)
    {
        EXPECT_EQ(fd, watched_);
        readable_++;
        later_ = false;
        engine_unwatch(engine_, fd);
    }
    size_t at_ = 0;
};

TEST_F(EngineTest, WithoutJobsItIsDone)
{
    EXPECT_EQ(Run(), ENGINE_DONE);
    EXPECT_TRUE(outcomes_.empty());
}

TEST_F(EngineTest, EachJobEndsOnceWithItsOwnOutcome)
{
    Port open(Port::kOpen), closed(Port::kClosed);
    for (int i = 0; i < 50; i++) {
        Add(open);
        Add(closed);
    }
    EXPECT_EQ(Run(), ENGINE_DONE);
    ASSERT_EQ(outcomes_.size(), 100u);
    for (uint64_t i = 0; i < 100; i++)
        EXPECT_EQ(Outcome(i), i % 2 ? TCPDIAG_REFUSED : TCPDIAG_CONNECTED) << i;
}

TEST_F(EngineTest, NoMoreThanSoManyAtOnce)
{
    Port silent(Port::kSilent);
    options_.jobs = 3;
    options_.limit_ns = 20 * kMillisecond;
    for (int i = 0; i < 10; i++)
        Add(silent);
    EXPECT_EQ(Run(), ENGINE_DONE);
    EXPECT_EQ(outcomes_.size(), 10u);
    EXPECT_EQ(most_in_flight_, 3u);
}

TEST_F(EngineTest, SilenceEndsAtItsLimitAndHoldsUpNobody)
{
    Port silent(Port::kSilent), open(Port::kOpen);
    options_.limit_ns = 100 * kMillisecond;
    Add(silent);
    Add(open);
    int64_t begin = Now();
    EXPECT_EQ(Run(), ENGINE_DONE);
    EXPECT_GE(Now() - begin, 100 * kMillisecond);
    EXPECT_EQ(Outcome(0), TCPDIAG_TIMEOUT);
    EXPECT_EQ(Outcome(1), TCPDIAG_CONNECTED);
    EXPECT_GT(idles_, 0);
}

TEST_F(EngineTest, TheDeadlineDropsWhatIsInFlight)
{
    Port silent(Port::kSilent);
    Add(silent);
    options_.deadline_ns = Now() + 50 * kMillisecond;
    EXPECT_EQ(Run(), ENGINE_DEADLINE);
    EXPECT_TRUE(outcomes_.empty());
}

TEST_F(EngineTest, AClientThatSaidLaterIsAskedWhenItsDescriptorIsReadable)
{
    Port open(Port::kOpen);
    Add(open);
    later_ = true;
    watched_ = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    EXPECT_EQ(Run(), ENGINE_DONE);
    EXPECT_EQ(readable_, 1);
    EXPECT_EQ(Outcome(0), TCPDIAG_CONNECTED);
    close(watched_);
}

TEST_F(EngineTest, OrAtTheTimeThatItNamed)
{
    Port open(Port::kOpen);
    Add(open);
    wake_ = not_before_ = Now() + 50 * kMillisecond;
    EXPECT_EQ(Run(), ENGINE_DONE);
    EXPECT_EQ(Outcome(0), TCPDIAG_CONNECTED);
}

TEST_F(EngineTest, StoppedFromACallback)
{
    Port silent(Port::kSilent), open(Port::kOpen);
    Add(silent);
    Add(open);
    stop_at_end_ = true;
    EXPECT_EQ(Run(), ENGINE_DONE);
    EXPECT_EQ(outcomes_.size(), 1u);
}

TEST_F(EngineTest, Interrupted)
{
    Port silent(Port::kSilent), open(Port::kOpen);
    Add(silent);
    Add(open);
    watched_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    interrupt_at_end_ = true;
    EXPECT_EQ(Run(), ENGINE_INTERRUPTED);
    EXPECT_EQ(outcomes_.size(), 1u);
    close(watched_);
}

TEST_F(EngineTest, TicksWhileItWaits)
{
    Port silent(Port::kSilent);
    Add(silent);
    options_.tick_ns = kMillisecond;
    options_.limit_ns = 100 * kMillisecond;
    EXPECT_EQ(Run(), ENGINE_DONE);
    EXPECT_GT(ticks_, 1);
}

// Room for three descriptors beyond what the engine itself and the ports have.
TEST_F(EngineTest, ALackOfDescriptorsHoldsJobsUpAndFailsNone)
{
    Port silent(Port::kSilent);
    for (int i = 0; i < 9; i++)
        Add(silent);
    options_.limit_ns = 20 * kMillisecond;
    int lowest = eventfd(0, EFD_CLOEXEC);
    close(lowest);
    rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit few = {static_cast<rlim_t>(lowest) + 4, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    engine_end end = Run();
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(end, ENGINE_DONE);
    EXPECT_EQ(held_.count(DIAL_NO_DESCRIPTOR), 1u);
    ASSERT_EQ(outcomes_.size(), 9u);
    for (uint64_t i = 0; i < 9; i++)
        EXPECT_EQ(Outcome(i), TCPDIAG_TIMEOUT) << i;
}

TEST_F(EngineTest, AsManyAsFitIntoTheLimitOfDescriptors)
{
    rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(engine_fit(10), 10u);
    EXPECT_GE(engine_fit(1000000000), 1u);
    EXPECT_LT(engine_fit(1000000000), 1000000000u);
    rlimit raised;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &raised), 0);
    EXPECT_EQ(raised.rlim_cur, before.rlim_max);
}

} // namespace
