/* SPDX-License-Identifier: MIT */
#include "shim/diagnosis/classify_lookup.h"

#include <errno.h>

#include "shim/diagnosis/duration.h"

#define VERDICT(outcome_, cause_)                                                                  \
    (struct tcpdiag_verdict)                                                                       \
    {                                                                                              \
        TCPDIAG_##outcome_, TCPDIAG_CAUSE_##cause_                                                 \
    }

/* Codes of glibc and musl alike; see names.c. */
enum { NONAME = -2, FAMILY = -6, SERVICE = -8, ADDRFAMILY = -9 };

/* From here on a lookup is told as slow, or as one that the program did not want to wait for: what
   libc's resolver waits for an answer is a multiple of it (resolv.conf(5), timeout). */
#define SLOW TCPDIAG_SECOND

struct tcpdiag_verdict tcpdiag_classify_gai(int code)
{
    switch (code) { /* the numbers of glibc and musl alike; see names.c */
    case 0:
        return VERDICT(RESOLVED, NONE);
    case NONAME:
        return VERDICT(DNS, NAME_NOT_FOUND);
    case -5: /* EAI_NODATA */
    case ADDRFAMILY:
        return VERDICT(DNS, NO_ADDRESS);
    case -3: /* EAI_AGAIN */
        return VERDICT(DNS, SERVER_FAILED);
    case SERVICE:
        return VERDICT(DNS, BAD_SERVICE);
    case -4:  /* EAI_FAIL */
    case -10: /* EAI_MEMORY */
    case -11: /* EAI_SYSTEM */
        return VERDICT(DNS, RESOLVER_ERROR);
    case FAMILY: /* one that libc does not know */
        return VERDICT(ERROR, NONE);
    default: /* a wrong argument of the program's: flags, socket type */
        return VERDICT(DNS, NONE);
    }
}

struct tcpdiag_verdict tcpdiag_classify_h_errno(int h_error)
{
    switch (h_error) {
    case 0:
        return VERDICT(RESOLVED, NONE);
    case 1: /* HOST_NOT_FOUND */
        return VERDICT(DNS, NAME_NOT_FOUND);
    case 2: /* TRY_AGAIN */
        return VERDICT(DNS, SERVER_FAILED);
    case 4: /* NO_DATA */
        return VERDICT(DNS, NO_ADDRESS);
    default:
        return VERDICT(DNS, RESOLVER_ERROR);
    }
}

/* An address was given, and nobody was asked for a name. */
static struct tcpdiag_verdict of_an_address(const struct tcpdiag_question *question, int gai)
{
    if (gai == SERVICE)
        return VERDICT(DNS, BAD_SERVICE);
    if (question->wrong_family)
        return VERDICT(ERROR, WRONG_FAMILY);
    return question->scoped ? VERDICT(ERROR, NO_INTERFACE) : VERDICT(OUTCOME_NONE, NONE);
}

struct tcpdiag_verdict tcpdiag_classify_lookup(const struct tcpdiag_question *question, int gai,
                                               int h_error)
{
    if (gai == 0 && h_error == 0)
        return question->duration_ns >= SLOW ? VERDICT(RESOLVED, SLOW_LOOKUP)
                                             : VERDICT(RESOLVED, NONE);
    /* Without a descriptor neither /etc/hosts nor a server could be asked. */
    if (question->error == EMFILE || question->error == ENFILE)
        return VERDICT(ERROR, NONE);
    if (question->numeric)
        return of_an_address(question, gai);
    if (gai == NONAME && question->service_is_wrong)
        return VERDICT(DNS, BAD_SERVICE);
    return gai != 0 ? tcpdiag_classify_gai(gai) : tcpdiag_classify_h_errno(h_error);
}

struct tcpdiag_verdict tcpdiag_classify_lookup_unfinished(int64_t duration_ns)
{
    return duration_ns >= SLOW ? VERDICT(DNS, LOOKUP_GIVEN_UP) : VERDICT(ABANDONED, NONE);
}
