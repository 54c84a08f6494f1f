/* SPDX-License-Identifier: MIT */
/*
 * A sequence of operations on sockets: a script of lines `OPERATION NUMBER CHOICE VARIANT`, which
 * can lose any of its lines and still be played.
 */
#ifndef TCPDIAG_TESTS_WALK_H
#define TCPDIAG_TESTS_WALK_H

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

/* The descriptors that the operations are about: LOWEST + a step's number. All that the program
   needs itself lies below, so that closefrom(3) may come. */
enum { LOWEST = 48, NUMBERS = 6 };

enum target { ACCEPTING, REFUSING, SILENT, TARGETS };
enum family { IPV4, IPV6, FAMILIES };

/* Kinds of operation, which a walk may be without. */
enum {
    PLAIN = 1,
    BLOCKING = 2,
    DUP = 4,
    FORK = 8,
    PASSING = 16,
    EXEC = 32,
    THREAD = 64,
    RANGES = 128,
    FASTOPEN = 256,
    FOREIGN = 512, /* addresses of the other family */
};

struct step;

struct operation {
    const char *name;
    unsigned kind;
    unsigned weight; /* how often a walk takes it, beside the others */
    unsigned choices, variants;
    void (*play)(const struct step *step); /* NULL: a block, which walk.c plays, or its end */
};

struct step {
    const struct operation *operation;
    unsigned number, choice, variant;
};

extern const struct operation operations[];
extern const size_t operation_count;

struct world {
    struct sockaddr_in6 address[TARGETS][FAMILIES]; /* of either family */
    int listener[FAMILIES];
    int epoll[2];
    int post[2]; /* where descriptors are sent and received */
};

extern struct world world;

/* Prints a step and what came of it. errno is the operation's; it was 0 before. */
void tell(const struct step *step, long result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
