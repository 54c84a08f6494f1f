/* SPDX-License-Identifier: MIT */
/* getaddrinfo and its older kin. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "shim/attempts/attempt.h"
#include "shim/attempts/lookup.h"
#include "shim/process/readable.h"
#include "shim/process/real.h"

/* Whether a lookup has left an errno of its own can be seen only where nobody else's stood before.
   0 will not do: glibc's gethostbyname leaves that. */
enum { NOBODYS = INT_MAX };

static int begin_errno(void)
{
    int saved = errno;
    errno = NOBODYS;
    return saved;
}

static int end_errno(int saved)
{
    int error = errno;
    if (error != NOBODYS)
        return error;
    errno = saved;
    return 0;
}

TCPDIAG_EXPORT int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                               struct addrinfo **answers)
{
    struct tcpdiag_lookup lookup;
    tcpdiag_lookup_begin(&lookup, name, service, hints);
    int saved = begin_errno();
    int result = REAL(getaddrinfo)(name, service, hints, answers);
    int error = end_errno(saved);
    tcpdiag_lookup_end(&lookup, result, error, result == 0 ? *answers : NULL);
    return result;
}

TCPDIAG_EXPORT struct hostent *gethostbyname(const char *name)
{
    struct tcpdiag_lookup lookup;
    tcpdiag_lookup_begin_host(&lookup, name, AF_INET);
    int saved = begin_errno();
    struct hostent *answers = REAL(gethostbyname)(name);
    tcpdiag_lookup_end_host(&lookup, answers ? 0 : h_errno, end_errno(saved), answers);
    return answers;
}

TCPDIAG_EXPORT struct hostent *gethostbyname2(const char *name, int family)
{
    struct tcpdiag_lookup lookup;
    tcpdiag_lookup_begin_host(&lookup, name, family);
    int saved = begin_errno();
    struct hostent *answers = REAL(gethostbyname2)(name, family);
    tcpdiag_lookup_end_host(&lookup, answers ? 0 : h_errno, end_errno(saved), answers);
    return answers;
}

/* libc writes h_errno where it has no answer, and need not have a place for it where it has one.
   ERANGE: there was no room for the answer, or glibc has not even asked; the program is to ask
   again with more. */
static void end_reentrant(struct tcpdiag_lookup *lookup, int result, int error, const int *h_error,
                          const struct hostent *answers)
{
    int saved = errno;
    int code = 0;
    if (result == ERANGE) {
        tcpdiag_lookup_again(lookup);
        return;
    }
    if (!answers) {
        if (h_error && tcpdiag_readable(h_error, sizeof *h_error))
            memcpy(&code, h_error, sizeof code);
        if (code == 0)
            code = -1; /* NETDB_INTERNAL */
    }
    tcpdiag_lookup_end_host(lookup, code, error, answers);
    errno = saved;
}

TCPDIAG_EXPORT int gethostbyname_r(const char *name, struct hostent *host, char *buffer,
                                   size_t size, struct hostent **answers, int *h_error)
{
    struct tcpdiag_lookup lookup;
    tcpdiag_lookup_begin_host(&lookup, name, AF_INET);
    int saved = begin_errno();
    int result = REAL(gethostbyname_r)(name, host, buffer, size, answers, h_error);
    end_reentrant(&lookup, result, end_errno(saved), h_error, result == 0 ? *answers : NULL);
    return result;
}

TCPDIAG_EXPORT int gethostbyname2_r(const char *name, int family, struct hostent *host,
                                    char *buffer, size_t size, struct hostent **answers,
                                    int *h_error)
{
    struct tcpdiag_lookup lookup;
    tcpdiag_lookup_begin_host(&lookup, name, family);
    int saved = begin_errno();
    int result = REAL(gethostbyname2_r)(name, family, host, buffer, size, answers, h_error);
    end_reentrant(&lookup, result, end_errno(saved), h_error, result == 0 ? *answers : NULL);
    return result;
}

/* glibc looks these up in threads inside libc, past getaddrinfo's hook. With GAI_WAIT the answers
   are there when the call returns; with GAI_NOWAIT nothing tells us when (docs/limits.md). */
TCPDIAG_EXPORT int getaddrinfo_a(int mode, struct gaicb *list[], int count, struct sigevent *event)
{
    if (ABSENT(getaddrinfo_a))
        tcpdiag_real_in_libanl(); /* before glibc 2.34 */
    if (ABSENT(getaddrinfo_a)) {
        errno = ENOSYS;
        return EAI_SYSTEM;
    }
    tcpdiag_threads_begin(); /* libc's own */
    if (mode != GAI_WAIT || count < 0)
        return REAL(getaddrinfo_a)(mode, list, count, event);
    uint64_t numbers = tcpdiag_numbers((unsigned)count); /* so that ends match begins */
    struct tcpdiag_lookup lookup = {.name = NULL};
    bool missed = false;
    for (int i = 0; i < count; i++)
        if (list[i]) {
            tcpdiag_lookup_begin_as(&lookup, numbers + (unsigned)i, list[i]->ar_name,
                                    list[i]->ar_service, list[i]->ar_request);
            tcpdiag_waiting_leave(lookup.place, lookup.number); /* one thread is in many */
            missed = missed || lookup.missed;
        }
    int result = REAL(getaddrinfo_a)(mode, list, count, event);
    for (int i = 0; i < count; i++)
        if (list[i]) {
            const int64_t begin_ns = lookup.begin_ns;
            tcpdiag_lookup_describe(&lookup, numbers + (unsigned)i, list[i]->ar_name,
                                    list[i]->ar_service, list[i]->ar_request);
            lookup.begin_ns = begin_ns;
            lookup.missed = missed;
            missed = false; /* counted once */
            int gai = result == 0 ? list[i]->__return : result;
            tcpdiag_lookup_end(&lookup, gai, errno, gai == 0 ? list[i]->ar_result : NULL);
        }
    return result;
}
