/* SPDX-License-Identifier: MIT */
/*
 * The life of an attempt: begin, in flight, end. The hooks say what the program has just learnt;
 * this decides whether that ends the attempt, gathers the evidence and writes the record.
 *
 * Nothing here changes errno or what the program will see of its socket.
 */
#ifndef TCPDIAG_TRACK_H
#define TCPDIAG_TRACK_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

#include "shim/attempts/answers.h"
#include "shim/attempts/table.h"

/* One call of connect, or of sendto or sendmsg with MSG_FASTOPEN, to its return. */
struct tcpdiag_call {
    bool tcp;    /* false: no TCP connect, nothing to record */
    bool missed; /* it may have been one, but the kernel did not say: a seccomp filter, perhaps */
    int fd;
    int sent_before; /* segments of an earlier connect whose end connect itself has not told; else 0
                      */
    struct tcpdiag_attempt attempt;
};

/* Whether the program could read these bytes, from one to a page of them; they are not touched, and
   errno is changed. */
bool tcpdiag_readable(const void *at, size_t length);

/* connect with AF_UNSPEC dissolves what there is (connect(2)). */
bool tcpdiag_disconnects(const void *address, unsigned length);

/* Before the real call. address may be any pointer: it is read only where the kernel could. */
void tcpdiag_call_begin(struct tcpdiag_call *call, int fd, const void *address, unsigned length,
                        int flags);

/* The same after the real call has shown that it starts a new connect. */
void tcpdiag_call_begun(struct tcpdiag_call *call, int fd, const void *address, unsigned length);

/* After it: error is 0 or the errno that it returned. */
void tcpdiag_call_end(struct tcpdiag_call *call, int error);

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

/* The first of so many attempt numbers in a row. */
uint64_t tcpdiag_numbers(unsigned count);

/* Whether the user wants records of such an end. */
bool tcpdiag_wanted(enum tcpdiag_outcome outcome);

struct tcpdiag_lookup {
    const char *name;    /* may be NULL */
    const char *service; /* may be NULL */
    uint64_t number;
    int64_t begin_ns;
    bool missed; /* there is a name, and the kernel says that nobody can read it */
    char name_copy[TCPDIAG_NAME_MAX + 1];
    char service_copy[32];
};

/* A begin is written where somebody will be asked. name and service may be any pointers. */
void tcpdiag_lookup_begin(struct tcpdiag_lookup *lookup, const char *name, const char *service);
void tcpdiag_lookup_begin_as(struct tcpdiag_lookup *lookup, uint64_t number, const char *name,
                             const char *service);
void tcpdiag_lookup_end(const struct tcpdiag_lookup *lookup, int gai, int error,
                        const struct addrinfo *answers);
void tcpdiag_lookup_end_host(const struct tcpdiag_lookup *lookup, int h_error,
                             const struct hostent *answers);

#endif
