// SPDX-License-Identifier: MIT
// Runs each scene of the actor twice, bare and under the shim: the program must see the same, and
// the log must hold exactly the records that the scene is worth.
//
// The tests in tests/load run it with an actor and a library of another machine or C library:
// TCPDIAG_TEST_ACTOR, TCPDIAG_TEST_LIBRARY and, where an emulator is needed, TCPDIAG_TEST_EMULATOR.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace
{

#ifdef TCPDIAG_HOOKS_LINKED_IN
constexpr bool kHooksLinkedIn = true;
#else
constexpr bool kHooksLinkedIn = false;
#endif

struct Scene {
    const char *name;
    int begins;
    int ends;
    const char *each; // every end record has it
    bool stays;       // it does not end by itself: killed when its records are there
};

std::string Absolute(const char *path)
{
    char real[4096];
    return realpath(path, real) ? real : std::string(path);
}

std::string Setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value ? value : otherwise;
}

const std::string kActor = Absolute(Setting("TCPDIAG_TEST_ACTOR", "tests/shim/actor").c_str());
const std::string kLibrary =
    Absolute(Setting("TCPDIAG_TEST_LIBRARY", "shim/libtcpdiag.so").c_str());
const std::string kEmulator = Setting("TCPDIAG_TEST_EMULATOR", "");

class Actor
{
  public:
    explicit Actor(const std::string &log_setting = "")
    {
        char place[] = "/tmp/tcpdiag-test-XXXXXX";
        place_ = mkdtemp(place);
        log_ = place_ + "/log.jsonl";
        setting_ = log_setting.empty() ? log_ : log_setting;
    }
    ~Actor()
    {
        if (system(("rm -rf " + place_).c_str()) != 0)
            perror("rm");
    }
    const std::string &place() const
    {
        return place_;
    }
    const std::string &log() const
    {
        return log_;
    }
    void Start(const std::string &scene, bool shimmed)
    {
        child_ = fork();
        if (child_ == 0) {
            if (shimmed) {
                std::string preload = "LD_PRELOAD=" + kLibrary;
                // qemu-user(1): for the program alone, not for the emulator.
                if (!kEmulator.empty())
                    setenv("QEMU_SET_ENV", preload.c_str(), 1);
                else if (!kHooksLinkedIn)
                    setenv("LD_PRELOAD", kLibrary.c_str(), 1);
                setenv("TCPDIAG_LOG", setting_.c_str(), 1);
            }
            if (kHooksLinkedIn && scene == "few_descriptors") // which the leak check needs
                setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
            int null = open("/dev/null", O_RDWR);
            dup2(null, 0);
            if (!kEmulator.empty())
                execlp(kEmulator.c_str(), "actor", kActor.c_str(), scene.c_str(), nullptr);
            execl(kActor.c_str(), "actor", scene.c_str(), nullptr);
            _exit(127);
        }
    }
    int Wait()
    {
        int status = 0;
        waitpid(child_, &status, 0);
        return status;
    }
    void Kill()
    {
        kill(child_, SIGKILL);
    }
    // The records, of the rotated log too.
    std::vector<std::string> Lines() const
    {
        std::vector<std::string> lines;
        for (const std::string &path : {log_ + ".1", log_}) {
            std::ifstream in(path);
            for (std::string line; std::getline(in, line);)
                lines.push_back(line);
        }
        return lines;
    }
    int Count(const std::string &text) const
    {
        int count = 0;
        for (const std::string &line : Lines())
            count += line.find(text) != std::string::npos;
        return count;
    }
    int CountEnds(const std::string &text) const
    {
        int count = 0;
        for (const std::string &line : Lines())
            count += line.find("\"phase\":\"end\"") != std::string::npos &&
                     line.find(text) != std::string::npos;
        return count;
    }
    bool WaitFor(int begins, int ends) const
    {
        for (int i = 0; i < 2000; i++) { // 20 s at the most
            if (Count("\"phase\":\"begin\"") >= begins && Count("\"phase\":\"end\"") >= ends)
                return true;
            struct timespec moment = {0, 10000000};
            nanosleep(&moment, nullptr);
        }
        return false;
    }

  private:
    std::string place_, log_, setting_;
    pid_t child_ = -1;
};

class SceneTest : public testing::TestWithParam<Scene>
{
};

TEST_P(SceneTest, SameProgramAndExactRecords)
{
    const Scene &scene = GetParam();
    Actor run;
#ifdef __SANITIZE_THREAD__
    if (std::string(scene.name) == "asynchronous_lookup")
        GTEST_SKIP() << "a bare program under ThreadSanitizer dies in libc's own threads too";
#endif
    if (kHooksLinkedIn && std::string(scene.name) == "sixteen_kib")
        GTEST_SKIP() << "a sanitizer needs more stack than the scene has";
    if (kHooksLinkedIn && std::string(scene.name) == "connect_cancelled")
        GTEST_SKIP() << "AddressSanitizer takes the frames that a cancelled thread has left, with "
                        "their marked bounds, for an overflow";
    if (kHooksLinkedIn && std::string(scene.name) == "first_at_once")
        GTEST_SKIP() << "ThreadSanitizer makes a thread of its own in a forked child";
    if (!scene.stays && !kHooksLinkedIn) {
        run.Start(scene.name, false);
        ASSERT_EQ(run.Wait(), 0) << "bare";
    }
    run.Start(scene.name, true);
    if (scene.stays) {
        EXPECT_TRUE(run.WaitFor(scene.begins, scene.ends));
        run.Kill();
        int status = run.Wait();
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    } else {
        EXPECT_EQ(run.Wait(), 0) << "under the shim";
    }
    std::string all;
    for (const std::string &line : run.Lines())
        all += line + "\n";
    EXPECT_EQ(run.Count("\"phase\":\"begin\""), scene.begins) << all;
    EXPECT_EQ(run.Count("\"phase\":\"end\""), scene.ends) << all;
    if (scene.each) {
        EXPECT_EQ(run.CountEnds(scene.each), scene.ends) << all;
    }
    for (const std::string &line : run.Lines()) {
        EXPECT_LE(line.size(), 4095u);
        EXPECT_EQ(line.front(), '{');
        EXPECT_EQ(line.back(), '}');
    }
}

const char refused[] =
    "\"outcome\":\"refused\",\"cause\":\"port-closed\",\"errno\":\"ECONNREFUSED\"";
const char connected[] = "\"outcome\":\"connected\"";
const char abandoned[] = "\"outcome\":\"abandoned\"";

const Scene kScenes[] = {
    {"blocking_accepted", 1, 1, connected, false},
    {"blocking_refused", 1, 1, refused, false},
    {"poll_refused", 1, 1, refused, false},
    {"poll_accepted", 1, 1, connected, false},
    {"write_refused", 1, 1, refused, true},
    {"close_unread", 1, 1, refused, false},
    {"epoll_pointer", 1, 1, refused, false},
    {"epoll_accepted", 1, 1, connected, true},
    {"select_accepted", 1, 1, connected, true},
    {"second_connect", 2, 2, nullptr, false},
    {"closed_pending", 1, 1, abandoned, false},
    {"shutdown_pending", 1, 1, abandoned, true},
    {"replaced_pending", 1, 1, abandoned, true},
    {"closefrom_pending", 1, 1, abandoned, true},
    {"exit_pending", 1, 1, abandoned, false},
    {"quick_exit_pending", 1, 1, abandoned, false},
    {"exec_pending", 1, 1, abandoned, false},
    {"dup_pending", 1, 1, abandoned, false},
    {"fork_pending", 1, 1, refused, false},
    {"vfork_pending", 1, 1, refused, false},
    {"killed_in_connect", 1, 0, nullptr, true},
    {"send_time_limit", 1, 1, "\"cause\":\"gave-up-waiting\"", false},
    {"send_time_limit_and_wait", 1, 1, nullptr, false},
    {"closed_by_system_call", 1, 1, abandoned, true},
    {"interrupted", 1, 1, abandoned, false},
    {"not_tcp", 0, 0, nullptr, false},
    {"bad_addresses", 0, 0, nullptr, false},
    {"reuse_numbers", 2, 2, refused, false},
    {"twice", 2, 2, refused, false},
    {"file_size_limit", 0, 0, nullptr, false},
    {"few_descriptors", 0, 0, nullptr, false},
    {"many_in_flight", 200, 200, refused, false},
    {"threads", 1600, 1600, refused, false},
    {"first_at_once", 400, 400, refused, false},
    {"fork_after_record", 2, 2, refused, false},
    {"direct_calls", 1, 1, refused, false},
    {"each_transfer", 9, 9, refused, false},
    {"each_wait", 3, 3, connected, false},
    {"each_lookup", 4, 4, "\"outcome\":\"resolved\"", false},
    {"numeric_lookup", 1, 2, nullptr, false}, // the name, and the service that is none
    {"asynchronous_lookup", 1, 1, "\"outcome\":\"resolved\"", false},
    {"lookup_with_more_room", 1, 1, "\"outcome\":\"resolved\"", false},
    {"lookup_without_more_room", 1, 1, "\"outcome\":\"abandoned\"", false},
    {"lookup_of_nonsense", 2, 2, "\"outcome\":\"dns\"", false},
    {"looks_for_an_address", 0, 0, nullptr, false},
    {"service_by_number_only", 1, 1, "\"cause\":\"bad-service\"", false},
    {"scope_of_no_interface", 0, 1, "\"cause\":\"no-interface\"", false},
    {"address_of_the_wrong_family", 0, 1, "\"cause\":\"wrong-family\"", false},
    {"connect_outlived_by_exit", 1, 1, "\"outcome\":\"timeout\",\"cause\":\"gave-up-waiting\"",
     false},
    {"connect_cancelled", 1, 1, abandoned, false},
    {"connect_left_by_a_jump", 2, 2, nullptr, false},
    {"loader_error", 1, 1, refused, false},
    {"perhaps_missing", 0, 0, nullptr, false},
    {"named_connect", 2, 2, "\"server.address\":\"localhost\"", false},
    {"own_recverr", 1, 1, "\"cause\":\"port-closed\"", false}, // a segment came
    {"sixteen_kib", 1, 1, refused, false},
};

INSTANTIATE_TEST_SUITE_P(Scenes, SceneTest, testing::ValuesIn(kScenes),
                         [](const testing::TestParamInfo<Scene> &info) {
                             return std::string(info.param.name);
                         });

// Places that are no log: the program goes on, and nothing is written.
TEST(Log, DirectoryFifoAndLinkAreLeftAlone)
{
    Actor places;
    std::string target = places.place() + "/target";
    std::string link = places.place() + "/link";
    std::string fifo = places.place() + "/fifo";
    std::ofstream(target) << "";
    ASSERT_EQ(symlink(target.c_str(), link.c_str()), 0);
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    for (const std::string &place :
         {places.place(), link, fifo, places.place() + "/missing/log", std::string("/dev/full"),
          std::string(5000, 'x'), std::string("%")}) {
        Actor run(place);
        run.Start("blocking_refused", true);
        EXPECT_EQ(run.Wait(), 0) << place.substr(0, 80);
    }
    struct stat status;
    ASSERT_EQ(stat(target.c_str(), &status), 0);
    EXPECT_EQ(status.st_size, 0);
    unlink("%");
}

// A pipe to standard error whose reader is gone must not kill the program.
TEST(Log, StandardErrorWithoutReader)
{
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    Actor run("stderr");
    close(pipe_ends[0]);
    int kept = dup(2);
    dup2(pipe_ends[1], 2);
    run.Start("blocking_refused", true);
    dup2(kept, 2);
    close(pipe_ends[1]);
    EXPECT_EQ(run.Wait(), 0);
}

TEST(Log, FailuresOnlyAndOutcomesOnly)
{
    for (const char *events : {"failures", "outcomes", "nonsense"}) {
        setenv("TCPDIAG_EVENTS", events, 1);
        for (const char *scene : {"blocking_accepted", "blocking_refused"}) {
            Actor run;
            run.Start(scene, true);
            EXPECT_EQ(run.Wait(), 0);
            bool everything = std::string(events) == "nonsense";
            bool failed = std::string(scene) == "blocking_refused";
            EXPECT_EQ(run.Count("\"phase\":\"begin\""), everything);
            EXPECT_EQ(run.Count("\"phase\":\"end\""), failed || std::string(events) != "failures");
        }
        unsetenv("TCPDIAG_EVENTS");
    }
}

} // namespace
