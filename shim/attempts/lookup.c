/* SPDX-License-Identifier: MIT */
#include "shim/attempts/lookup.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "shim/attempts/answers.h"
#include "shim/attempts/attempt.h"
#include "shim/attempts/unfinished.h"
#include "shim/diagnosis/classify_lookup.h"
#include "shim/diagnosis/endpoint.h"
#include "shim/log/log.h"
#include "shim/process/identity.h"
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

static bool has_byte(const struct tcpdiag_text *text, char byte)
{
    for (size_t i = 0; text->bytes && i < text->length; i++)
        if (text->bytes[i] == byte)
            return true;
    return false;
}

/* A part of an address as inet_aton(3) reads it: decimal, 0 octal, 0x hexadecimal. Returns its
   length, 0: it is none. */
static size_t number_at(const char *at, size_t length, uint64_t *value)
{
    size_t i = 0;
    unsigned base = 10;
    *value = 0;
    if (length > 1 && at[0] == '0') {
        base = at[1] == 'x' || at[1] == 'X' ? 16 : 8;
        i = base == 16 ? 2 : 0;
    }
    const size_t from = i;
    for (; i < length; i++) {
        unsigned digit = at[i] >= '0' && at[i] <= '9'   ? (unsigned)(at[i] - '0')
                         : at[i] >= 'a' && at[i] <= 'f' ? (unsigned)(at[i] - 'a' + 10)
                         : at[i] >= 'A' && at[i] <= 'F' ? (unsigned)(at[i] - 'A' + 10)
                                                        : 99;
        if (digit >= base || *value > UINT32_MAX)
            break;
        *value = *value * base + digit;
    }
    return i > from ? i : 0;
}

/* a, a.b, a.b.c or a.b.c.d, of which the last fills the bytes that are left. */
static bool is_ipv4(const struct tcpdiag_text *name)
{
    uint64_t value = 0;
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        size_t length = number_at(name->bytes + at, name->length - at, &value);
        if (length == 0)
            return false;
        at += length;
        if (at == name->length)
            return value >> (8 * (4 - part)) == 0;
        if (name->bytes[at++] != '.' || value > 255)
            return false;
    }
    return false;
}

/* Hexadecimal digits, dots and two colons at the least, and a scope behind a percent sign. */
static bool is_ipv6(const struct tcpdiag_text *name)
{
    unsigned colons = 0;
    for (size_t i = 0; i < name->length && name->bytes[i] != '%'; i++) {
        const char byte = name->bytes[i];
        colons += byte == ':';
        if (byte != ':' && byte != '.' && !(byte >= '0' && byte <= '9') &&
            !(byte >= 'a' && byte <= 'f') && !(byte >= 'A' && byte <= 'F'))
            return false;
    }
    return colons >= 2;
}

/* Nobody is asked for it: the address is in the text, or there is none (a local one). */
static bool is_numeric(const struct tcpdiag_text *name)
{
    return !name->bytes || name->length == 0 || is_ipv4(name) || is_ipv6(name);
}

static void fill_lookup(const struct tcpdiag_lookup *lookup, struct tcpdiag_record *record)
{
    record->event = TCPDIAG_RESOLVE;
    record->attempt = lookup->number;
    record->name = text_at(lookup->name);
    record->service = text_at(lookup->service);
}

void tcpdiag_lookup_unfinished(const struct tcpdiag_waiting *call, bool lost)
{
    struct tcpdiag_record record = {.event = TCPDIAG_RESOLVE, .phase = TCPDIAG_END};
    const bool known = !lost && !call->again;
    record.attempt = call->number;
    if (call->name_length > 0)
        record.name = (struct tcpdiag_text){call->name, call->name_length};
    if (call->service_length > 0)
        record.service = (struct tcpdiag_text){call->service, call->service_length};
    record.ending = TCPDIAG_ENDED_PROCESS;
    record.duration_ns = known ? sys_elapsed(call->begin_ns, sys_nanoseconds(CLOCK_MONOTONIC)) : 0;
    record.verdict = tcpdiag_classify_lookup_unfinished(record.duration_ns);
    if (tcpdiag_wanted(record.verdict.outcome))
        tcpdiag_log_record(&record);
}

static bool same_name(const struct tcpdiag_waiting *call, const struct tcpdiag_text *name)
{
    return call->lookup && call->name_length == name->length &&
           memcmp(call->name, name->bytes, name->length) == 0;
}

/* Ends what this thread has never returned from. True where the lookup goes on that had no room for
   its answer. */
__attribute__((noinline)) static bool resume(struct tcpdiag_lookup *lookup,
                                             const struct tcpdiag_text *name)
{
    struct tcpdiag_waiting call;
    bool resumed = false;
    while (tcpdiag_waiting_take_lost((uintptr_t)lookup, &call))
        if (call.again && !resumed && same_name(&call, name)) {
            lookup->number = call.number;
            lookup->begin_ns = call.begin_ns;
            resumed = true;
        } else {
            tcpdiag_unfinished(&call, true);
        }
    return resumed;
}

__attribute__((noinline)) static void enter(struct tcpdiag_lookup *lookup, bool again)
{
    struct tcpdiag_waiting call = {.number = lookup->number, .begin_ns = lookup->begin_ns};
    const struct tcpdiag_text name = text_at(lookup->name);
    const struct tcpdiag_text service = text_at(lookup->service);
    tcpdiag_pid_and_tid(&call.tid);
    call.lookup = true;
    call.again = again;
    if (name.length <= sizeof call.name) {
        call.name_length = (uint16_t)name.length;
        memcpy(call.name, name.bytes, name.length);
    }
    if (service.bytes && service.length <= sizeof call.service) {
        call.service_length = (uint16_t)service.length;
        memcpy(call.service, service.bytes, service.length);
    }
    lookup->place = tcpdiag_waiting_enter(&call, (uintptr_t)lookup);
}

void tcpdiag_lookup_begin(struct tcpdiag_lookup *lookup, const char *name, const char *service,
                          const struct addrinfo *hints)
{
    tcpdiag_lookup_begin_as(lookup, tcpdiag_numbers(1), name, service, hints);
}

static void tell_family(struct tcpdiag_lookup *lookup, const struct tcpdiag_text *name, int asked)
{
    int given = !lookup->numeric || name->length == 0 ? AF_UNSPEC
                : has_byte(name, ':')                 ? AF_INET6
                                                      : AF_INET;
    lookup->wrong_family = given != AF_UNSPEC && asked != AF_UNSPEC && asked != given;
}

void tcpdiag_lookup_begin_host(struct tcpdiag_lookup *lookup, const char *name, int family)
{
    int saved = errno;
    const struct tcpdiag_text text = text_at(name);
    tcpdiag_lookup_begin(lookup, name, NULL, NULL);
    tell_family(lookup, &text, family);
    errno = saved;
}

void tcpdiag_lookup_describe(struct tcpdiag_lookup *lookup, uint64_t number, const char *name,
                             const char *service, const struct addrinfo *hints)
{
    int saved = errno;
    uint64_t port;
    struct tcpdiag_record record;
    lookup->name = keep(name, lookup->name_copy, sizeof lookup->name_copy);
    lookup->service = keep(service, lookup->service_copy, sizeof lookup->service_copy);
    lookup->number = number;
    lookup->begin_ns = 0;
    lookup->place = -1;
    fill_lookup(lookup, &record);
    lookup->missed = name && !record.name.bytes;
    lookup->numeric = is_numeric(&record.name);
    int flags = hints && tcpdiag_readable(hints, sizeof *hints) ? hints->ai_flags : 0;
    lookup->only_looks = flags & AI_NUMERICHOST;
    tell_family(lookup, &record.name,
                hints && tcpdiag_readable(hints, sizeof *hints) ? hints->ai_family : AF_UNSPEC);
    lookup->service_is_wrong =
        flags & AI_NUMERICSERV && record.service.bytes && record.service.length > 0 &&
        number_at(record.service.bytes, record.service.length, &port) != record.service.length;
    errno = saved;
}

void tcpdiag_lookup_begin_as(struct tcpdiag_lookup *lookup, uint64_t number, const char *name,
                             const char *service, const struct addrinfo *hints)
{
    int saved = errno;
    struct tcpdiag_record record = {.phase = TCPDIAG_BEGIN};
    TCPDIAG_STARTED();
    tcpdiag_lookup_describe(lookup, number, name, service, hints);
    fill_lookup(lookup, &record);
    if (!lookup->numeric && !lookup->only_looks) {
        bool resumed = tcpdiag_waiting_any() && resume(lookup, &record.name);
        record.attempt = lookup->number;
        if (!resumed && tcpdiag_settings.events == TCPDIAG_EVENTS_ALL)
            tcpdiag_log_record(&record);
        if (!resumed)
            lookup->begin_ns = sys_nanoseconds(CLOCK_MONOTONIC);
        enter(lookup, false);
    } else {
        lookup->begin_ns = sys_nanoseconds(CLOCK_MONOTONIC);
    }
    errno = saved;
}

void tcpdiag_lookup_again(struct tcpdiag_lookup *lookup)
{
    int saved = errno;
    if (tcpdiag_waiting_leave(lookup->place, lookup->number) && !lookup->numeric)
        enter(lookup, true);
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

/* Whether its end is to be written: nobody else has, and somebody was asked or something is wrong.
 */
static bool ends(const struct tcpdiag_lookup *lookup, bool failed)
{
    return tcpdiag_waiting_leave(lookup->place, lookup->number) && !lookup->only_looks &&
           (failed || !lookup->numeric);
}

static void end_lookup(const struct tcpdiag_lookup *lookup, int error,
                       struct tcpdiag_record *record)
{
    struct tcpdiag_question question = {.numeric = lookup->numeric,
                                        .wrong_family = lookup->wrong_family,
                                        .service_is_wrong = lookup->service_is_wrong};
    record->phase = TCPDIAG_END;
    record->duration_ns = sys_elapsed(lookup->begin_ns, sys_nanoseconds(CLOCK_MONOTONIC));
    question.scoped = has_byte(&record->name, '%');
    question.error = error;
    question.duration_ns = record->duration_ns;
    record->verdict = tcpdiag_classify_lookup(&question, record->gai, record->h_error);
    if (record->verdict.outcome == TCPDIAG_OUTCOME_NONE)
        return;
    if (record->verdict.outcome == TCPDIAG_ERROR && (error == EMFILE || error == ENFILE))
        record->error = error;
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
    for (; gai == 0 && !lookup->numeric && answers; answers = answers->ai_next) {
        struct tcpdiag_endpoint answer;
        tcpdiag_endpoint_from(&answer, answers->ai_addr, answers->ai_addrlen);
        answer.port = 0;
        keep_answer(&record, &answer, &record.name);
    }
    if (ends(lookup, gai != 0))
        end_lookup(lookup, error, &record);
    errno = saved;
}

void tcpdiag_lookup_end_host(const struct tcpdiag_lookup *lookup, int h_error, int error,
                             const struct hostent *answers)
{
    struct tcpdiag_record record = {.h_error = h_error};
    int saved = errno;
    fill_lookup(lookup, &record);
    count_missed(lookup, 0);
    for (char **at = answers && !lookup->numeric ? answers->h_addr_list : NULL; at && *at; at++) {
        struct tcpdiag_endpoint answer;
        tcpdiag_endpoint_from_bytes(&answer, answers->h_addrtype, *at);
        keep_answer(&record, &answer, &record.name);
    }
    if (ends(lookup, h_error != 0))
        end_lookup(lookup, error, &record);
    errno = saved;
}
