/* SPDX-License-Identifier: MIT */
// Ports of 127.0.0.1 that accept, refuse, and keep silent.
#ifndef TCPDIAG_TESTS_PROBE_LOOPBACK_H
#define TCPDIAG_TESTS_PROBE_LOOPBACK_H

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "shim/diagnosis/classify.h"

class Port
{
  public:
    enum Kind { kOpen, kClosed, kSilent };

    // A closed port is bound and does not listen: nobody else can take it. A silent one has its
    // queue full: the kernel drops the next SYN.
    explicit Port(Kind kind)
    {
        sockaddr_in address = Loopback(0);
        socklen_t length = sizeof address;
        int fd = Keep(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr *>(&address), length), 0);
        EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr *>(&address), &length), 0);
        number_ = ntohs(address.sin_port);
        EXPECT_TRUE(kind == kClosed || listen(fd, kind == kSilent ? 0 : 64) == 0);
        for (int i = 0; kind == kSilent && i < 4; i++) {
            int filler = Keep(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            connect(filler, reinterpret_cast<sockaddr *>(&address), length);
        }
    }
    Port(const Port &) = delete;
    Port &operator=(const Port &) = delete;
    ~Port()
    {
        for (int fd : kept_)
            close(fd);
    }
    uint16_t number() const
    {
        return number_;
    }
    tcpdiag_endpoint endpoint() const
    {
        tcpdiag_endpoint endpoint = {};
        sockaddr_in address = Loopback(number_);
        endpoint.family = AF_INET;
        endpoint.port = number_;
        memcpy(endpoint.address, &address.sin_addr, sizeof address.sin_addr);
        return endpoint;
    }

  private:
    static sockaddr_in Loopback(uint16_t port)
    {
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }
    int Keep(int fd)
    {
        kept_.push_back(fd);
        return fd;
    }
    std::vector<int> kept_;
    uint16_t number_;
};

#endif
