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
#include <thread>
#include <vector>

#include "gtest/gtest.h"

extern "C" {
#include "shim/process/confine.h"
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

// What seccomp(2) of the kernel says of a filter, 0 or errno.
int KernelsWord(Code *code)
{
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        sock_fprog program = {static_cast<unsigned short>(code->size()), code->data()};
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
            _exit(errno);
        for (;;) // the filter may refuse the end of the process
            __builtin_trap();
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 0; // killed: the filter is there
}

// One bit, or a field, of one instruction is another.
void Spoil(Code *code, std::mt19937 *random)
{
    sock_filter *at = &(*code)[(*random)() % code->size()];
    switch ((*random)() % 6) {
    case 0:
        at->code ^= static_cast<unsigned short>(1u << (*random)() % 16);
        break;
    case 1:
        at->jt = static_cast<unsigned char>((*random)());
        break;
    case 2:
        at->jf = static_cast<unsigned char>((*random)());
        break;
    case 3:
        at->k ^= 1u << (*random)() % 32;
        break;
    case 4:
        at->k = 0xffffffffu - (*random)() % 3;
        break;
    default:
        code->resize(1 + (*random)() % code->size());
    }
}

TEST(Filter, WhatIsNotValidTheKernelRefuses)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer's runtime makes system calls that the filters forbid";
#endif
    int both = 0;
    int neither = 0;
    int kernel_only = 0;
    for (unsigned seed = 0; seed < 3000; seed++) {
        std::mt19937 random(seed);
        Code code = Generator(seed).Filter();
        Spoil(&code, &random);
        const unsigned count = static_cast<unsigned>(code.size());
        const int word = KernelsWord(&code);
        const long arguments[6] = {};
        tcpdiag_filter_allows(code.data(), count, SYS_getppid, arguments); // it ends
        if (!tcpdiag_filter_is_valid(code.data(), count)) {
            ASSERT_EQ(word, EINVAL) << "seed " << seed;
            neither++;
        } else if (word == EINVAL) {
            kernel_only++;
        } else {
            both++;
        }
    }
    std::printf("%d valid for both, %d for neither, %d refused by the kernel alone\n", both,
                neither, kernel_only);
    EXPECT_GT(both, 500);
    EXPECT_GT(neither, 500);
    EXPECT_LT(kernel_only, 100); // loads of what has not been stored
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

TEST(Filter, AJumpPastTheEndIsARefusalAndEnds)
{
    for (unsigned k : {1u, 2u, 0x7fffffffu, 0xfffffffeu, 0xffffffffu}) {
        const sock_filter code[] = {BPF_STMT(BPF_JMP | BPF_JA, k),
                                    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
        EXPECT_FALSE(tcpdiag_filter_is_valid(code, 2)) << k;
        EXPECT_FALSE(tcpdiag_filter_allows(code, 2, SYS_getppid, kNone)) << k;
    }
}

bool Allowed()
{
    return tcpdiag_confine_allows(SYS_getppid, kNone);
}

bool AllowedElsewhere()
{
    bool allowed = false;
    std::thread([&] { allowed = Allowed(); }).join();
    return allowed;
}

// Each test in a process of its own: a filter in force stays.
#define IN_A_CHILD(suite, name)                                                                    \
    void suite##name();                                                                            \
    TEST(suite, name)                                                                              \
    {                                                                                              \
        const pid_t child = fork();                                                                \
        if (child == 0) {                                                                          \
            suite##name();                                                                         \
            _exit(testing::Test::HasFailure());                                                    \
        }                                                                                          \
        int status = -1;                                                                           \
        waitpid(child, &status, 0);                                                                \
        EXPECT_EQ(status, 0);                                                                      \
    }                                                                                              \
    void suite##name()

void PutOn(const sock_filter *code)
{
    tcpdiag_confine_end(tcpdiag_confine_begin(code, 1, false), true);
}

IN_A_CHILD(Confine, AllOfThemHaveToAllow)
{
    PutOn(kAllow);
    EXPECT_TRUE(Allowed());
    PutOn(kRefuse);
    EXPECT_FALSE(Allowed());
    EXPECT_FALSE(AllowedElsewhere()); // which may have it from this thread
}

IN_A_CHILD(Confine, UntilItIsInForceItHoldsNobodyElse)
{
    const int own = tcpdiag_confine_begin(kRefuse, 1, false);
    EXPECT_FALSE(Allowed());
    EXPECT_TRUE(AllowedElsewhere());
    tcpdiag_confine_end(own, false);
    EXPECT_TRUE(Allowed());
    const int all = tcpdiag_confine_begin(kRefuse, 1, true);
    EXPECT_FALSE(AllowedElsewhere());
    tcpdiag_confine_end(all, false);
    EXPECT_TRUE(AllowedElsewhere());
}

IN_A_CHILD(Confine, ARefusalLeavesTheOthersInForce)
{
    const int first = tcpdiag_confine_begin(kAllow, 1, false);
    const int second = tcpdiag_confine_begin(kRefuse, 1, false);
    tcpdiag_confine_end(first, false);
    tcpdiag_confine_end(second, true);
    EXPECT_FALSE(Allowed());
}

IN_A_CHILD(Confine, NoFilterAllowsNothing)
{
    const int strict = tcpdiag_confine_begin(nullptr, 0, false);
    EXPECT_FALSE(Allowed());
    tcpdiag_confine_end(strict, false);
    EXPECT_TRUE(Allowed());
    tcpdiag_confine_end(tcpdiag_confine_begin(nullptr, 0, false), true);
    EXPECT_FALSE(Allowed());
}

IN_A_CHILD(Confine, OneFilterManyTimesTakesOnePlace)
{
    for (int i = 0; i < 1000; i++)
        PutOn(kAllow);
    EXPECT_TRUE(Allowed());
}

IN_A_CHILD(Confine, RefusedOnesTakeNoPlace)
{
    for (int i = 0; i < 1000; i++)
        tcpdiag_confine_end(tcpdiag_confine_begin(kRefuse, 1, false), false);
    EXPECT_TRUE(Allowed());
    PutOn(kAllow);
    EXPECT_TRUE(Allowed());
}

Code Different(unsigned length, unsigned which)
{
    Code code(length, kAllow[0]);
    code.insert(code.begin(), BPF_STMT(BPF_LD | BPF_IMM, which));
    code.resize(length);
    return code;
}

IN_A_CHILD(Confine, MoreThanThereIsRoomForAllowsNothing)
{
    for (unsigned i = 0; i < 16; i++)
        PutOn(Different(2, i).data()); // its first instruction alone: it never allows
    const int last = tcpdiag_confine_begin(kAllow, 1, false);
    EXPECT_EQ(last, TCPDIAG_CONFINED_UNKNOWN);
    EXPECT_FALSE(Allowed());
    tcpdiag_confine_end(last, false);
}

IN_A_CHILD(Confine, MoreInstructionsThanThereIsRoomForAllowNothing)
{
    for (unsigned i = 0; i < 4; i++)
        tcpdiag_confine_end(
            tcpdiag_confine_begin(Different(BPF_MAXINSNS, i).data(), BPF_MAXINSNS, false), true);
    EXPECT_TRUE(Allowed());
    const int last = tcpdiag_confine_begin(kAllow, 1, false);
    EXPECT_FALSE(Allowed());
    tcpdiag_confine_end(last, false);
    EXPECT_TRUE(Allowed());
}

// Each thread has its own filters refused and some put on, all at once: in the end those count that
// are in force, and no others.
IN_A_CHILD(Confine, ManyThreadsAtOnce)
{
    std::vector<std::thread> threads;
    for (unsigned me = 0; me < 8; me++)
        threads.emplace_back([me] {
            for (unsigned i = 0; i < 20000; i++) {
                const bool last = i == 19999;
                const Code code = last ? Different(3, me) : Code(kRefuse, kRefuse + 1);
                const int ticket =
                    tcpdiag_confine_begin(code.data(), static_cast<unsigned>(code.size()), false);
                tcpdiag_confine_end(ticket, last);
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    EXPECT_TRUE(Allowed());
    PutOn(kRefuse);
    EXPECT_FALSE(Allowed());
}

} // namespace
