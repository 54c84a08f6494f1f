/* SPDX-License-Identifier: MIT */
#include "probe/results/order.h"

#include <stdlib.h>
#include <string.h>

#include "probe/base/memory.h"
#include "shim/diagnosis/outcome.h"

enum { WINDOW = 8192 /* results that can wait for an earlier one; a power of two */ };

struct report {
    struct output *output;
    uint64_t counts[TCPDIAG_OUTCOME_COUNT];
    uint64_t total;
    struct result **waiting; /* NULL: results are shown as they come */
    uint64_t next;
};

struct report *report_new(struct output *output, bool ordered)
{
    struct report *report = memory_new(sizeof *report);
    report->output = output;
    if (ordered)
        report->waiting = memory_new(WINDOW * sizeof(struct result *));
    return report;
}

void report_free(struct report *report)
{
    for (size_t i = 0; report->waiting && i < WINDOW; i++)
        free(report->waiting[i]);
    free(report->waiting);
    free(report);
}

static void *append(char **at, const void *bytes, size_t length)
{
    char *begin = memcpy(*at, bytes, length);
    begin[length] = '\0';
    *at += length + 1;
    return begin;
}

struct result *report_copy(const struct result *result)
{
    const struct tcpdiag_record *record = &result->record;
    size_t asked = result->asked ? strlen(result->asked) : 0;
    size_t text_length = result->trace_text ? strlen(result->trace_text) : 0;
    size_t json_length = result->trace_json ? strlen(result->trace_json) : 0;
    struct result *own = memory_new(sizeof *own + record->name.length + record->service.length +
                                    asked + text_length + json_length + 5 /* NULs */);
    char *text = (char *)(own + 1);
    *own = *result;
    if (record->name.bytes)
        own->record.name.bytes = append(&text, record->name.bytes, record->name.length);
    if (record->service.bytes)
        own->record.service.bytes = append(&text, record->service.bytes, record->service.length);
    if (result->asked)
        own->asked = append(&text, result->asked, asked);
    if (result->trace_text)
        own->trace_text = append(&text, result->trace_text, text_length);
    if (result->trace_json)
        own->trace_json = append(&text, result->trace_json, json_length);
    return own;
}

static void count(struct report *report, const struct tcpdiag_record *record)
{
    if (record->verdict.outcome == TCPDIAG_RESOLVED)
        return;
    report->counts[record->verdict.outcome]++;
    report->total++;
}

void report_add(struct report *report, uint64_t number, const struct result *result)
{
    count(report, &result->record);
    if (!report->waiting) {
        output_result(report->output, result);
        return;
    }
    if (number != report->next) {
        report->waiting[number % WINDOW] = report_copy(result);
        return;
    }
    output_result(report->output, result);
    for (;;) {
        struct result **at = &report->waiting[++report->next % WINDOW];
        if (!*at)
            return;
        output_result(report->output, *at);
        free(*at);
        *at = NULL;
    }
}

bool report_full(const struct report *report, uint64_t number)
{
    return report->waiting && number - report->next >= WINDOW;
}

void report_fold(int *status, int one)
{
    *status = *status < 0 || *status == one ? one : REPORT_STATUS_MIXED;
}

uint64_t report_count(const struct report *report, enum tcpdiag_outcome outcome)
{
    return report->counts[outcome];
}

uint64_t report_total(const struct report *report)
{
    return report->total;
}
