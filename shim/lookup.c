/* SPDX-License-Identifier: MIT */
/* The life of a lookup: its begin, its end, and the answers that later connects are named after. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "shim/answers.h"
#include "shim/config.h"
#include "shim/evidence/endpoint.h"
#include "shim/real.h"
#include "shim/sink.h"
#include "shim/sys.h"
#include "shim/track.h"

static void fill_lookup(const struct tcpdiag_lookup *lookup, struct tcpdiag_record *record)
{
    record->event = TCPDIAG_RESOLVE;
    record->attempt = lookup->number;
    if (lookup->name)
        record->name = (struct tcpdiag_text){lookup->name, strlen(lookup->name)};
    if (lookup->service)
        record->service = (struct tcpdiag_text){lookup->service, strlen(lookup->service)};
}

void tcpdiag_lookup_begin(struct tcpdiag_lookup *lookup, const char *name, const char *service,
                          bool numeric)
{
    tcpdiag_lookup_begin_as(lookup, tcpdiag_numbers(1), name, service, numeric);
}

void tcpdiag_lookup_begin_as(struct tcpdiag_lookup *lookup, uint64_t number, const char *name,
                             const char *service, bool numeric)
{
    int saved = errno;
    TCPDIAG_STARTED();
    *lookup = (struct tcpdiag_lookup){.name = name, .service = service, .number = number};
    if (!numeric && tcpdiag_config.events == TCPDIAG_EVENTS_ALL) {
        struct tcpdiag_record record = {.phase = TCPDIAG_BEGIN};
        fill_lookup(lookup, &record);
        tcpdiag_sink_record(&record);
    }
    lookup->begin_ns = sys_nanoseconds(CLOCK_MONOTONIC);
    errno = saved;
}

static void keep_answer(struct tcpdiag_record *record, const struct tcpdiag_endpoint *answer,
                        const struct tcpdiag_text *name)
{
    for (unsigned i = 0; i < record->answer_count; i++)
        if (tcpdiag_same_address(&record->answers[i], answer))
            return; /* getaddrinfo repeats an address for each socket type */
    if (record->answer_count < TCPDIAG_ANSWERS_MAX)
        record->answers[record->answer_count++] = *answer;
    if (name->bytes)
        tcpdiag_answers_store(answer, name->bytes, name->length);
}

static void end_lookup(const struct tcpdiag_lookup *lookup, struct tcpdiag_record *record)
{
    record->phase = TCPDIAG_END;
    record->duration_ns = sys_elapsed(lookup->begin_ns, sys_nanoseconds(CLOCK_MONOTONIC));
    if (tcpdiag_wanted(record->verdict.outcome))
        tcpdiag_sink_record(record);
}

void tcpdiag_lookup_end(const struct tcpdiag_lookup *lookup, int gai, int error,
                        const struct addrinfo *answers)
{
    struct tcpdiag_record record = {.gai = gai, .error = gai == EAI_SYSTEM ? error : 0};
    int saved = errno;
    fill_lookup(lookup, &record);
    record.verdict = tcpdiag_classify_gai(gai);
    for (; gai == 0 && answers; answers = answers->ai_next) {
        struct tcpdiag_endpoint answer;
        tcpdiag_endpoint_from(&answer, answers->ai_addr, answers->ai_addrlen);
        answer.port = 0;
        if (answer.family != 0)
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
    record.verdict = tcpdiag_classify_h_errno(h_error);
    for (char **at = answers ? answers->h_addr_list : NULL; at && *at; at++) {
        struct tcpdiag_endpoint answer = {.family = (uint16_t)answers->h_addrtype};
        memcpy(answer.address, *at, answer.family == AF_INET ? 4 : 16);
        keep_answer(&record, &answer, &record.name);
    }
    end_lookup(lookup, &record);
    errno = saved;
}
