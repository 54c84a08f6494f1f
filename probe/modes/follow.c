/* SPDX-License-Identifier: MIT */
#include "probe/modes/follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/base/memory.h"
#include "probe/questions/control.h"
#include "probe/questions/dns_text.h"
#include "probe/questions/trace_text.h"
#include "shim/diagnosis/duration.h"
#include "shim/diagnosis/text.h"

/* A result that waits. */
struct waiter {
    struct waiter *next;
    struct result *result;
    uint64_t number;
    void *owner;
};

/* The questions to one host, asked once, whatever number of its ports is silent. */
struct inquiry {
    struct work work;
    struct follow *follow;
    struct control_request request;
    struct control control;
    bool answered;
    bool told; /* one record of the host has the answers themselves */
    char sentence[CONTROL_SENTENCE_SIZE];
    char json[CONTROL_JSON_SIZE];
};

struct tracing {
    struct work work;
    struct follow *follow;
    struct waiter *waiter;
    struct trace_request request;
    struct trace trace;
    char text[TRACE_TEXT_SIZE];
    char json[TRACE_JSON_SIZE];
};

struct follow {
    struct follow_options options;
    struct pool *pool;
    struct follow_client client;
    struct inquiry *inquiries[FOLLOW_HOSTS_MAX];
    unsigned inquiry_count;
    struct waiter *waiters;
    unsigned tracing;
};

struct follow *follow_new(const struct follow_options *options, struct pool *pool,
                          const struct follow_client *client)
{
    struct follow *follow = memory_new(sizeof *follow);
    follow->options = *options;
    follow->pool = pool;
    follow->client = *client;
    return follow;
}

static void unlink_waiter(struct follow *follow, const struct waiter *waiter)
{
    struct waiter **link = &follow->waiters;
    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
}

static void finish(struct follow *follow, struct waiter *waiter)
{
    unlink_waiter(follow, waiter);
    follow->client.done(follow->client.context, waiter->number, waiter->owner, waiter->result);
    free(waiter->result);
    free(waiter);
}

static int64_t limit_of(const struct follow *follow)
{
    return follow->options.limit_ns < TCPDIAG_SECOND ? follow->options.limit_ns : TCPDIAG_SECOND;
}

/* ---- the way to the host ---- */

static void run_trace(struct work *work)
{
    struct tracing *tracing = (struct tracing *)work;
    trace_run(&tracing->request, &tracing->trace);
    trace_text(&tracing->trace, tracing->text, sizeof tracing->text);
    trace_json(&tracing->trace, tracing->json, sizeof tracing->json);
}

static void traced(struct work *work, void *context)
{
    struct tracing *tracing = (struct tracing *)work;
    struct follow *follow = context;
    follow->tracing--;
    tracing->waiter->result->trace_text = tracing->text;
    tracing->waiter->result->trace_json = tracing->json;
    finish(follow, tracing->waiter);
    free(tracing);
}

static bool begin_trace(struct follow *follow, struct waiter *waiter)
{
    if (!follow->options.trace)
        return false;
    struct tracing *tracing = memory_new(sizeof *tracing);
    tracing->work = (struct work){.run = run_trace, .done = traced, .context = follow};
    tracing->waiter = waiter;
    tracing->request = (struct trace_request){.target = waiter->result->record.peer,
                                              .limit_ns = limit_of(follow),
                                              .no_control = !follow->options.control};
    if (!pool_submit(follow->pool, &tracing->work)) {
        free(tracing);
        return false;
    }
    follow->tracing++;
    return true;
}

/* ---- the name servers ---- */

void follow_lookup(struct name *name, int family)
{
    struct dns_request request = {.name = name->host, .family = family};
    struct dns_result *result = memory_new(sizeof *result);
    char lines[DNS_LINES_MAX][DNS_LINE_SIZE];
    name->dns = memory_new(DNS_JSON_SIZE);
    dns_ask(&request, result);
    dns_json(result, name->dns, DNS_JSON_SIZE);
    unsigned count = dns_lines(result, lines);
    char *at = name->why = memory_new((size_t)DNS_LINES_MAX * (DNS_LINE_SIZE + 1));
    for (unsigned i = 0; i < count; i++)
        at += sprintf(at, "%s\n", lines[i]);
    free(result);
}

/* ---- the same host elsewhere ---- */

static void run_control(struct work *work)
{
    struct inquiry *inquiry = (struct inquiry *)work;
    control_ask(&inquiry->request, &inquiry->control);
    control_sentence(&inquiry->control, inquiry->sentence, sizeof inquiry->sentence);
    control_json(&inquiry->control, inquiry->json, sizeof inquiry->json);
}

static void apply(struct inquiry *inquiry, struct result *result)
{
    control_upgrade(&inquiry->control, &result->record.verdict);
    result->asked = inquiry->sentence;
    result->control_json = inquiry->told ? NULL : inquiry->json;
    inquiry->told = true;
}

static void controlled(struct work *work, void *context)
{
    struct inquiry *inquiry = (struct inquiry *)work;
    struct follow *follow = context;
    const struct tcpdiag_endpoint *host = &inquiry->request.target;
    inquiry->answered = true;
    for (struct waiter *waiter = follow->waiters; waiter;) {
        struct waiter *next = waiter->next;
        if (!waiter->result->asked && tcpdiag_same_address(&waiter->result->record.peer, host)) {
            apply(inquiry, waiter->result);
            if (!begin_trace(follow, waiter))
                finish(follow, waiter);
        }
        waiter = next;
    }
}

/* The inquiry about the host, new or from before; NULL: it cannot be asked any more. */
static struct inquiry *inquiry_about(struct follow *follow, const struct tcpdiag_endpoint *host)
{
    for (unsigned i = 0; i < follow->inquiry_count; i++)
        if (tcpdiag_same_address(&follow->inquiries[i]->request.target, host))
            return follow->inquiries[i];
    if (follow->inquiry_count == FOLLOW_HOSTS_MAX)
        return NULL;
    struct inquiry *inquiry = memory_new(sizeof *inquiry);
    inquiry->work = (struct work){.run = run_control, .done = controlled, .context = follow};
    inquiry->request = (struct control_request){.target = *host, .limit_ns = limit_of(follow)};
    if (!pool_submit(follow->pool, &inquiry->work)) {
        free(inquiry);
        return NULL;
    }
    follow->inquiries[follow->inquiry_count++] = inquiry;
    return inquiry;
}

static struct waiter *add_waiter(struct follow *follow, uint64_t number, void *owner,
                                 const struct result *result)
{
    struct waiter *waiter = memory_new(sizeof *waiter);
    *waiter = (struct waiter){follow->waiters, result_copy(result), number, owner};
    follow->waiters = waiter;
    return waiter;
}

bool follow_begin(struct follow *follow, uint64_t number, void *owner, const struct result *result)
{
    bool silent = result->record.verdict.outcome == TCPDIAG_TIMEOUT;
    struct inquiry *inquiry = NULL;
    if (silent && follow->options.control)
        inquiry = inquiry_about(follow, &result->record.peer);
    if (!inquiry && !follow->options.trace)
        return false;
    struct waiter *waiter = add_waiter(follow, number, owner, result);
    if (inquiry && !inquiry->answered)
        return true;
    if (inquiry)
        apply(inquiry, waiter->result);
    if (!begin_trace(follow, waiter))
        finish(follow, waiter);
    return true;
}

bool follow_full(const struct follow *follow)
{
    return follow->tracing >= FOLLOW_TRACES_MAX;
}

void follow_give_up(struct follow *follow)
{
    while (follow->waiters)
        finish(follow, follow->waiters);
}

void follow_free(struct follow *follow)
{
    bool under_way = follow->tracing > 0;
    for (unsigned i = 0; i < follow->inquiry_count; i++)
        under_way = under_way || !follow->inquiries[i]->answered;
    if (under_way)
        return;
    for (unsigned i = 0; i < follow->inquiry_count; i++)
        free(follow->inquiries[i]);
    free(follow);
}
