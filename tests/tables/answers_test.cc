// SPDX-License-Identifier: MIT
// The names of addresses among threads, forks and signal handlers: none is lost, none is torn.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

extern "C" {
#include "shim/attempts/answers.h"
}
#include "gtest/gtest.h"

namespace
{

tcpdiag_endpoint Address(unsigned number)
{
    tcpdiag_endpoint endpoint = {};
    endpoint.family = AF_INET;
    memcpy(endpoint.address, &number, sizeof number);
    return endpoint;
}

void Store(unsigned number, const std::string &name)
{
    const tcpdiag_endpoint address = Address(number);
    tcpdiag_answers_store(&address, name.data(), name.size());
}

std::string Find(unsigned number)
{
    char name[TCPDIAG_NAME_MAX];
    const tcpdiag_endpoint address = Address(number);
    return {name, tcpdiag_answers_find(&address, name)};
}

// A name that tells its address, and whether two were mixed: one letter, and a length of its own.
std::string NameOf(unsigned number)
{
    return std::string(1 + number * 37 % TCPDIAG_NAME_MAX, static_cast<char>('a' + number % 26));
}

void Together(unsigned threads, const std::function<void(unsigned)> &work)
{
    std::vector<std::thread> all;
    for (unsigned i = 0; i < threads; i++)
        all.emplace_back(work, i);
    for (std::thread &one : all)
        one.join();
}

TEST(Answers, TheLatestOfThisThreadIsFound)
{
    EXPECT_EQ(Find(1), "");
    Store(1, "first.example");
    Store(1, "second.example");
    EXPECT_EQ(Find(1), "second.example");
    std::thread([] { Store(1, "of-another-thread.example"); }).join();
    EXPECT_EQ(Find(1), "second.example");
    std::thread([] { EXPECT_EQ(Find(1), "of-another-thread.example"); }).join();
    const std::string longest(TCPDIAG_NAME_MAX, 'x');
    Store(1, longest);
    EXPECT_EQ(Find(1), longest);
    Store(1, longest + "x"); // no name is so long
    EXPECT_EQ(Find(1), longest);
    Store(1, "");
    EXPECT_EQ(Find(1), "");
}

TEST(Answers, TheLast128AreKept)
{
    for (unsigned i = 0; i < 129; i++)
        Store(1000 + i, "name-" + std::to_string(i));
    EXPECT_EQ(Find(1000), "");
    for (unsigned i = 1; i < 129; i++)
        EXPECT_EQ(Find(1000 + i), "name-" + std::to_string(i));
}

TEST(Answers, ReadersTakeNothingFromEachOther)
{
    Store(2000, "shared.example");
    std::atomic<unsigned> missing{0};
    Together(8, [&](unsigned) {
        for (int i = 0; i < 20000; i++)
            missing += Find(2000) != "shared.example";
    });
    EXPECT_EQ(missing, 0U);
}

TEST(Answers, AStoreIsNotLostToReaders)
{
    std::atomic<bool> stop{false};
    std::thread reader([&] {
        while (!stop)
            Find(3001);
    });
    unsigned lost = 0;
    for (unsigned i = 0; i < 20000; i++) {
        Store(3000 + i % 2, NameOf(i));
        lost += Find(3000 + i % 2) != NameOf(i);
    }
    stop = true;
    reader.join();
    EXPECT_EQ(lost, 0U);
}

// Each name that is found is one that was stored for the address.
TEST(Answers, WhatIsFoundIsWhole)
{
    std::atomic<unsigned> torn{0};
    std::atomic<unsigned> found{0};
    Together(6, [&](unsigned thread) {
        for (unsigned i = 0; i < 30000; i++) {
            const unsigned number = i * 7 % 300;
            if (thread % 2 == 0) {
                Store(4000 + number, NameOf(number));
                continue;
            }
            const std::string name = Find(4000 + number);
            found += !name.empty();
            torn += !name.empty() && name != NameOf(number);
        }
    });
    EXPECT_EQ(torn, 0U);
    EXPECT_GT(found, 0U);
}

std::atomic<int> handled{0}; // lock-free
std::atomic<unsigned> stores_in_handler{0};
const std::string handlers_name(200, 'h');

void StoreInHandler(int)
{
    const int saved = errno;
    for (unsigned i = 1; i <= stores_in_handler; i++)
        Store(5000 + i, handlers_name);
    handled++;
    errno = saved;
}

// Calls store until a SIGUSR1 of another thread has interrupted it, and check after it, so often.
void Interrupted(int times, const std::function<void()> &store, const std::function<void()> &check)
{
    struct sigaction action = {};
    action.sa_handler = StoreInHandler;
    sigaction(SIGUSR1, &action, nullptr);
    const pthread_t self = pthread_self();
    std::atomic<bool> ready{false};
    std::thread sender([&] {
        for (int i = 0; i < times; i++) {
            while (!ready)
                sched_yield();
            ready = false;
            pthread_kill(self, SIGUSR1);
        }
    });
    for (int i = 0; i < times; i++) {
        const int before = handled;
        ready = true;
        while (handled == before)
            store();
        check();
    }
    sender.join();
    signal(SIGUSR1, SIG_DFL);
}

#ifdef __SANITIZE_THREAD__
#define NEEDS_SIGNALS()                                                                            \
    GTEST_SKIP() << "SKIPPED: ThreadSanitizer puts signals off until the next call of libc's"
#else
#define NEEDS_SIGNALS() (void)0
#endif

TEST(Answers, AHandlerMayInterruptAnything)
{
    NEEDS_SIGNALS();
    unsigned wrong = 0;
    unsigned i = 0;
    stores_in_handler = 1;
    Interrupted(
        2000,
        [&] {
            Store(5000, NameOf(++i));
            wrong += Find(5000) != NameOf(i);
        },
        [&] { wrong += Find(5001) != handlers_name; });
    EXPECT_EQ(wrong, 0U);
}

// The handler comes to the entry that it has interrupted: one of the two names is lost, and what is
// of both is not taken for a name.
TEST(Answers, AHandlerMayStoreAWholeTable)
{
    NEEDS_SIGNALS();
    const std::string long_name(TCPDIAG_NAME_MAX, 'Z');
    unsigned torn = 0;
    stores_in_handler = 128;
    Interrupted(
        10000, [&] { Store(5000, long_name); },
        [&] {
            for (unsigned number = 0; number <= 128; number++) {
                const std::string name = Find(5000 + number);
                torn += !name.empty() && name != (number == 0 ? long_name : handlers_name);
            }
        });
    EXPECT_EQ(torn, 0U);
}

// A child gets the table as it is at that moment, with half an entry of a thread that it has not.
TEST(Answers, AChildOfAForkInTheMiddleStoresAndFinds)
{
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        for (unsigned i = 0; !stop; i++)
            Store(6000 + i % 200, NameOf(i % 200));
    });
    int failed = 0;
    for (int i = 0; i < 100; i++) {
        const pid_t child = fork();
        if (child == 0) {
            int wrong = 0;
            for (unsigned n = 0; n < 256; n++) { // each entry twice
                Store(7000 + n, NameOf(n));
                wrong += Find(7000 + n) != NameOf(n);
            }
            _exit(wrong != 0);
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
