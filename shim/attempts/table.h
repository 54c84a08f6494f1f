/* SPDX-License-Identifier: MIT */
/*
 * The connects in flight: those that the kernel goes on with after the call has returned.
 *
 * A fixed table; lock-free, async-signal-safe. Whoever takes an attempt out owns it alone, and so
 * exactly one end is written. It belongs to the process that made it: the child of a fork starts
 * with an empty table (MADV_WIPEONFORK), and a vfork child, which shares the table, is told by the
 * pid in the attempt.
 */
#ifndef TCPDIAG_TABLE_H
#define TCPDIAG_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/diagnosis/record.h"

struct tcpdiag_attempt {
    int fd;
    int alias; /* another descriptor of the same socket, by dup; -1: none */
    int main;  /* only the table's own: the descriptor that this one is the alias of; else -1 */
    int pid;
    int epoll_fd; /* the epoll that watches it, -1: unknown */
    uint64_t epoll_data;
    uint64_t number;
    uint64_t cookie; /* SO_COOKIE: tells this socket from a later one with the same number */
    int64_t begin_ns;
    int64_t limit_ns; /* when a blocking call ended by the program's limit (SO_SNDTIMEO), 0: none */
    int64_t failed_ns; /* when a wait showed the program that it failed, 0: not yet */
    struct tcpdiag_endpoint peer;
    int port;   /* the socket's own, where somebody else may hold it; else 0 */
    int family; /* of the address as the program gave it */
    enum tcpdiag_blocking blocking;
    bool untouched;   /* by any TCP segment when the attempt began */
    bool own_recverr; /* we set IPV6_RECVERR and have to take it back */
    bool ended;       /* its end is written, before an exec that may fail */
};

void tcpdiag_attempts_init(void);

/* Whether another attempt may be added. There is room for 4096. */
bool tcpdiag_attempts_have_room(void);

/* Without an alias. False where the table has no room for it: the attempt is not followed. */
bool tcpdiag_attempts_add(const struct tcpdiag_attempt *attempt);

/* alias is a descriptor of the same socket from now on. False where the attempt has another one
   already, or the table no room: the number is not followed. */
bool tcpdiag_attempts_add_alias(const struct tcpdiag_attempt *attempt, int alias);

/* A copy of the attempt on fd (or on its alias), which stays in the table. */
bool tcpdiag_attempts_look(int fd, struct tcpdiag_attempt *copy);

/* The attempt goes on under its own number alone. */
void tcpdiag_attempts_drop_alias(const struct tcpdiag_attempt *attempt);

/* Takes out the attempt with this one's descriptor and number, and fills in what the other threads
   have learnt of it. True for one caller only, and for none while it is marked as ended. */
bool tcpdiag_attempts_take(struct tcpdiag_attempt *attempt);

/* Stores one thing that was learnt; the others may have changed since the copy was taken. */
enum tcpdiag_field { TCPDIAG_EPOLL, TCPDIAG_FAILED, TCPDIAG_PORT };
void tcpdiag_attempts_update(const struct tcpdiag_attempt *attempt, enum tcpdiag_field field);

/* For an exec: marks the attempt as ended; or, when the exec has failed, gives it a new number. */
void tcpdiag_attempts_renumber(const struct tcpdiag_attempt *attempt, uint64_t number, bool ended);

/* The first attempt at or after *position, which moves on behind it; false at the end. */
bool tcpdiag_attempts_next(unsigned *position, struct tcpdiag_attempt *copy);

#endif
