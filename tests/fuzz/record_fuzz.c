/* SPDX-License-Identifier: MIT */
/* Any bytes as names and numbers: one line of valid JSON, of UTF-8, of at most 4,096 bytes, that
   `tcpdiag report` takes for a record. */
#include <jansson.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "shim/diagnosis/endpoint.h"
#include "shim/diagnosis/record.h"
#include "shim/diagnosis/sentence.h"
#include "tests/fuzz/fuzz.h"
#include "tools/log/journal.h"

static struct tcpdiag_endpoint take_endpoint(struct input *input)
{
    struct tcpdiag_endpoint endpoint;
    uint8_t bytes[sizeof(struct sockaddr_in6)] = {0};
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)take_number(input, 1);
    sa_family_t family = bytes[0] % 3 == 0 ? AF_UNSPEC : bytes[0] % 3 == 1 ? AF_INET : AF_INET6;
    memcpy(bytes, &family, sizeof family);
    tcpdiag_endpoint_from(&endpoint, bytes, sizeof bytes);
    return endpoint;
}

static struct tcpdiag_text take_text(struct input *input)
{
    struct tcpdiag_text text = {NULL, 0};
    if (take_number(input, 1) % 4 != 0)
        text.bytes = take_bytes(input, &text.length);
    return text;
}

static void take_evidence(struct input *input, struct tcpdiag_evidence *evidence)
{
    evidence->icmp = take_number(input, 1) & 1;
    evidence->icmp_own = take_number(input, 1) & 1;
    evidence->icmp_type = (uint8_t)take_number(input, 1);
    evidence->icmp_code = (uint8_t)take_number(input, 1);
    evidence->icmp_from = take_endpoint(input);
    evidence->tcp_state = (int)take_number(input, 4);
    evidence->syn_retransmits = (int)take_number(input, 4);
    evidence->rtt_us = (int64_t)take_number(input, 8);
}

static void take_record(struct input *input, struct tcpdiag_record *record)
{
    record->event = take_number(input, 1) & 1 ? TCPDIAG_CONNECT : TCPDIAG_RESOLVE;
    record->phase = take_number(input, 1) % 4 ? TCPDIAG_END : TCPDIAG_BEGIN;
    record->blocking = (enum tcpdiag_blocking)(take_number(input, 1) % 3);
    record->verdict.outcome =
        (enum tcpdiag_outcome)(1 + take_number(input, 1) % (TCPDIAG_OUTCOME_COUNT - 1));
    record->verdict.cause = (enum tcpdiag_cause)(take_number(input, 1) % TCPDIAG_CAUSE_COUNT);
    record->ending = (enum tcpdiag_ending)(take_number(input, 1) % 4);
    record->wall_ns = (int64_t)take_number(input, 8);
    record->duration_ns = (int64_t)take_number(input, 8);
    record->attempt = take_number(input, 8);
    record->lost = take_number(input, 8) & INT64_MAX;           /* a reader's integers end there */
    record->pid = (int32_t)(take_number(input, 4) & INT32_MAX); /* the kernel's are positive */
    record->tid = (int32_t)(take_number(input, 4) & INT32_MAX);
    record->error = (int)take_number(input, 4);
    record->gai = (int)take_number(input, 4);
    record->h_error = (int)take_number(input, 4);
    record->peer = take_endpoint(input);
    take_evidence(input, &record->evidence);
    record->name = take_text(input);
    record->service = take_text(input);
    record->answer_count = (unsigned)take_number(input, 1) % (TCPDIAG_ANSWERS_MAX + 2);
    for (unsigned i = 0; i < record->answer_count && i < TCPDIAG_ANSWERS_MAX; i++)
        record->answers[i] = take_endpoint(input);
}

static void count(void *context, const struct logged *entry)
{
    (void)entry;
    ++*(int *)context;
}

static void check_line(const char *line, size_t length)
{
    json_error_t error;
    CLAIM(length <= TCPDIAG_RECORD_MAX);
    CLAIM(length > 0 && memchr(line, '\n', length) == line + length - 1);
    json_t *json = json_loadb(line, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!json)
        fprintf(stderr, "%s at %d: %.*s\n", error.text, error.position, (int)length, line);
    CLAIM(json_is_object(json));
    CLAIM(json_is_string(json_object_get(json, "message")));
    json_decref(json);
    int records = 0;
    struct journal journal = {.record = count, .context = &records};
    FILE *file = fmemopen((void *)line, length, "r");
    CLAIM(file && journal_read(&journal, file, "record"));
    fclose(file);
    CLAIM(records == 1 && journal.skipped == 0);
}

static void check_message(const struct tcpdiag_record *record, size_t size)
{
    char *text = malloc(size);
    CLAIM(text);
    size_t length = tcpdiag_record_message(record, text, size);
    CLAIM(length < size && strlen(text) == length);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct tcpdiag_identity who = {.start = take_number(&input, 8)};
    struct tcpdiag_record record = {.who = &who};
    take_record(&input, &record);
    who.executable = take_text(&input);
    who.host = take_text(&input);
    char *line = malloc(TCPDIAG_RECORD_MAX);
    CLAIM(line);
    check_line(line, tcpdiag_record_json(&record, line));
    check_message(&record, 1 + take_number(&input, 2) % TCPDIAG_RECORD_MAX);
    free(line);
    free((void *)record.name.bytes);
    free((void *)record.service.bytes);
    free((void *)who.executable.bytes);
    free((void *)who.host.bytes);
    return 0;
}
