// SPDX-License-Identifier: MIT
// The log as a file among threads while it is rotated, deleted, closed and replaced: each line is
// written whole, once, and never to a file that is not the log.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <map>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

extern "C" {
#include "shim/log/file.h"
#include "shim/start.h"
}
#include "gtest/gtest.h"

namespace
{

std::string folder;
std::string path;

std::vector<std::string> Lines(const std::string &file)
{
    std::vector<std::string> lines;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

bool Write(const std::string &line, int64_t seconds)
{
    const std::string whole = line + "\n";
    return tcpdiag_logfile_write(whole.data(), whole.size(), seconds);
}

// The number that the library keeps for the log; -1: none.
int KeptDescriptor(const std::string &file)
{
    struct stat log, other;
    if (stat(file.c_str(), &log) != 0)
        return -1;
    for (int fd = 1000; fd < 1100; fd++)
        if (fstat(fd, &other) == 0 && other.st_ino == log.st_ino && other.st_dev == log.st_dev)
            return fd;
    return -1;
}

TEST(LogFile, ALineIsAppended)
{
    EXPECT_TRUE(Write("first", 1));
    EXPECT_TRUE(Write("second", 1));
    EXPECT_EQ(Lines(path), (std::vector<std::string>{"first", "second"}));
    EXPECT_GE(KeptDescriptor(path), 1000);
}

TEST(LogFile, AClosedOneIsOpenedAnewAndAnotherIsLeftAlone)
{
    int kept = KeptDescriptor(path);
    ASSERT_GE(kept, 0);
    close(kept);
    EXPECT_TRUE(Write("after close", 1));
    kept = KeptDescriptor(path);
    const std::string mine = folder + "/mine";
    const int fd = open(mine.c_str(), O_CREAT | O_RDWR, 0600);
    ASSERT_EQ(dup2(fd, kept), kept);
    EXPECT_TRUE(Write("after dup2", 1));
    struct stat status;
    EXPECT_EQ(fstat(fd, &status), 0);
    EXPECT_EQ(status.st_size, 0);
    EXPECT_EQ(fcntl(kept, F_GETFD) >= 0, true) << "the program's own descriptor was closed";
    close(kept);
    close(fd);
    EXPECT_EQ(Lines(path).back(), "after dup2");
}

TEST(LogFile, ADeletedOneIsMadeAnewAtOnceAndARenamedOneWithinASecond)
{
    unlink(path.c_str());
    EXPECT_TRUE(Write("after unlink", 1));
    EXPECT_EQ(Lines(path), std::vector<std::string>{"after unlink"});
    const std::string rotated = path + ".renamed";
    ASSERT_EQ(rename(path.c_str(), rotated.c_str()), 0);
    EXPECT_TRUE(Write("still the same second", 1));
    EXPECT_EQ(Lines(rotated).back(), "still the same second");
    EXPECT_TRUE(Write("a second later", 2));
    EXPECT_EQ(Lines(path), std::vector<std::string>{"a second later"});
}

std::string LineOf(int thread, int number)
{
    return std::to_string(thread) + "-" + std::to_string(number) + "-" +
           std::string(static_cast<size_t>(number % 300), 'x');
}

// Four threads write while a fifth renames the log again and again.
TEST(LogFile, RotationLosesAndTearsNothing)
{
    enum { kThreads = 4, kRotations = 60 };
    unlink(path.c_str());
    tcpdiag_threads_begin(); // opens the log, as before a program's first thread
    std::atomic<unsigned> failed{0};
    std::atomic<int64_t> second{10};
    std::atomic<bool> stop{false};
    int written[kThreads] = {};
    std::vector<std::thread> writers;
    for (int thread = 0; thread < kThreads; thread++)
        writers.emplace_back([&, thread] {
            while (!stop)
                failed += !Write(LineOf(thread, written[thread]++), second);
        });
    for (int rotations = 0; rotations < kRotations;) {
        struct stat status;
        for (; stat(path.c_str(), &status) != 0; second++)
            sched_yield(); // a writer looks once a second, and makes it
        ASSERT_EQ(rename(path.c_str(), (path + "." + std::to_string(rotations++)).c_str()), 0);
    }
    stop = true;
    for (std::thread &one : writers)
        one.join();
    EXPECT_EQ(failed, 0U);
    std::map<std::string, int> seen;
    size_t lines = 0;
    for (int i = -1; i < kRotations; i++)
        for (const std::string &line : Lines(i < 0 ? path : path + "." + std::to_string(i)))
            seen[line]++;
    for (int thread = 0; thread < kThreads; thread++)
        for (int i = 0; i < written[thread]; i++, lines++)
            EXPECT_EQ(seen[LineOf(thread, i)], 1) << thread << " " << i;
    EXPECT_EQ(seen.size(), lines) << "half a line, or a line too many";
}

} // namespace

// The library has read its settings before main: the test starts itself anew with its own.
int main(int argc, char **argv)
{
    const char *place = getenv("TEST_LOG_FOLDER");
    if (!place) {
        char name[] = "/tmp/tcpdiag-log-XXXXXX";
        folder = mkdtemp(name);
        setenv("TEST_LOG_FOLDER", folder.c_str(), 1);
        setenv("TCPDIAG_LOG", (folder + "/log.jsonl").c_str(), 1);
        execv("/proc/self/exe", argv);
        perror("/proc/self/exe");
        return 1;
    }
    folder = place;
    path = folder + "/log.jsonl";
    testing::InitGoogleTest(&argc, argv);
    const int status = RUN_ALL_TESTS();
    return system(("rm -r " + folder).c_str()) == 0 ? status : 1;
}
