// SPDX-License-Identifier: MIT
// What the shim takes a filter to allow is what the kernel makes of it: filters at random, each put
// on a child that asks both.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <random>
#include <vector>

#include "gtest/gtest.h"

extern "C" {
#include "shim/confine.h"
}

namespace
{

using Code = std::vector<sock_filter>;

class Generator
{
  public:
    explicit Generator(unsigned seed) : random_(seed)
    {
    }
    // Any instruction that seccomp_check_filter lets in; jumps go forward and stay inside.
    Code Filter()
    {
        const unsigned length = 4 + Below(28);
        Code code;
        for (unsigned i = 0; i < BPF_MEMWORDS; i++) // the kernel refuses to load what none stored
            code.push_back(BPF_STMT(BPF_ST, i));
        for (unsigned i = 0; i < length; i++)
            code.push_back(Instruction(length - i - 1));
        if (Below(8) == 0) // what this returns mostly kills
            code.push_back(BPF_STMT(BPF_RET | BPF_A, 0));
        code.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x11, 1, 0)); // by a part of the result
        code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
        code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1));
        return code;
    }

  private:
    unsigned Below(unsigned limit)
    {
        return static_cast<unsigned>(random_()) % limit;
    }
    // Numbers near what is compared, and any other.
    unsigned Value()
    {
        const unsigned values[] = {0, 1, 2, 3, 31, 63, SYS_getppid, 0x7fffffff, 0xffffffff};
        return Below(3) ? values[Below(9)] : static_cast<unsigned>(random_());
    }
    sock_filter Return()
    {
        return BPF_STMT(BPF_RET | BPF_K,
                        Below(2) ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | (1 + Below(100)));
    }
    sock_filter Instruction(unsigned room)
    {
        const unsigned short operations[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_AND, BPF_OR, BPF_XOR};
        const unsigned short jumps[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
        const unsigned short source = Below(2) ? BPF_K : BPF_X;
        const unsigned char yes = static_cast<unsigned char>(Below(room + 1));
        const unsigned char no = static_cast<unsigned char>(Below(room + 1));
        switch (Below(13)) {
        case 0: // the instruction pointer (8 to 15) is the caller's: not the same for both
            return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, Below(2) ? 4 * Below(2) : 16 + 4 * Below(12));
        case 1:
            return BPF_STMT(BPF_LD | BPF_IMM, Value());
        case 2:
            return BPF_STMT(BPF_LDX | BPF_IMM, Value());
        case 3:
            return BPF_STMT(static_cast<unsigned short>(Below(2) ? BPF_ST : BPF_STX),
                            Below(BPF_MEMWORDS));
        case 4:
            return BPF_STMT(static_cast<unsigned short>((Below(2) ? BPF_LD : BPF_LDX) | BPF_MEM),
                            Below(BPF_MEMWORDS));
        case 5:
            return BPF_STMT(
                static_cast<unsigned short>((Below(2) ? BPF_LD : BPF_LDX) | BPF_W | BPF_LEN), 0);
        case 6:
            return BPF_STMT(static_cast<unsigned short>(BPF_MISC | (Below(2) ? BPF_TAX : BPF_TXA)),
                            0);
        case 7:
            return BPF_STMT(static_cast<unsigned short>(BPF_ALU | operations[Below(6)] | source),
                            Value());
        case 8:
            return BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, Value() | 1);
        case 9:
            return BPF_STMT(
                static_cast<unsigned short>(BPF_ALU | (Below(2) ? BPF_LSH : BPF_RSH) | BPF_K),
                Below(32));
        case 10:
            return Below(3) ? sock_filter BPF_STMT(BPF_ALU | BPF_NEG, 0)
                            : sock_filter BPF_STMT(BPF_JMP | BPF_JA, Below(room + 1));
        case 11:
            return Below(4) ? sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, Value(), yes, no)
                            : Return();
        default:
            return BPF_JUMP(static_cast<unsigned short>(BPF_JMP | jumps[Below(4)] | source),
                            Value(), yes, no);
        }
    }
    std::mt19937 random_;
};

// 0 both say the same, 1 not, 2 the kernel does not take the filter, 3 both say the same and the
// kernel kills.
int Compare(const Code &code)
{
    const long arguments[6] = {1, 31, 0x7fffffff, -1, 63, 0};
    const bool expected = tcpdiag_filter_allows(code.data(), static_cast<unsigned>(code.size()),
                                                SYS_getppid, arguments);
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        // The end of the process has to be allowed: a prologue that the filter proper never sees.
        Code guarded = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
                        BPF_STMT(BPF_LD | BPF_IMM, 0)};
        guarded.insert(guarded.end(), code.begin(), code.end());
        sock_fprog program = {static_cast<unsigned short>(guarded.size()), guarded.data()};
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
            _exit(2);
        const long result = syscall(SYS_getppid, arguments[0], arguments[1], arguments[2],
                                    arguments[3], arguments[4], arguments[5]);
        _exit((result > 0) == expected ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        return expected ? 1 : 3;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Filter, SaysWhatTheKernelSays)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer's runtime makes system calls that the filters forbid";
#endif
    int same = 0;
    int refused = 0;
    int killed = 0;
    for (unsigned seed = 0; seed < 3000; seed++) {
        const Code code = Generator(seed).Filter();
        const int answer = Compare(code);
        ASSERT_NE(answer, 1) << "seed " << seed;
        ASSERT_NE(answer, -1) << "seed " << seed;
        same += answer == 0;
        refused += answer == 2;
        killed += answer == 3;
    }
    std::printf("%d the same, %d refused by the kernel, %d killed\n", same, refused, killed);
    EXPECT_GT(same, 1500);
    EXPECT_EQ(refused, 0);
}

const sock_filter kAllow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
const sock_filter kRefuse[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1)};
const long kNone[6] = {};

TEST(Filter, DivisionByZeroKills)
{
    const sock_filter code[] = {BPF_STMT(BPF_LDX | BPF_IMM, 0),
                                BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
                                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    EXPECT_FALSE(tcpdiag_filter_allows(code, 3, SYS_getppid, kNone));
}

TEST(Filter, NoEndIsARefusal)
{
    const sock_filter code[] = {BPF_STMT(BPF_LD | BPF_IMM, 0)};
    EXPECT_FALSE(tcpdiag_filter_allows(code, 1, SYS_getppid, kNone));
}

TEST(Confine, AllOfThemHaveToAllow)
{
    EXPECT_EQ(tcpdiag_confine_add(kAllow, 1), 0u);
    EXPECT_TRUE(tcpdiag_confine_allows(SYS_getppid, kNone));
    EXPECT_EQ(tcpdiag_confine_add(kRefuse, 1), 1u);
    EXPECT_FALSE(tcpdiag_confine_allows(SYS_getppid, kNone));
    tcpdiag_confine_undo(1);
    EXPECT_TRUE(tcpdiag_confine_allows(SYS_getppid, kNone));
    tcpdiag_confine_undo(0);
}

TEST(Confine, NoFilterAllowsNothing)
{
    tcpdiag_confine_add(nullptr, 0);
    EXPECT_FALSE(tcpdiag_confine_allows(SYS_getppid, kNone));
    tcpdiag_confine_undo(0);
}

TEST(Confine, MoreThanThereIsRoomForAllowsNothing)
{
    for (int i = 0; i < 16; i++)
        tcpdiag_confine_add(kAllow, 1);
    EXPECT_TRUE(tcpdiag_confine_allows(SYS_getppid, kNone));
    tcpdiag_confine_add(kAllow, 1);
    EXPECT_FALSE(tcpdiag_confine_allows(SYS_getppid, kNone));
    tcpdiag_confine_undo(0);
    const Code large(BPF_MAXINSNS, kAllow[0]);
    for (int i = 0; i < 4; i++)
        tcpdiag_confine_add(large.data(), BPF_MAXINSNS);
    EXPECT_TRUE(tcpdiag_confine_allows(SYS_getppid, kNone));
    tcpdiag_confine_add(kAllow, 1);
    EXPECT_FALSE(tcpdiag_confine_allows(SYS_getppid, kNone));
    tcpdiag_confine_undo(0);
}

} // namespace
