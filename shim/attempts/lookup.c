/* SPDX-License-Identifier: MIT */
#include "shim/attempts/lookup.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "shim/attempts/answers.h"
#include "shim/attempts/attempt.h"
#include "shim/diagnosis/endpoint.h"
#include "shim/log/log.h"
#include "shim/process/readable.h"
#include "shim/process/real.h"
#include "shim/process/settings.h"
#include "shim/process/sys.h"

/* The longest line that the log has: of a longer text the rest would be cut off there. */
enum { LONGEST = 4096 };

/* A name or service that the program has given. libc may refuse a call before it has looked at
   them, so that they need not end, or be anywhere: then there is none. Changes errno. */
static struct tcpdiag_text text_at(const char *string)
{
    const uintptr_t page = 4096;
    size_t length = 0;
    if (!string)
        return (struct tcpdiag_text){NULL, 0};
    do {
        if ((length == 0 || ((uintptr_t)string + length) % page == 0) &&
            !tcpdiag_readable(string + length, 1))
            return (struct tcpdiag_text){NULL, 0};
    } while (string[length] != '\0' && ++length < LONGEST);
    return (struct tcpdiag_text){string, length};
}

/* A copy where there is room for it: the call may write its answer to where the text lies, as in
   gethostbyname(host->h_name). */
static const char *keep(const char *string, char *copy, size_t size)
{
    struct tcpdiag_text text = text_at(string);
    if (!text.bytes || text.length >= size)
        return string;
    memcpy(copy, text.bytes, text.length);
    copy[text.length] = '\0';
    return copy;
}

/* Nobody is asked for it: the address is in the text (or there is none: a local one). */
static bool is_numeric(const struct tcpdiag_text *name)
{
    bool digits = true;
    for (size_t i = 0; name->bytes && i < name->length; i++) {
        if (name->bytes[i] == ':')
            return true;
        digits =
            digits && ((name->bytes[i] >= '0' && name->bytes[i] <= '9') || name->bytes[i] == '.');
    }
    return digits;
}

static void fill_lookup(const struct tcpdiag_lookup *lookup, struct tcpdiag_record *record)
{
    record->event = TCPDIAG_RESOLVE;
    record->attempt = lookup->number;
    record->name = text_at(lookup->name);
    record->service = text_at(lookup->service);
}

void tcpdiag_lookup_begin(struct tcpdiag_lookup *lookup, const char *name, const char *service)
{
    tcpdiag_lookup_begin_as(lookup, tcpdiag_numbers(1), name, service);
}

void tcpdiag_lookup_begin_as(struct tcpdiag_lookup *lookup, uint64_t number, const char *name,
                             const char *service)
{
    int saved = errno;
    struct tcpdiag_record record = {.phase = TCPDIAG_BEGIN};
    TCPDIAG_STARTED();
    lookup->name = keep(name, lookup->name_copy, sizeof lookup->name_copy);
    lookup->service = keep(service, lookup->service_copy, sizeof lookup->service_copy);
    lookup->number = number;
    fill_lookup(lookup, &record);
    lookup->missed = name && !record.name.bytes;
    if (!is_numeric(&record.name) && tcpdiag_settings.events == TCPDIAG_EVENTS_ALL)
        tcpdiag_log_record(&record);
    lookup->begin_ns = sys_nanoseconds(CLOCK_MONOTONIC);
    errno = saved;
}

static void keep_answer(struct tcpdiag_record *record, const struct tcpdiag_endpoint *answer,
                        const struct tcpdiag_text *name)
{
    if (answer->family == 0)
        return;
    for (unsigned i = 0; i < record->answer_count; i++)
        if (tcpdiag_same_address(&record->answers[i], answer))
            return; /* getaddrinfo repeats an address for each socket type */
    if (record->answer_count < TCPDIAG_ANSWERS_MAX)
        record->answers[record->answer_count++] = *answer;
    if (name->bytes)
        tcpdiag_answers_store(answer, name->bytes, name->length);
}

/* The name could not be read, and so no begin was written. Where libc did look for it, the kernel
   has not told us the truth: a seccomp filter, perhaps. */
static void count_missed(const struct tcpdiag_lookup *lookup, int gai)
{
    if (lookup->missed && gai != EAI_BADFLAGS && gai != EAI_FAMILY)
        tcpdiag_log_lose(1, "the kernel does not say what a record needs; records are lost");
}

static void end_lookup(const struct tcpdiag_lookup *lookup, struct tcpdiag_record *record)
{
    record->phase = TCPDIAG_END;
    record->duration_ns = sys_elapsed(lookup->begin_ns, sys_nanoseconds(CLOCK_MONOTONIC));
    if (tcpdiag_wanted(record->verdict.outcome))
        tcpdiag_log_record(record);
}

void tcpdiag_lookup_end(const struct tcpdiag_lookup *lookup, int gai, int error,
                        const struct addrinfo *answers)
{
    struct tcpdiag_record record = {.gai = gai, .error = gai == EAI_SYSTEM ? error : 0};
    int saved = errno;
    fill_lookup(lookup, &record);
    count_missed(lookup, gai);
    record.verdict = tcpdiag_classify_gai(gai);
    for (; gai == 0 && answers; answers = answers->ai_next) {
        struct tcpdiag_endpoint answer;
        tcpdiag_endpoint_from(&answer, answers->ai_addr, answers->ai_addrlen);
        answer.port = 0;
        keep_answer(&record, &answer, &record.name);
    }
    end_lookup(lookup, &record);
    errno = saved;
}

void tcpdiag_lookup_end_host(const struct tcpdiag_lookup *lookup, int h_error,
                             const struct hostent *answers)
{
    struct tcpdiag_record record = {.h_error = h_error};
    int saved = errno;
    fill_lookup(lookup, &record);
    count_missed(lookup, 0);
    record.verdict = tcpdiag_classify_h_errno(h_error);
    for (char **at = answers ? answers->h_addr_list : NULL; at && *at; at++) {
        struct tcpdiag_endpoint answer;
        tcpdiag_endpoint_from_bytes(&answer, answers->h_addrtype, *at);
        keep_answer(&record, &answer, &record.name);
    }
    end_lookup(lookup, &record);
    errno = saved;
}
