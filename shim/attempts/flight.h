/* SPDX-License-Identifier: MIT */
/*
 * Attempts in flight: the hooks say what the program has just learnt of a descriptor, or is about
 * to do with it; this decides whether that ends the attempt.
 *
 * Nothing here changes errno or what the program will see of its socket. Async-signal-safe.
 */
#ifndef TCPDIAG_FLIGHT_H
#define TCPDIAG_FLIGHT_H

#include <stdbool.h>

#include "shim/attempts/table.h"

/* What a hook knows about a descriptor after a call, with something in flight:
   it was reported as ready, or used with success; or the call delivered the socket's error. */
bool tcpdiag_is_in_flight(int fd);
void tcpdiag_seen_ready(int fd);
void tcpdiag_seen_error(int fd, int error);
/* Something says that it failed, when its error had been taken already. */
void tcpdiag_seen_failure(int fd);

/* The program is about to give the descriptor up. */
void tcpdiag_giving_up(int fd);

/* The process ends. last: nothing of the program runs any more, but for other threads. */
void tcpdiag_giving_up_all(bool last);

/* A call that aborts the connect behind all its descriptors, before it and after its success. The
   socket keeps its error. */
struct tcpdiag_abort {
    bool found;
    struct tcpdiag_attempt attempt;
    struct tcpdiag_evidence evidence; /* as it was before */
};
void tcpdiag_abort_begin(struct tcpdiag_abort *abort, int fd);
bool tcpdiag_abort_was_pending(const struct tcpdiag_abort *abort);
void tcpdiag_abort_end(struct tcpdiag_abort *abort);

/* Before an exec, and after it has failed. */
void tcpdiag_image_ends(void);
void tcpdiag_image_stays(void);

/* Before somebody else gets the socket, or all of them. What it does with them is not seen; what
   the attempt's own end is has to be told from that. */
void tcpdiag_about_to_share(int fd);
void tcpdiag_about_to_share_all(void);

/* alias is a descriptor of the same socket now. */
void tcpdiag_also_known_as(int fd, int alias);

#endif
