// SPDX-License-Identifier: MIT
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <set>
#include <string>
#include <sys/socket.h>

#include "shim/diagnosis/names.h"
#include "gtest/gtest.h"

namespace
{

TEST(Errno, NoNameIsWrong)
{
#if __GLIBC_PREREQ(2, 32)
    for (int error = 1; error <= 133; error++) {
        const char *name = tcpdiag_errno_name(error);
        const char *libc = strerrorname_np(error);
        EXPECT_EQ(name == nullptr, libc == nullptr) << error;
        if (name && libc) {
            EXPECT_STREQ(name, libc) << error;
        }
    }
#else
    GTEST_SKIP() << "SKIPPED: this C library has no strerrorname_np to compare with";
#endif
}

TEST(Errno, WhatIsNoErrorHasNoName)
{
    for (int error : {0, -1, -ECONNREFUSED, 134, 512, 524, 4095, INT32_MIN, INT32_MAX})
        EXPECT_EQ(tcpdiag_errno_name(error), nullptr) << error;
}

// The numbers are written out in names.c; these come from the system's header.
TEST(Resolver, NamesAreThoseOfNetdb)
{
#define ROW(symbol)                                                                                \
    {                                                                                              \
        symbol, #symbol                                                                            \
    }
    const struct {
        int number;
        const char *name;
    } gai[] =
        {
            ROW(EAI_BADFLAGS),   ROW(EAI_NONAME),     ROW(EAI_AGAIN),       ROW(EAI_FAIL),
            ROW(EAI_NODATA),     ROW(EAI_FAMILY),     ROW(EAI_SOCKTYPE),    ROW(EAI_SERVICE),
            ROW(EAI_ADDRFAMILY), ROW(EAI_MEMORY),     ROW(EAI_SYSTEM),      ROW(EAI_OVERFLOW),
            ROW(EAI_INPROGRESS), ROW(EAI_CANCELED),   ROW(EAI_NOTCANCELED), ROW(EAI_ALLDONE),
            ROW(EAI_INTR),       ROW(EAI_IDN_ENCODE),
        },
      h_errors[] = {
          ROW(HOST_NOT_FOUND), ROW(TRY_AGAIN), ROW(NO_RECOVERY), ROW(NO_DATA), ROW(NETDB_INTERNAL),
      };
#undef ROW
    for (const auto &row : gai)
        EXPECT_STREQ(tcpdiag_gai_name(row.number), row.name);
    for (const auto &row : h_errors)
        EXPECT_STREQ(tcpdiag_h_errno_name(row.number), row.name);
    for (int number : {0, 1, -13, -99, -106, INT32_MIN, INT32_MAX})
        EXPECT_EQ(tcpdiag_gai_name(number), nullptr) << number;
    for (int number : {0, 5, -2, INT32_MIN, INT32_MAX})
        EXPECT_EQ(tcpdiag_h_errno_name(number), nullptr) << number;
}

TEST(Icmp, WordsOfTheGroundTruths)
{
    EXPECT_STREQ(tcpdiag_icmp_name(AF_INET, 3, 0), "network unreachable");
    EXPECT_STREQ(tcpdiag_icmp_name(AF_INET, 3, 1), "host unreachable");
    EXPECT_STREQ(tcpdiag_icmp_name(AF_INET, 3, 3), "port unreachable");
    EXPECT_STREQ(tcpdiag_icmp_name(AF_INET, 3, 13), "administratively prohibited");
    EXPECT_STREQ(tcpdiag_icmp_name(AF_INET, 3, 15), "precedence cutoff");
    EXPECT_STREQ(tcpdiag_icmp_name(AF_INET, 11, 0), "time to live exceeded");
    EXPECT_STREQ(tcpdiag_icmp_name(AF_INET6, 1, 0), "no route to destination");
    EXPECT_STREQ(tcpdiag_icmp_name(AF_INET6, 1, 1), "administratively prohibited");
    EXPECT_STREQ(tcpdiag_icmp_name(AF_INET6, 1, 3), "address unreachable");
    EXPECT_STREQ(tcpdiag_icmp_name(AF_INET6, 1, 4), "port unreachable");
    EXPECT_STREQ(tcpdiag_icmp_name(AF_INET6, 1, 6), "reject route");
    EXPECT_STREQ(tcpdiag_icmp_name(AF_INET6, 3, 0), "hop limit exceeded");
}

// Every byte that a packet may hold has words, and they go into JSON as they are.
TEST(Icmp, EveryTypeAndCodeHasPlainWords)
{
    for (int family : {AF_INET, AF_INET6, 0})
        for (int type = -1; type <= 256; type++)
            for (int code = -1; code <= 256; code++) {
                const char *name = tcpdiag_icmp_name(family, type, code);
                ASSERT_NE(name, nullptr);
                ASSERT_GT(strlen(name), 8u) << type << "/" << code;
                for (const char *at = name; *at; at++)
                    ASSERT_TRUE(*at >= ' ' && *at < 0x7f && *at != '"' && *at != '\\') << name;
            }
}

TEST(Icmp, EachUnreachableCodeHasItsOwnWords)
{
    std::set<std::string> words;
    for (int code = 0; code <= 15; code++)
        EXPECT_TRUE(words.insert(tcpdiag_icmp_name(AF_INET, 3, code)).second) << code;
    EXPECT_STREQ(tcpdiag_icmp_name(AF_INET, 3, 16), "an ICMP error");
    words.clear();
    for (int code = 0; code <= 6; code++)
        EXPECT_TRUE(words.insert(tcpdiag_icmp_name(AF_INET6, 1, code)).second) << code;
    EXPECT_STREQ(tcpdiag_icmp_name(AF_INET6, 1, 7), "an ICMPv6 error");
}

} // namespace
