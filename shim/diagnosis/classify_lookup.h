/* SPDX-License-Identifier: MIT */
/* What the end of a name lookup means. Pure, thread-safe and async-signal-safe. */
#ifndef TCPDIAG_CLASSIFY_LOOKUP_H
#define TCPDIAG_CLASSIFY_LOOKUP_H

#include "shim/diagnosis/classify.h"

#ifdef __cplusplus
extern "C" {
#endif

/* getaddrinfo's return value. */
struct tcpdiag_verdict tcpdiag_classify_gai(int code);

/* h_errno after a gethostbyname of any form failed; 0 where it did not. */
struct tcpdiag_verdict tcpdiag_classify_h_errno(int h_error);

/* What is known of a lookup besides its answer. */
struct tcpdiag_question {
    bool numeric;          /* the name is an address, or there is none: nobody is asked for it */
    bool scoped;           /* an IPv6 address with a scope */
    bool wrong_family;     /* an address of another family than was asked for */
    bool service_is_wrong; /* AI_NUMERICSERV was given, and the service is no number */
    int error;             /* the errno that the lookup has left; 0: none */
    int64_t duration_ns;
};

/* gai: getaddrinfo's return value; h_error: of the others; both 0: there is an answer. The outcome
   is NONE where an address was given and nothing is known to be wrong with it: nobody was asked. */
struct tcpdiag_verdict tcpdiag_classify_lookup(const struct tcpdiag_question *question, int gai,
                                               int h_error);

/* The program has ended, or has left the lookup, before it was over. */
struct tcpdiag_verdict tcpdiag_classify_lookup_unfinished(int64_t duration_ns);

#ifdef __cplusplus
}
#endif
#endif
