// SPDX-License-Identifier: MIT
// The pool of buffers among threads: nobody shares one, and none is lost for good.
#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

extern "C" {
#include "shim/process/scratch.h"
void tcpdiag_state_init(void);
}
#include "gtest/gtest.h"

namespace
{

enum { kSlots = 64 };

TEST(Scratch, NobodySharesOne)
{
    std::atomic<unsigned> shared{0};
    std::vector<std::thread> all;
    for (int thread = 0; thread < 8; thread++)
        all.emplace_back([&, thread] {
            for (int i = 0; i < 20000; i++) {
                tcpdiag_scratch *mine = tcpdiag_scratch_take();
                if (!mine) {
                    shared++;
                    continue;
                }
                memset(mine->name, thread, sizeof mine->name);
                for (char byte : mine->name)
                    shared += byte != thread;
                tcpdiag_scratch_give(mine);
            }
        });
    for (std::thread &one : all)
        one.join();
    EXPECT_EQ(shared, 0U);
}

// All that there are, taken by threads that keep them: a second is what one more waits.
TEST(Scratch, AnExhaustedPoolSaysSo)
{
    std::atomic<int> holding{0};
    std::atomic<bool> stop{false};
    std::vector<std::thread> all;
    for (int thread = 0; thread < kSlots; thread++)
        all.emplace_back([&] {
            tcpdiag_scratch *mine = tcpdiag_scratch_take();
            EXPECT_NE(mine, nullptr);
            holding++;
            while (!stop)
                sched_yield();
            tcpdiag_scratch_give(mine);
        });
    while (holding < kSlots)
        sched_yield();
    EXPECT_EQ(tcpdiag_scratch_take(), nullptr);
    stop = true;
    for (std::thread &one : all)
        one.join();
    tcpdiag_scratch *mine = tcpdiag_scratch_take();
    EXPECT_NE(mine, nullptr);
    tcpdiag_scratch_give(mine);
}

sigjmp_buf back;

void TakeAndLeave(int)
{
    tcpdiag_scratch_take();
    siglongjmp(back, 1);
}

// A handler that leaves by longjmp takes the buffer of what it has interrupted along.
TEST(Scratch, AHandlerThatJumpsAwayLosesNone)
{
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "SKIPPED: ThreadSanitizer does not see that a handler has ended by a jump";
#endif
    signal(SIGUSR1, TakeAndLeave);
    volatile int rounds = 0;
    sigsetjmp(back, 1);
    rounds = rounds + 1;
    if (rounds <= 3 * kSlots)
        raise(SIGUSR1);
    signal(SIGUSR1, SIG_DFL);
    tcpdiag_scratch *mine = tcpdiag_scratch_take();
    EXPECT_NE(mine, nullptr);
    tcpdiag_scratch_give(mine);
}

// What threads held in a fork, which the child has not, is free in the child.
TEST(Scratch, AChildHasThemAll)
{
    tcpdiag_state_init();
    std::atomic<int> holding{0};
    std::atomic<bool> stop{false};
    std::vector<std::thread> all;
    for (int thread = 0; thread < 40; thread++)
        all.emplace_back([&] {
            tcpdiag_scratch *mine = tcpdiag_scratch_take();
            holding++;
            while (!stop)
                sched_yield();
            tcpdiag_scratch_give(mine);
        });
    while (holding < 40)
        sched_yield();
    const pid_t child = fork();
    if (child == 0) {
        int taken = 0;
        while (taken < kSlots && tcpdiag_scratch_take())
            taken++;
        _exit(taken == kSlots ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    stop = true;
    for (std::thread &one : all)
        one.join();
}

} // namespace
