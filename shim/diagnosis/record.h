/* SPDX-License-Identifier: MIT */
/*
 * One record of the log and its JSON form, which docs/log-format.md specifies.
 * Pure: no system call, no allocation, no locale; thread-safe and async-signal-safe,
 * with less than a kilobyte of stack.
 */
#ifndef TCPDIAG_RECORD_H
#define TCPDIAG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/diagnosis/classify.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The longest line, its newline included: small enough for one atomic write to a pipe as well
   (PIPE_BUF, pipe(7)). */
#define TCPDIAG_RECORD_MAX 4096

enum tcpdiag_event { TCPDIAG_CONNECT, TCPDIAG_RESOLVE };
enum tcpdiag_phase { TCPDIAG_BEGIN, TCPDIAG_END };
enum tcpdiag_blocking { TCPDIAG_BLOCKING_UNKNOWN, TCPDIAG_BLOCKING, TCPDIAG_NONBLOCKING };

#define TCPDIAG_ANSWERS_MAX 8

/* Who writes: constant in a process. */
struct tcpdiag_identity {
    struct tcpdiag_text executable; /* base name */
    struct tcpdiag_text host;
    uint64_t start; /* sets this process image's attempt ids apart from those of another with the
                       same pid: nanoseconds of CLOCK_REALTIME when it was loaded */
};

struct tcpdiag_record {
    enum tcpdiag_event event;
    enum tcpdiag_phase phase;
    enum tcpdiag_blocking blocking;
    const struct tcpdiag_identity *who;
    int64_t wall_ns; /* CLOCK_REALTIME, at the record */
    uint64_t attempt;
    int32_t pid, tid;

    struct tcpdiag_text name;     /* the name that was asked for */
    struct tcpdiag_text service;  /* resolve: the service that was asked for */
    struct tcpdiag_endpoint peer; /* connect */

    /* Of an end record only. */
    struct tcpdiag_verdict verdict;
    enum tcpdiag_ending ending;
    int64_t duration_ns;
    int error;   /* errno, 0: none */
    int gai;     /* getaddrinfo's code, 0: none */
    int h_error; /* h_errno, 0: none */
    struct tcpdiag_evidence evidence;
    struct tcpdiag_endpoint answers[TCPDIAG_ANSWERS_MAX]; /* resolve */
    unsigned answer_count;

    uint64_t lost; /* records that this process could not write before this one */
};

/* Writes the record as one line of JSON, newline included, into buffer, which has room for
   TCPDIAG_RECORD_MAX bytes; returns its length. Bytes of names that are not valid UTF-8 become
   U+FFFD; a name too long for the line is cut and ends in U+2026. */
size_t tcpdiag_record_json(const struct tcpdiag_record *record, char *buffer);

#ifdef __cplusplus
}
#endif
#endif
