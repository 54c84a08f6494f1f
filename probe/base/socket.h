/* SPDX-License-Identifier: MIT */
/* What connects and the questions after them do alike with a socket. */
#ifndef TCPDIAG_PROBE_SOCKET_H
#define TCPDIAG_PROBE_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>

#include "shim/diagnosis/endpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Has the error queue filled for IPv4 and IPv6 (IP_RECVERR, IPV6_RECVERR). */
void socket_queue_errors(int fd, int family);

/* A connect to a free port of this machine can meet its own source port: TCP's simultaneous open
   (RFC 9293, 3.5). Nobody listens there, or the kernel would not have chosen the port; most of the
   time a reset says so. */
bool socket_met_itself(int fd, const struct tcpdiag_endpoint *peer);

#ifdef __cplusplus
}
#endif
#endif
