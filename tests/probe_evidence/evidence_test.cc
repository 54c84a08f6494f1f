/* SPDX-License-Identifier: MIT */
// Runs in the network that tests/probe_evidence/net makes: what the error queue of a socket tells.
#include "shim/evidence/evidence.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/probe_evidence/net.h"

namespace
{

// A socket whose connect to the peer was rejected by ICMP, with the error still in its queue.
int Rejected(const tcpdiag_endpoint &peer)
{
    const int on = 1;
    const bool v6 = peer.family == AF_INET6;
    sockaddr_storage address;
    const socklen_t length = tcpdiag_endpoint_to(&peer, &address);
    const int fd = socket(peer.family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, v6 ? static_cast<int>(IPPROTO_IPV6) : static_cast<int>(IPPROTO_IP),
               v6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on);
    connect(fd, reinterpret_cast<sockaddr *>(&address), length);
    pollfd one = {fd, POLLOUT, 0};
    EXPECT_EQ(poll(&one, 1, 5000), 1);
    EXPECT_NE(one.revents & POLLERR, 0);
    return fd;
}

tcpdiag_evidence Queue(int fd, const tcpdiag_endpoint &peer)
{
    tcpdiag_evidence evidence = {};
    tcpdiag_evidence_queue(fd, &peer, &evidence);
    close(fd);
    return evidence;
}

TEST(Evidence, AnErrorCountsForTheAddressAndPortThatItIsAbout)
{
    for (const char *host : {"10.0.3.2", "fd00:3::2"}) {
        const tcpdiag_endpoint peer = At(host, 81);
        EXPECT_TRUE(Queue(Rejected(peer), peer).icmp) << host;
        EXPECT_FALSE(Queue(Rejected(peer), At(host, 80)).icmp) << host << ": another port";
        const tcpdiag_endpoint other = At(peer.family == AF_INET ? "10.0.3.9" : "fd00:3::9", 81);
        EXPECT_FALSE(Queue(Rejected(peer), other).icmp) << host << ": another address";
    }
}

} // namespace
