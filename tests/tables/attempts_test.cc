// SPDX-License-Identifier: MIT
// The table of connects in flight among threads: whoever takes an attempt owns it alone.
#include <atomic>
#include <functional>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

extern "C" {
#include "shim/attempts/table.h"
}
#include "gtest/gtest.h"

namespace
{

enum { kRoom = 4096 };

tcpdiag_attempt Attempt(int fd, uint64_t number)
{
    tcpdiag_attempt attempt = {};
    attempt.fd = fd;
    attempt.alias = attempt.main = attempt.epoll_fd = -1;
    attempt.pid = getpid();
    attempt.number = number;
    attempt.cookie = number * 7;
    attempt.begin_ns = static_cast<int64_t>(number);
    return attempt;
}

bool Whole(const tcpdiag_attempt &attempt)
{
    return attempt.cookie == attempt.number * 7 &&
           attempt.begin_ns == static_cast<int64_t>(attempt.number);
}

std::vector<tcpdiag_attempt> All()
{
    std::vector<tcpdiag_attempt> all;
    tcpdiag_attempt copy;
    for (unsigned at = 0; tcpdiag_attempts_next(&at, &copy);)
        all.push_back(copy);
    return all;
}

void Together(unsigned threads, const std::function<void(unsigned)> &work)
{
    std::vector<std::thread> all;
    for (unsigned i = 0; i < threads; i++)
        all.emplace_back(work, i);
    for (std::thread &one : all)
        one.join();
}

class Attempts : public testing::Test
{
  protected:
    static void SetUpTestSuite()
    {
        tcpdiag_attempts_init();
    }
    void TearDown() override
    {
        for (tcpdiag_attempt &one : All())
            EXPECT_TRUE(tcpdiag_attempts_take(&one));
        EXPECT_TRUE(All().empty());
    }
};

TEST_F(Attempts, OneOfManyTakersGetsIt)
{
    enum { kTakers = 3, kRounds = 20000 };
    std::atomic<uint64_t> round{0};
    std::atomic<uint64_t> done{0};
    std::atomic<unsigned> taken{0};
    std::vector<std::thread> takers;
    for (int i = 0; i < kTakers; i++)
        takers.emplace_back([&] {
            for (uint64_t number = 1; number <= kRounds; number++) {
                while (round < number)
                    sched_yield();
                tcpdiag_attempt mine = Attempt(7, number);
                taken += tcpdiag_attempts_take(&mine);
                done++;
            }
        });
    for (uint64_t number = 1; number <= kRounds; number++) {
        const tcpdiag_attempt attempt = Attempt(7, number);
        EXPECT_TRUE(tcpdiag_attempts_add(&attempt));
        round = number;
        while (done < number * kTakers)
            sched_yield();
    }
    for (std::thread &one : takers)
        one.join();
    EXPECT_EQ(taken, static_cast<unsigned>(kRounds));
}

// Each thread adds, looks at, and takes its own numbers, while all others do so; what it sees of a
// number is whole, and it never loses one.
TEST_F(Attempts, ThreadsDoNotDisturbEachOther)
{
    std::atomic<unsigned> wrong{0};
    Together(6, [&](unsigned thread) {
        for (uint64_t i = 1; i <= 4000; i++) {
            const int fd = static_cast<int>(10 + thread * 50 + i % 50);
            const tcpdiag_attempt attempt = Attempt(fd, thread * 100000 + i);
            tcpdiag_attempt copy;
            wrong += !tcpdiag_attempts_add(&attempt);
            wrong +=
                !tcpdiag_attempts_look(fd, &copy) || copy.number != attempt.number || !Whole(copy);
            wrong += !tcpdiag_attempts_take(&copy);
            wrong += tcpdiag_attempts_look(fd, &copy);
        }
    });
    EXPECT_EQ(wrong, 0U);
}

TEST_F(Attempts, AReaderSeesNoHalfAttempt)
{
    std::atomic<bool> stop{false};
    std::atomic<unsigned> torn{0};
    std::thread reader([&] {
        while (!stop)
            for (const tcpdiag_attempt &one : All())
                torn += !Whole(one);
    });
    for (uint64_t i = 1; i <= 20000; i++) {
        tcpdiag_attempt attempt = Attempt(static_cast<int>(5 + i % 3), i);
        ASSERT_TRUE(tcpdiag_attempts_add(&attempt));
        ASSERT_TRUE(tcpdiag_attempts_take(&attempt));
    }
    stop = true;
    reader.join();
    EXPECT_EQ(torn, 0U);
}

TEST_F(Attempts, AnAliasIsTheSameAttempt)
{
    tcpdiag_attempt attempt = Attempt(20, 1);
    tcpdiag_attempt copy;
    ASSERT_TRUE(tcpdiag_attempts_add(&attempt));
    ASSERT_TRUE(tcpdiag_attempts_add_alias(&attempt, 21));
    EXPECT_FALSE(tcpdiag_attempts_add_alias(&attempt, 22)); // it has one
    ASSERT_TRUE(tcpdiag_attempts_look(21, &copy));
    EXPECT_EQ(copy.fd, 20);
    EXPECT_EQ(copy.alias, 21);
    tcpdiag_attempts_drop_alias(&copy);
    EXPECT_FALSE(tcpdiag_attempts_look(21, &copy));
    EXPECT_TRUE(tcpdiag_attempts_look(20, &copy));
    ASSERT_TRUE(tcpdiag_attempts_add_alias(&copy, 22));
    ASSERT_TRUE(tcpdiag_attempts_take(&copy));
    EXPECT_FALSE(tcpdiag_attempts_look(22, &copy));
}

TEST_F(Attempts, OneThatIsEndedIsTakenByNobody)
{
    tcpdiag_attempt attempt = Attempt(30, 1);
    ASSERT_TRUE(tcpdiag_attempts_add(&attempt));
    tcpdiag_attempts_renumber(&attempt, 1, true);
    tcpdiag_attempt copy = attempt;
    EXPECT_FALSE(tcpdiag_attempts_take(&copy));
    tcpdiag_attempts_renumber(&attempt, 2, false);
    ASSERT_TRUE(tcpdiag_attempts_look(30, &copy));
    EXPECT_EQ(copy.number, 2U);
}

TEST_F(Attempts, TheTableHolds4096AndSaysSo)
{
    for (int i = 0; i < kRoom; i++) {
        const tcpdiag_attempt attempt = Attempt(100 + i * 3, static_cast<uint64_t>(i) + 1);
        ASSERT_TRUE(tcpdiag_attempts_have_room());
        ASSERT_TRUE(tcpdiag_attempts_add(&attempt));
    }
    const tcpdiag_attempt one_more = Attempt(1, 5000);
    EXPECT_FALSE(tcpdiag_attempts_have_room());
    EXPECT_FALSE(tcpdiag_attempts_add(&one_more));
    tcpdiag_attempt copy;
    for (int i = 0; i < kRoom; i++) {
        ASSERT_TRUE(tcpdiag_attempts_look(100 + i * 3, &copy));
        EXPECT_EQ(copy.number, static_cast<uint64_t>(i) + 1);
    }
    EXPECT_EQ(All().size(), static_cast<size_t>(kRoom));
}

// The child has none of its parent's connects, whatever a thread was doing with them.
TEST_F(Attempts, AChildBeginsWithNone)
{
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        for (uint64_t i = 1; !stop; i++) {
            tcpdiag_attempt attempt = Attempt(40, i);
            tcpdiag_attempts_add(&attempt);
            tcpdiag_attempts_take(&attempt);
        }
    });
    int failed = 0;
    for (int i = 0; i < 100; i++) {
        const pid_t child = fork();
        if (child == 0) {
            tcpdiag_attempt copy;
            unsigned at = 0;
            bool good = !tcpdiag_attempts_next(&at, &copy);
            for (int fd = 0; fd < 100; fd++) {
                tcpdiag_attempt mine = Attempt(fd, static_cast<uint64_t>(fd) + 1);
                good = good && tcpdiag_attempts_add(&mine) && tcpdiag_attempts_take(&mine);
            }
            _exit(good ? 0 : 1);
        }
        int status = 0;
        EXPECT_EQ(waitpid(child, &status, 0), child);
        failed += status != 0;
    }
    stop = true;
    writer.join();
    EXPECT_EQ(failed, 0);
}

} // namespace
