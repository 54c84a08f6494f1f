// SPDX-License-Identifier: MIT
// What ICMP errors mean, and how Linux ends a connect by them. The lab sends most of them for real.
#include <cerrno>
#include <sys/socket.h>

#include "shim/diagnosis/icmp.h"
#include "gtest/gtest.h"

namespace
{

struct Row {
    int family, type, code;
    enum tcpdiag_icmp_kind kind;
    int error;
};

const Row kRows[] = {
    {AF_INET, 3, 0, TCPDIAG_ICMP_UNREACHABLE, ENETUNREACH},
    {AF_INET, 3, 1, TCPDIAG_ICMP_UNREACHABLE, EHOSTUNREACH},
    {AF_INET, 3, 2, TCPDIAG_ICMP_PORT, ENOPROTOOPT},
    {AF_INET, 3, 3, TCPDIAG_ICMP_PORT, ECONNREFUSED},
    {AF_INET, 3, 4, TCPDIAG_ICMP_UNREACHABLE, 0},
    {AF_INET, 3, 5, TCPDIAG_ICMP_UNREACHABLE, EOPNOTSUPP},
    {AF_INET, 3, 6, TCPDIAG_ICMP_UNREACHABLE, ENETUNREACH},
    {AF_INET, 3, 7, TCPDIAG_ICMP_UNREACHABLE, EHOSTDOWN},
    {AF_INET, 3, 8, TCPDIAG_ICMP_UNREACHABLE, ENONET},
    {AF_INET, 3, 9, TCPDIAG_ICMP_PROHIBITED, ENETUNREACH},
    {AF_INET, 3, 10, TCPDIAG_ICMP_PROHIBITED, EHOSTUNREACH},
    {AF_INET, 3, 11, TCPDIAG_ICMP_UNREACHABLE, ENETUNREACH},
    {AF_INET, 3, 12, TCPDIAG_ICMP_UNREACHABLE, EHOSTUNREACH},
    {AF_INET, 3, 13, TCPDIAG_ICMP_PROHIBITED, EHOSTUNREACH},
    {AF_INET, 3, 15, TCPDIAG_ICMP_UNREACHABLE, EHOSTUNREACH},
    {AF_INET, 3, 16, TCPDIAG_ICMP_UNREACHABLE, 0}, // the kernel drops it
    {AF_INET, 11, 0, TCPDIAG_ICMP_TTL, EHOSTUNREACH},
    {AF_INET, 12, 0, TCPDIAG_ICMP_OTHER, EPROTO},
    {AF_INET, 4, 0, TCPDIAG_ICMP_OTHER, 0},
    {AF_INET, 1, 4, TCPDIAG_ICMP_OTHER, 0},
    {AF_INET6, 1, 0, TCPDIAG_ICMP_UNREACHABLE, ENETUNREACH},
    {AF_INET6, 1, 1, TCPDIAG_ICMP_PROHIBITED, EACCES},
    {AF_INET6, 1, 2, TCPDIAG_ICMP_UNREACHABLE, EHOSTUNREACH},
    {AF_INET6, 1, 3, TCPDIAG_ICMP_UNREACHABLE, EHOSTUNREACH},
    {AF_INET6, 1, 4, TCPDIAG_ICMP_PORT, ECONNREFUSED},
    {AF_INET6, 1, 5, TCPDIAG_ICMP_PROHIBITED, EACCES},
    {AF_INET6, 1, 6, TCPDIAG_ICMP_PROHIBITED, EACCES},
    {AF_INET6, 1, 7, TCPDIAG_ICMP_UNREACHABLE, EPROTO},
    {AF_INET6, 2, 0, TCPDIAG_ICMP_OTHER, 0},
    {AF_INET6, 3, 0, TCPDIAG_ICMP_TTL, EHOSTUNREACH},
    {AF_INET6, 4, 1, TCPDIAG_ICMP_OTHER, EPROTO},
    {AF_INET6, 11, 0, TCPDIAG_ICMP_OTHER, 0},
};

TEST(Icmp, KindAndErrnoOfBothFamilies)
{
    for (const Row &row : kRows) {
        EXPECT_EQ(tcpdiag_icmp_kind(row.family, row.type, row.code), row.kind)
            << row.family << " " << row.type << " " << row.code;
        EXPECT_EQ(tcpdiag_icmp_errno(row.family, row.type, row.code), row.error)
            << row.family << " " << row.type << " " << row.code;
    }
}

} // namespace
