/* SPDX-License-Identifier: MIT */
#include "probe/questions/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "probe/questions/ask.h"
#include "probe/questions/usual_ports.h"
#include "shim/evidence/kernel.h"

enum {
    HOPS = 30,
    TRIES = 3,
    CONTROL_TRIES = 2,
    BACK_HOPS = 32, /* the longest way back that is measured */
};

/* Beyond four round trips: how long an answer is waited for that is probably not to come. */
#define PATIENCE (TCPDIAG_SECOND / 25)

/* The TTLs that systems begin with: 64 Linux and most others, 128 Windows, 255 network gear. */
static const int first_ttls[] = {64, 128, 255};

enum { FIRST_TTLS = sizeof first_ttls / sizeof first_ttls[0] };

/* A sweep: the same port with each TTL. asks[try * hops + ttl - 1]. */
struct sweep {
    struct ask *asks;
    unsigned hops, tries;
    unsigned sent; /* tries that were sent */
    unsigned end;  /* the lowest TTL that ended the way, 0: none yet */
};

static bool is_own(const struct ask *ask)
{
    return ask->says == ASK_ICMP && ask->evidence.icmp_own;
}

static bool expired(const struct ask *ask)
{
    bool v6 = ask->evidence.icmp_from.family == AF_INET6;
    return ask->says == ASK_ICMP && ask->evidence.icmp_type == (v6 ? 3 : 11) && !is_own(ask);
}

static bool ends_the_way(const struct ask *ask)
{
    return ask->says == ASK_CONNECTED || ask->says == ASK_RESET ||
           (ask->says == ASK_ICMP && !expired(ask));
}

static struct ask *at(const struct sweep *sweep, unsigned try, unsigned ttl)
{
    return &sweep->asks[try * sweep->hops + ttl - 1];
}

static void find_end(struct sweep *sweep)
{
    for (unsigned try = 0; try < sweep->sent; try++)
        for (unsigned ttl = 1; ttl <= sweep->hops; ttl++)
            if (ends_the_way(at(sweep, try, ttl)) && (sweep->end == 0 || ttl < sweep->end))
                sweep->end = ttl;
}

/* Nothing that is still out can change the picture: the end is known, and all before it answered.
   One answer from the end is enough, where a firewall limits how often it says no. What lies behind
   the end is closed, so that a server is not kept busy. */
static bool settled(void *context)
{
    struct sweep *sweep = context;
    bool done = true;
    find_end(sweep);
    if (sweep->end == 0)
        return false;
    for (unsigned try = 0; try < sweep->sent; try++) {
        ask_close(at(sweep, try, sweep->end) + 1, sweep->hops - sweep->end);
        for (unsigned ttl = 1; ttl < sweep->end; ttl++)
            done = done && at(sweep, try, ttl)->fd < 0;
    }
    return done;
}

/* Sends one try more: all TTLs, the near ones first, for a machine that says no to every SYN limits
   how often it does (icmp_ratelimit, icmp(7)). False where this machine lets nothing out. */
static bool send_try(struct sweep *sweep, const struct tcpdiag_endpoint *target)
{
    unsigned last = sweep->end ? sweep->end : sweep->hops;
    unsigned try = sweep->sent++;
    for (unsigned ttl = 1; ttl <= last; ttl++) {
        ask_tcp(at(sweep, try, ttl), target, (int)ttl, 0);
        if (ttl == 1 && at(sweep, try, 1)->says == ASK_FAILED)
            return false;
    }
    return true;
}

static bool new_sweep(struct sweep *sweep, unsigned hops, unsigned tries)
{
    *sweep = (struct sweep){.hops = hops, .tries = tries};
    sweep->asks = calloc((size_t)hops * tries, sizeof *sweep->asks);
    for (unsigned i = 0; sweep->asks && i < hops * tries; i++)
        sweep->asks[i].fd = -1;
    return sweep->asks != NULL;
}

/* The tries follow each other as soon as one has settled, else spread over the first part of the
   limit. Returns 0 or the errno that kept the first SYN in this machine. */
static int run_sweep(struct sweep *sweep, const struct tcpdiag_endpoint *target, int64_t limit)
{
    int64_t begin = sys_nanoseconds(CLOCK_MONOTONIC);
    unsigned all = sweep->hops * sweep->tries;
    for (unsigned try = 0; try < sweep->tries; try++) {
        if (!send_try(sweep, target) && try == 0)
            return at(sweep, 0, 1)->error;
        bool last = try + 1 == sweep->tries;
        int64_t until = begin + (last ? limit : limit * (try + 1) / (sweep->tries + 1));
        ask_wait(sweep->asks, all, until, settled, sweep);
        find_end(sweep);
    }
    ask_close(sweep->asks, all);
    return 0;
}

static struct trace_try try_of(const struct ask *ask)
{
    struct trace_try try = {.answer = TRACE_SILENT, .rtt_us = -1};
    switch (ask->says) {
    case ASK_PENDING:
    case ASK_REPLY: /* no SYN's */
        break;
    case ASK_CONNECTED:
    case ASK_RESET:
        try.answer = ask->says == ASK_RESET ? TRACE_RESET : TRACE_CONNECTED;
        try.from = ask->target;
        break;
    case ASK_ICMP:
        try.answer = expired(ask) ? TRACE_EXPIRED : TRACE_REJECTED;
        try.from = ask->evidence.icmp_from;
        try.icmp_type = ask->evidence.icmp_type;
        try.icmp_code = ask->evidence.icmp_code;
        break;
    case ASK_FAILED:
        try.answer = TRACE_FAILED;
        try.error = ask->error;
        break;
    }
    if (ask->says != ASK_PENDING && ask->says != ASK_FAILED)
        try.rtt_us = ask->rtt_us;
    return try;
}

static void note_end(struct trace *trace, const struct sweep *sweep)
{
    trace->end_hop = sweep->end;
    for (unsigned try = sweep->sent; sweep->end && try > 0; try--)
        if (ends_the_way(at(sweep, try - 1, sweep->end))) {
            trace->end = trace->hops[sweep->end - 1][try - 1];
            trace->end_own = is_own(at(sweep, try - 1, sweep->end));
        }
    trace->end_by_target =
        trace->end_hop != 0 && tcpdiag_same_address(&trace->end.from, &trace->target);
    if (trace->end.answer != TRACE_REJECTED)
        return;
    for (unsigned hop = 0; hop < trace->end_hop; hop++)
        for (unsigned try = 0; try < trace->tries; try++) {
            const struct trace_try *one = &trace->hops[hop][try];
            if (one->answer == TRACE_EXPIRED && tcpdiag_same_address(&one->from, &trace->end.from))
                trace->rejecter_hop = hop + 1;
        }
}

static void note_hops(struct trace *trace, const struct sweep *sweep)
{
    unsigned last = sweep->end ? sweep->end : sweep->hops;
    trace->asked = last;
    for (unsigned try = 0; try < sweep->sent; try++)
        for (unsigned ttl = 1; ttl <= last; ttl++) {
            trace->hops[ttl - 1][try] = try_of(at(sweep, try, ttl));
            if (trace->hops[ttl - 1][try].answer == TRACE_EXPIRED && ttl > trace->last_hop)
                trace->last_hop = ttl;
        }
    note_end(trace, sweep);
    trace->shown = trace->end_hop ? trace->end_hop : trace->last_hop + 1;
    if (trace->shown > trace->asked)
        trace->shown = trace->asked;
}

static bool host_answers(const struct ask *ask)
{
    return ask->says == ASK_CONNECTED || ask->says == ASK_RESET;
}

struct controls {
    struct ask asks[TRACE_CONTROLS_MAX];
    unsigned count;
};

static bool one_connects(void *context)
{
    const struct controls *controls = context;
    for (unsigned i = 0; i < controls->count; i++)
        if (controls->asks[i].says == ASK_CONNECTED)
            return true;
    return false;
}

/* The first port that connects, else the first that resets. */
static void find_control_port(const struct trace_request *request, struct trace *trace,
                              int64_t until)
{
    const uint16_t *ports = request->control_count ? request->control_ports : usual_ports;
    unsigned count = request->control_count ? request->control_count : (unsigned)USUAL_PORT_COUNT;
    struct controls controls = {.count = 0};
    for (unsigned i = 0; i < count && i < TRACE_CONTROLS_MAX; i++) {
        struct tcpdiag_endpoint target = trace->target;
        target.port = ports[i];
        if (target.port != trace->target.port)
            ask_tcp(&controls.asks[controls.count++], &target, 0, 0);
    }
    ask_wait(controls.asks, controls.count, until, one_connects, &controls);
    ask_close(controls.asks, controls.count);
    for (unsigned i = 0; i < controls.count; i++) {
        const struct ask *ask = &controls.asks[i];
        if (!host_answers(ask) || trace->control_connected ||
            (trace->control_port != 0 && ask->says != ASK_CONNECTED))
            continue;
        trace->control_port = ask->target.port;
        trace->control_connected = ask->says == ASK_CONNECTED;
    }
}

/* Returns how many tries with the TTL of the target's end ran out of time. */
static unsigned sweep_control(struct trace *trace, unsigned hops, int64_t limit)
{
    struct tcpdiag_endpoint target = trace->target;
    struct sweep sweep;
    unsigned expired_there = 0;
    target.port = trace->control_port;
    if (!new_sweep(&sweep, hops, CONTROL_TRIES))
        return 0;
    run_sweep(&sweep, &target, limit);
    for (unsigned try = 0; try < sweep.sent; try++)
        for (unsigned ttl = 1; ttl <= hops; ttl++)
            if (expired(at(&sweep, try, ttl))) {
                trace->control_from[ttl - 1] = at(&sweep, try, ttl)->evidence.icmp_from;
                expired_there += ttl == trace->end_hop;
            }
    for (unsigned try = 0; sweep.end && try < sweep.sent; try++)
        if (host_answers(at(&sweep, try, sweep.end)))
            trace->control_hop = sweep.end;
    free(sweep.asks);
    return expired_there;
}

static bool any_answered(void *context)
{
    const struct controls *controls = context;
    for (unsigned i = 0; i < controls->count; i++)
        if (host_answers(&controls->asks[i]))
            return true;
    return false;
}

/* Whether answers of the port arrive with min_ttl or more. */
static bool arrives(const struct tcpdiag_endpoint *target, int min_ttl, unsigned tries,
                    int64_t patience)
{
    struct controls controls = {.count = tries};
    for (unsigned i = 0; i < tries; i++)
        ask_tcp(&controls.asks[i], target, 0, min_ttl);
    ask_wait(controls.asks, tries, sys_nanoseconds(CLOCK_MONOTONIC) + patience, any_answered,
             &controls);
    ask_close(controls.asks, tries);
    return any_answered(&controls);
}

/* The TTL that the answers of the port arrive with: by bisection, of the values that are at most
   so many hops below a usual first one. 0 where they do not settle it. */
static unsigned arriving_ttl(const struct tcpdiag_endpoint *target, int64_t patience,
                             int64_t deadline)
{
    int first = 0;
    while (first + 1 < FIRST_TTLS && arrives(target, first_ttls[first] + 1, 2, patience))
        first++;
    int high = first_ttls[first] + 1, low = high - BACK_HOPS;
    if (!arrives(target, low, 2, patience))
        return 0;
    while (high - low > 1 && sys_nanoseconds(CLOCK_MONOTONIC) < deadline) {
        int middle = (low + high) / 2;
        if (arrives(target, middle, 2, patience))
            low = middle;
        else
            high = middle;
    }
    /* Lost packets would pass for a TTL that is too low: asked once more, above it all is silent.
       (A TTL of 256 does not exist.) */
    if (high - low > 1 || (high < 256 && arrives(target, high, TRACE_CONTROLS_MAX, patience)))
        return 0;
    return (unsigned)low;
}

static int first_ttl(unsigned ttl)
{
    int first = 0;
    while (first + 1 < FIRST_TTLS && first_ttls[first] < (int)ttl)
        first++;
    return first_ttls[first];
}

/* Proved by the way there: with the TTL that brings the reset, every SYN to the port where the host
   answers runs out of time. Or by the way back: the reset has come over fewer hops. */
static bool reset_is_nearer(const struct trace *trace, unsigned control_expired)
{
    if (trace->control_hop > trace->end_hop && control_expired == CONTROL_TRIES)
        return true;
    return trace->reset_ttl > trace->control_ttl && trace->control_ttl != 0 &&
           first_ttl(trace->reset_ttl) == first_ttl(trace->control_ttl);
}

static void measure_return(struct trace *trace, int64_t until)
{
    struct tcpdiag_endpoint control = trace->target;
    int64_t patience = 4 * trace->end.rtt_us * 1000 + PATIENCE;
    control.port = trace->control_port;
    trace->reset_ttl = arriving_ttl(&trace->target, patience, until);
    if (trace->reset_ttl != 0)
        trace->control_ttl = arriving_ttl(&control, patience, until);
}

static void ask_control(const struct trace_request *request, struct trace *trace, unsigned hops,
                        int64_t limit)
{
    int64_t begin = sys_nanoseconds(CLOCK_MONOTONIC);
    find_control_port(request, trace, begin + limit / 2);
    if (trace->control_port == 0)
        return;
    unsigned expired_there = sweep_control(trace, hops, limit / 2);
    if (trace->end.answer != TRACE_RESET)
        return;
    measure_return(trace, begin + limit);
    trace->reset_nearer = reset_is_nearer(trace, expired_there);
}

void trace_run(const struct trace_request *request, struct trace *trace)
{
    int64_t begin = sys_nanoseconds(CLOCK_MONOTONIC);
    int64_t limit = request->limit_ns > 0 ? request->limit_ns : TCPDIAG_SECOND;
    unsigned hops = request->max_hops ? request->max_hops : HOPS;
    unsigned tries = request->tries ? request->tries : TRIES;
    struct sweep sweep;
    hops = hops < TRACE_HOPS_MAX ? hops : TRACE_HOPS_MAX;
    tries = tries < TRACE_TRIES_MAX ? tries : TRACE_TRIES_MAX;
    memset(trace, 0, sizeof *trace);
    trace->target = request->target;
    trace->tries = tries;
    if (new_sweep(&sweep, hops, tries))
        trace->error = run_sweep(&sweep, &trace->target, limit);
    else
        trace->error = ENOMEM;
    if (trace->error == 0) {
        note_hops(trace, &sweep);
        bool unclear = trace->end_hop == 0 || trace->end.answer == TRACE_RESET;
        if (unclear && !request->no_control)
            ask_control(request, trace, hops, limit);
    }
    free(sweep.asks);
    trace->duration_ns = sys_nanoseconds(CLOCK_MONOTONIC) - begin;
}
