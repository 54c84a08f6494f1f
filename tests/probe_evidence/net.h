/* SPDX-License-Identifier: MIT */
// The network of tests/probe_evidence/net, for the tests that run in it.
#ifndef TCPDIAG_TESTS_PROBE_EVIDENCE_NET_H
#define TCPDIAG_TESTS_PROBE_EVIDENCE_NET_H

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "shim/diagnosis/record.h"

inline tcpdiag_endpoint At(const char *address, uint16_t port)
{
    tcpdiag_endpoint endpoint = {};
    endpoint.family = strchr(address, ':') ? AF_INET6 : AF_INET;
    endpoint.port = port;
    EXPECT_EQ(inet_pton(endpoint.family, address, endpoint.address), 1) << address;
    return endpoint;
}

inline std::string Text(const tcpdiag_endpoint &endpoint)
{
    char text[TCPDIAG_ADDRESS_MAX];
    tcpdiag_address_text(&endpoint, text);
    return text;
}

inline void ExpectFits80Columns(const std::string &text)
{
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        EXPECT_LE(line.size(), 80u) << line;
    EXPECT_TRUE(text.empty() || text.back() == '\n') << text;
}

#endif
