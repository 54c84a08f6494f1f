/* SPDX-License-Identifier: MIT */
/*
 * The calls that a thread is inside: a connect that waits, a lookup. Each has its begin in the log,
 * and would have no end where the process ends first, or where the call never returns: a handler
 * has left by siglongjmp(3), or the thread was cancelled.
 *
 * A fixed table; lock-free, async-signal-safe. It belongs to the process that made it, as the table
 * of attempts does. Where it is full, a call is not in it.
 */
#ifndef TCPDIAG_WAITING_H
#define TCPDIAG_WAITING_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/attempts/answers.h"
#include "shim/attempts/table.h"

struct tcpdiag_waiting {
    uint64_t number; /* of the attempt */
    int64_t begin_ns;
    int tid;
    bool lookup; /* else a connect */
    bool again;  /* a lookup that has returned for want of room: the program is to ask once more */
    union {
        struct tcpdiag_attempt attempt;
        struct {
            uint16_t name_length; /* 0: not known, or longer than there is room */
            uint16_t service_length;
            char name[TCPDIAG_NAME_MAX];
            char service[32];
        };
    };
};

void tcpdiag_waiting_init(void);

/* Whether any call is in it; one load. */
bool tcpdiag_waiting_any(void);

/* The calling thread enters the call. depth: an address in the frame of the hook. Returns the
   call's place, for tcpdiag_waiting_leave; -1: it has none. */
int tcpdiag_waiting_enter(const struct tcpdiag_waiting *call, uintptr_t depth);

/* The call has returned. False where somebody else has taken it: its end is written. */
bool tcpdiag_waiting_leave(int place, uint64_t number);

/* Takes out a call that this thread has entered deeper in its stack than depth, or just as deep,
   and that has never returned; false where there is none. */
bool tcpdiag_waiting_take_lost(uintptr_t depth, struct tcpdiag_waiting *call);

/* Takes out any call of this process; false where there is none. */
bool tcpdiag_waiting_take(struct tcpdiag_waiting *call);

#endif
