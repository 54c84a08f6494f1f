/* SPDX-License-Identifier: MIT */
// What sets a process apart. The test about a rule runs in a network namespace of the test's own.
extern "C" {
#include "tools/compare/process.h"
}

#include <gtest/gtest.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

namespace
{

// A child that has done something to itself and then waits to be ended.
class Child
{
  public:
    explicit Child(const std::function<bool()> &change)
    {
        int ready[2], end[2];
        EXPECT_EQ(pipe(ready), 0);
        EXPECT_EQ(pipe(end), 0);
        pid_ = fork();
        if (pid_ == 0) {
            char byte = change() ? 'y' : 'n';
            close(end[1]);
            _exit(write(ready[1], &byte, 1) == 1 ? (int)read(end[0], &byte, 1) : 1);
        }
        close(ready[1]);
        close(end[0]);
        char byte = 'n';
        EXPECT_EQ(read(ready[0], &byte, 1), 1);
        changed_ = byte == 'y';
        close(ready[0]);
        end_ = end[1];
    }
    ~Child()
    {
        close(end_);
        waitpid(pid_, nullptr, 0);
    }
    bool changed() const
    {
        return changed_;
    }
    pid_t pid() const
    {
        return pid_;
    }

  private:
    pid_t pid_;
    int end_;
    bool changed_;
};

#define NEEDS(child, what)                                                                         \
    if (!(child).changed()) {                                                                      \
        puts("SKIPPED: " what);                                                                    \
        GTEST_SKIP();                                                                              \
    }

std::string Proxy(const char *variable, const char *host, const char *address, long port)
{
    int out[2];
    EXPECT_EQ(pipe(out), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char *environment[] = {const_cast<char *>(variable), nullptr};
        dup2(out[1], STDOUT_FILENO);
        execle("/bin/sh", "sh", "-c", "echo; kill -STOP $$", nullptr, environment);
        _exit(1);
    }
    char byte;
    EXPECT_EQ(read(out[0], &byte, 1), 1); // its environment is in place
    char *found = process_proxy(pid, host, address, port);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    close(out[0]);
    close(out[1]);
    std::string text = found ? found : "";
    free(found);
    return text;
}

bool Write(const char *path, const std::string &text)
{
    FILE *file = fopen(path, "w");
    bool written = file && fputs(text.c_str(), file) >= 0;
    return file && fclose(file) == 0 && written;
}

// Root in namespaces of its own: without a mapped user execve takes the capabilities away.
bool OwnNamespaces()
{
    std::string map = "0 " + std::to_string(geteuid()) + " 1";
    return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && Write("/proc/self/uid_map", map);
}

TEST(ProcessTest, NothingSetsThisProcessApartFromItself)
{
    EXPECT_FALSE(process_other_network(getpid()));
    EXPECT_EQ(process_other_user(getpid()), -1);
    EXPECT_FALSE(process_filtered(getpid()));
    EXPECT_EQ(process_resolver(getpid()), nullptr);
}

TEST(ProcessTest, AProcessThatIsGoneSaysNothing)
{
    pid_t gone = fork();
    if (gone == 0)
        _exit(0);
    waitpid(gone, nullptr, 0);
    EXPECT_FALSE(process_other_network(gone));
    EXPECT_EQ(process_other_user(gone), -1);
    EXPECT_EQ(process_proxy(gone, "a", "b", 1), nullptr);
    EXPECT_EQ(process_resolver(gone), nullptr);
}

// In a root of its own, whose etc/resolv.conf is what `make` makes there.
std::string ResolverInRoot(const std::function<bool(const std::string &)> &make)
{
    char root[] = "/tmp/tcpdiag-root-XXXXXX";
    EXPECT_NE(mkdtemp(root), nullptr);
    std::string folder = root;
    EXPECT_EQ(mkdir((folder + "/etc").c_str(), 0755), 0);
    std::string text = "SKIPPED";
    {
        Child child([&] {
            return OwnNamespaces() && make(folder) && chroot(root) == 0 && chdir("/") == 0;
        });
        if (child.changed()) {
            char *found = process_resolver(child.pid());
            text = found ? found : "";
            free(found);
        }
    }
    EXPECT_EQ(system(("rm -rf " + folder).c_str()), 0);
    return text;
}

TEST(ProcessTest, ItsResolverIsReadInItsOwnRoot)
{
    std::string found = ResolverInRoot([](const std::string &root) {
        return Write((root + "/etc/other").c_str(), "nameserver 192.0.2.77 # x\nsearch a.test\n") &&
               symlink("/etc/other", (root + "/etc/resolv.conf").c_str()) == 0;
    });
    if (found == "SKIPPED") {
        puts("SKIPPED: this machine lets this user make no namespaces");
        GTEST_SKIP();
    }
    EXPECT_EQ(found, "nameserver 192.0.2.77, search a.test");
}

TEST(ProcessTest, NothingInAnotherRootHangs)
{
    auto is = [](auto make) {
        return
            [make](const std::string &root) { return make((root + "/etc/resolv.conf").c_str()); };
    };
    std::string found =
        ResolverInRoot(is([](const char *path) { return mkfifo(path, 0644) == 0; }));
    if (found == "SKIPPED") {
        puts("SKIPPED: this machine lets this user make no namespaces");
        GTEST_SKIP();
    }
    EXPECT_EQ(found, "");
    EXPECT_EQ(ResolverInRoot(is([](const char *path) { return mkdir(path, 0755) == 0; })), "");
    EXPECT_EQ(
        ResolverInRoot(is([](const char *path) { return symlink("/proc/self/fd/0", path) == 0; })),
        "");
    std::string long_one = ResolverInRoot(is([](const char *path) {
        return Write(path, "nameserver 192.0.2.77\n") && truncate(path, 1LL << 40) == 0;
    }));
    EXPECT_EQ(long_one, "nameserver 192.0.2.77");
    std::string many = ResolverInRoot(is([](const char *path) {
        std::string text;
        for (int i = 0; i < 100000; i++)
            text += "search a.test\n";
        return Write(path, text);
    }));
    EXPECT_GT(many.size(), 1000);
    EXPECT_LT(many.size(), 1U << 17);
}

TEST(ProcessTest, AnotherUser)
{
    Child child([] { return setuid(65534) == 0 && geteuid() == 65534; });
    NEEDS(child, "only root can become another user");
    EXPECT_EQ(process_other_user(child.pid()), geteuid() == 65534 ? -1 : 65534);
}

TEST(ProcessTest, AnotherNetwork)
{
    Child child([] { return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0; });
    NEEDS(child, "this machine lets this user make no namespaces");
    EXPECT_TRUE(process_other_network(child.pid()));
}

TEST(ProcessTest, AProxyOfTheEnvironment)
{
    EXPECT_EQ(Proxy("https_proxy=http://u:p@Proxy.test:3128/x", "proxy.test", "10.0.0.1", 3128),
              "https_proxy=Proxy.test:3128");
    EXPECT_EQ(Proxy("ALL_PROXY=socks5h://10.0.0.1:1080", "", "10.0.0.1", 1080),
              "ALL_PROXY=10.0.0.1:1080");
    EXPECT_EQ(Proxy("http_proxy=[fd00::1]:8080", "", "fd00::1", 8080), "http_proxy=fd00::1:8080");
    EXPECT_EQ(Proxy("http_proxy=proxy.test:8080", "proxy.test", "", 8081), "");
    EXPECT_EQ(Proxy("http_proxy=proxy.test", "proxy.test", "", 80), "");
    EXPECT_EQ(Proxy("http_proxy=http://[fd00::1", "fd00::1", "", 80), "");
    EXPECT_EQ(Proxy("my_http_proxy=proxy.test:8080", "proxy.test", "", 8080), "");
}

TEST(ProcessTest, ARuleAgainstAnOwner)
{
    Child child([] {
        return OwnNamespaces() &&
               system("PATH=$PATH:/usr/sbin:/sbin nft 'table inet t {\nchain c {\n"
                      "type filter hook output priority 0;\nmeta skuid 33 tcp dport 5432 drop\n"
                      "meta skuid 34 accept\n}\n}'") == 0;
    });
    NEEDS(child, "this machine lets this user make no namespaces with rules in them");
    pid_t inside = fork();
    if (inside == 0) {
        std::string at = "/proc/" + std::to_string(child.pid()) + "/ns/";
        FILE *user = fopen((at + "user").c_str(), "r"), *net = fopen((at + "net").c_str(), "r");
        if (!user || !net || setns(fileno(user), CLONE_NEWUSER) != 0 ||
            setns(fileno(net), CLONE_NEWNET) != 0)
            _exit(10);
        char *rule = rule_against(33);
        if (!rule || std::string(rule) != "meta skuid 33 tcp dport 5432 drop")
            _exit(11);
        if (rule_against(34)) // it accepts
            _exit(12);
        if (rule_against(3)) // a part of 33
            _exit(13);
        _exit(0);
    }
    int status;
    ASSERT_EQ(waitpid(inside, &status, 0), inside);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

} // namespace
