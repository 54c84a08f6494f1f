// SPDX-License-Identifier: MIT
// Where the log is, by the environment and by who owns which folder.
#include <cstring>
#include <map>
#include <string>
#include <sys/stat.h>

#include "shim/diagnosis/log_path.h"
#include "gtest/gtest.h"

namespace
{

constexpr uint32_t kUser = 1000;

TEST(LogKind, OfEachSetting)
{
    EXPECT_EQ(tcpdiag_log_kind(nullptr), TCPDIAG_LOG_DEFAULT);
    EXPECT_EQ(tcpdiag_log_kind(""), TCPDIAG_LOG_DEFAULT);
    EXPECT_EQ(tcpdiag_log_kind("stderr"), TCPDIAG_LOG_STDERR);
    EXPECT_EQ(tcpdiag_log_kind("stderr.log"), TCPDIAG_LOG_PATTERN);
}

// Each piece in brackets: (...) for a literal, else its name.
std::string Pieces(const char *pattern)
{
    std::string all;
    struct tcpdiag_text literal;
    for (;;)
        switch (tcpdiag_next_piece(&pattern, &literal)) {
        case TCPDIAG_PIECE_END:
            return all;
        case TCPDIAG_PIECE_LITERAL:
            all += "(" + std::string(literal.bytes, literal.length) + ")";
            break;
        case TCPDIAG_PIECE_PID:
            all += "PID";
            break;
        case TCPDIAG_PIECE_EXECUTABLE:
            all += "EXECUTABLE";
            break;
        case TCPDIAG_PIECE_HOST:
            all += "HOST";
        }
}

TEST(Pattern, IsARowOfPieces)
{
    EXPECT_EQ(Pieces(""), "");
    EXPECT_EQ(Pieces("/var/log/a"), "(/var/log/a)");
    EXPECT_EQ(Pieces("%h/%e-%p.log"), "HOST(/)EXECUTABLE(-)PID(.log)");
    EXPECT_EQ(Pieces("100%%"), "(100)(%)");
    EXPECT_EQ(Pieces("a%x"), "(a)(%x)");
    EXPECT_EQ(Pieces("a%"), "(a)(%)");
    EXPECT_EQ(Pieces("%%p"), "(%)(p)");
}

std::string Part(const char *name)
{
    char text[64];
    struct tcpdiag_out out = {text, text + sizeof text, false};
    struct tcpdiag_text bytes = {name, strlen(name)};
    tcpdiag_put_part(&out, &bytes);
    return {text, out.at};
}

TEST(Part, LeadsToNoOtherFolder)
{
    EXPECT_EQ(Part("web-1.staging"), "web-1.staging");
    EXPECT_EQ(Part("../etc"), ".._etc");
    EXPECT_EQ(Part(".."), "__");
    EXPECT_EQ(Part("."), "_");
    EXPECT_EQ(Part("..."), "...");
}

std::string First(const char *state, const char *home, struct tcpdiag_own *own)
{
    char path[TCPDIAG_PATH_MAX];
    return tcpdiag_first_default(path, own, state, home) ? path : "none";
}

TEST(Default, ByTheEnvironment)
{
    struct tcpdiag_own own;
    EXPECT_EQ(First("/state", "/home/u", &own), "/state/tcpdiag/tcpdiag.jsonl");
    EXPECT_EQ(own.from, 6U);
    EXPECT_FALSE(own.there);
    EXPECT_EQ(First("state", "/home/u", &own), "/home/u/.local/state/tcpdiag/tcpdiag.jsonl");
    EXPECT_EQ(own.from, 7U);
    EXPECT_TRUE(own.there);
    EXPECT_EQ(First(nullptr, nullptr, &own), "none");
    EXPECT_EQ(First(nullptr, "home", &own), "none");
    EXPECT_EQ(First(std::string("/").append(1023, 'x').c_str(), nullptr, &own), "none");
    char second[TCPDIAG_SECOND_DEFAULT_MAX];
    tcpdiag_second_default(second, UINT32_MAX);
    EXPECT_STREQ(second, "/tmp/tcpdiag-4294967295/tcpdiag.jsonl");
}

std::map<std::string, struct tcpdiag_folder> tree;

void Folder(const char *path, uint32_t owner, uint32_t mode = 0755)
{
    tree[path] = {tcpdiag_folder::TCPDIAG_FOLDER_THERE, S_IFDIR | mode, owner};
}

struct tcpdiag_folder Look(const char *path, bool)
{
    auto found = tree.find(path);
    return found != tree.end() ? found->second
                               : tcpdiag_folder{tcpdiag_folder::TCPDIAG_FOLDER_MISSING, 0, 0};
}

bool MayUse(const char *folder, size_t from, bool there, uint32_t user = kUser)
{
    std::string copy = folder;
    struct tcpdiag_own own = {from, there};
    bool may = tcpdiag_may_use_default(&copy[0], &own, user, Look);
    EXPECT_STREQ(copy.c_str(), folder) << "it was not restored";
    return may;
}

class Owners : public testing::Test
{
  protected:
    void SetUp() override
    {
        tree.clear();
        Folder("/", 0);
        Folder("/home", 0);
        Folder("/tmp", 0, 01777);
    }
};

TEST_F(Owners, AHomeHasToBeThere)
{
    EXPECT_FALSE(MayUse("/home/u/.local/state/tcpdiag", 7, true));
    Folder("/home/u", kUser);
    EXPECT_TRUE(MayUse("/home/u/.local/state/tcpdiag", 7, true));
}

TEST_F(Owners, RootMakesNothingInAUsersHome)
{
    Folder("/home/u", kUser);
    EXPECT_FALSE(MayUse("/home/u/.local/state/tcpdiag", 7, true, 0));
}

TEST_F(Owners, NoFolderOfSomebodyElsesOnTheWay)
{
    Folder("/home/u", kUser);
    Folder("/home/u/.local", 1001);
    EXPECT_FALSE(MayUse("/home/u/.local/state/tcpdiag", 7, true));
}

TEST_F(Owners, AStateFolderIsMadeOnlyWhereTheUserMay)
{
    Folder("/var", 0);
    EXPECT_FALSE(MayUse("/var/state/tcpdiag", 10, false));
    EXPECT_TRUE(MayUse("/var/state/tcpdiag", 10, false, 0));
    EXPECT_TRUE(MayUse("/tmp/state/tcpdiag", 10, false));
    Folder("/tmp", 0, 0777); // others may take it away
    EXPECT_FALSE(MayUse("/tmp/state/tcpdiag", 10, false));
}

TEST_F(Owners, TheLogsFolderIsOursAlone)
{
    Folder("/home/u", kUser);
    Folder("/home/u/.local", kUser);
    Folder("/home/u/.local/state", kUser);
    Folder("/home/u/.local/state/tcpdiag", kUser, 0700);
    EXPECT_TRUE(MayUse("/home/u/.local/state/tcpdiag", 7, true));
    Folder("/home/u/.local/state/tcpdiag", kUser, 0770);
    EXPECT_FALSE(MayUse("/home/u/.local/state/tcpdiag", 7, true));
}

} // namespace
