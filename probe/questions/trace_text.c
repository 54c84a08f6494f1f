/* SPDX-License-Identifier: MIT */
#include "probe/questions/trace_text.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "probe/base/format.h"
#include "probe/base/wrap.h"
#include "shim/diagnosis/names.h"
#include "shim/diagnosis/record.h"

struct address {
    char text[TCPDIAG_ADDRESS_MAX];
};

static struct address address_of(const struct tcpdiag_endpoint *endpoint)
{
    struct address address = {""};
    tcpdiag_address_text(endpoint, address.text);
    return address;
}

static bool answered(const struct trace_try *try)
{
    return try->answer >= TRACE_EXPIRED && try->answer <= TRACE_CONNECTED;
}

static bool same_answer(const struct trace_try *a, const struct trace_try *b)
{
    return a->answer == b->answer && tcpdiag_same_address(&a->from, &b->from);
}

static const char *remark(enum trace_answer answer)
{
    switch (answer) {
    case TRACE_REJECTED:
        return "  rejects";
    case TRACE_RESET:
        return "  reset";
    case TRACE_CONNECTED:
        return "  connects";
    default:
        return "";
    }
}

static void put_ms(struct tcpdiag_out *out, int64_t us)
{
    double ms = (double)us / 1000;
    format_put(out, ms < 10 ? " %.2f" : ms < 100 ? " %.1f" : " %.0f", ms);
}

static int address_width(const struct trace *trace)
{
    int width = 15; /* the longest of IPv4 */
    for (unsigned hop = 0; hop < trace->shown; hop++)
        for (unsigned try = 0; try < trace->tries; try++) {
            const struct trace_try *one = &trace->hops[hop][try];
            if (answered(one) && (int)strlen(address_of(&one->from).text) > width)
                width = (int)strlen(address_of(&one->from).text);
        }
    return width;
}

static bool is_first_of_its_kind(const struct trace_try *tries, unsigned at)
{
    for (unsigned i = 0; i < at; i++)
        if (same_answer(&tries[i], &tries[at]))
            return false;
    return answered(&tries[at]);
}

/* One line for each machine that answered at this distance: ways may differ from SYN to SYN. */
static void put_hop(struct tcpdiag_out *out, const struct trace *trace, unsigned hop, int width)
{
    const struct trace_try *tries = trace->hops[hop];
    unsigned lines = 0;
    for (unsigned try = 0; try < trace->tries; try++) {
        if (!is_first_of_its_kind(tries, try))
            continue;
        if (lines++ == 0)
            format_put(out, "%3u  ", hop + 1);
        else
            format_put(out, "     ");
        format_put(out, "%-*s ", width, address_of(&tries[try].from).text);
        for (unsigned i = 0; i < trace->tries; i++)
            if (same_answer(&tries[i], &tries[try]))
                put_ms(out, tries[i].rtt_us);
        format_put(out, " ms%s\n", remark(tries[try].answer));
    }
    if (lines == 0)
        format_put(out, "%3u  no answer\n", hop + 1);
}

static void put_where(struct tcpdiag_out *out, const struct trace *trace)
{
    format_put(out, "%s port %u", address_of(&trace->target).text, trace->target.port);
}

static const struct tcpdiag_endpoint *hop_address(const struct trace *trace, unsigned hop)
{
    for (unsigned try = 0; try < trace->tries; try++)
        if (trace->hops[hop - 1][try].answer == TRACE_EXPIRED)
            return &trace->hops[hop - 1][try].from;
    return NULL;
}

static bool same_hop(const struct trace *trace, unsigned a, unsigned b)
{
    const struct tcpdiag_endpoint *one = hop_address(trace, a), *other = hop_address(trace, b);
    return one && other && tcpdiag_same_address(one, other);
}

/* The first hop that is an earlier one again, with another between them: a routing loop. 0: none.
   Neighbours with one address are a router that does not count itself. */
static unsigned loop_hop(const struct trace *trace, unsigned *earlier)
{
    for (unsigned hop = 3; hop <= trace->last_hop; hop++)
        for (*earlier = 1; *earlier + 1 < hop; (*earlier)++)
            if (same_hop(trace, *earlier, hop) && !same_hop(trace, hop - 1, hop) &&
                hop_address(trace, hop - 1))
                return hop;
    return 0;
}

static void put_rejection(struct tcpdiag_out *out, const struct trace *trace)
{
    const struct trace_try *end = &trace->end;
    if (trace->end_own)
        format_put(out, "this machine (%s)", address_of(&end->from).text);
    else if (trace->end_by_target)
        format_put(out, "the host itself (%s, hop %u)", address_of(&end->from).text,
                   trace->end_hop);
    else if (trace->rejecter_hop)
        format_put(out, "the router %s (hop %u)", address_of(&end->from).text, trace->rejecter_hop);
    else
        format_put(out, "%s (at TTL %u)", address_of(&end->from).text, trace->end_hop);
    format_put(out, " rejects it: ICMP%s %s.", end->from.family == AF_INET6 ? "v6" : "",
               tcpdiag_icmp_name(end->from.family, end->icmp_type, end->icmp_code));
}

/* What the control port says about a reset. */
static void put_reset(struct tcpdiag_out *out, const struct trace *trace)
{
    format_put(out, "the port is refused: a reset comes back at hop %u.", trace->end_hop);
    if (trace->control_port == 0)
        return;
    format_put(out, " Port %u %s", trace->control_port,
               trace->control_connected ? "connects" : "resets");
    if (trace->control_hop > trace->end_hop && trace->reset_nearer)
        format_put(out, " at hop %u", trace->control_hop);
    else if (trace->reset_nearer)
        format_put(out, " with TTL %u, the reset arrives with %u", trace->control_ttl,
                   trace->reset_ttl);
    else if (trace->control_hop == trace->end_hop)
        format_put(out, " at hop %u too", trace->control_hop);
    if (trace->reset_nearer)
        format_put(out,
                   ": the reset is made by a nearer machine, a firewall in the host's place "
                   "(or one that forwards port %u only).",
                   trace->control_port);
    else
        format_put(out, "; nothing proves that the reset is forged.");
}

/* The first hop after the last that answered which the control port's way names. */
static unsigned next_hop(const struct trace *trace)
{
    for (unsigned hop = trace->last_hop + 1; hop < TRACE_HOPS_MAX; hop++)
        if (trace->control_from[hop - 1].family != 0)
            return hop;
    return 0;
}

static void put_silence(struct tcpdiag_out *out, const struct trace *trace)
{
    unsigned next = next_hop(trace), earlier;
    unsigned loop = loop_hop(trace, &earlier);
    const struct tcpdiag_endpoint *last =
        trace->last_hop ? hop_address(trace, trace->last_hop) : NULL;
    if (loop) {
        format_put(out, "the packets go in a circle: hop %u is hop %u again (%s), a routing loop.",
                   loop, earlier, address_of(hop_address(trace, loop)).text);
        return;
    }
    if (last)
        format_put(out, "hop %u (%s) is the last that answers", trace->last_hop,
                   address_of(last).text);
    else
        format_put(out, "no hop answers");
    if (trace->control_hop == 0)
        format_put(out, last ? ": the packets die at its rules, behind it, or at the host."
                             : ": the packets die on this machine or on the way, or all hops "
                               "keep silent.");
    else if (next)
        format_put(out, ". Asked for port %u, hop %u (%s) answers%s.", trace->control_port, next,
                   address_of(&trace->control_from[next - 1]).text,
                   last ? " too: the packets die between the two"
                        : ": the packets die on this machine, or before that hop");
    else
        format_put(out,
                   ". Asked for port %u, the host itself answers (hop %u): the packets die on the "
                   "way there, or at the host's rules.",
                   trace->control_port, trace->control_hop);
}

static void put_meaning(struct tcpdiag_out *out, const struct trace *trace)
{
    put_where(out, trace);
    format_put(out, ": ");
    if (trace->error != 0) {
        const char *name = tcpdiag_errno_name(trace->error);
        format_put(out, "nothing leaves this machine: %s.", name ? name : "a local error");
    } else if (trace->end.answer == TRACE_CONNECTED)
        format_put(out, "the host answers at hop %u; the way is open.", trace->end_hop);
    else if (trace->end.answer == TRACE_RESET)
        put_reset(out, trace);
    else if (trace->end.answer == TRACE_REJECTED)
        put_rejection(out, trace);
    else
        put_silence(out, trace);
}

size_t trace_text(const struct trace *trace, char *buffer, size_t size)
{
    struct tcpdiag_out out = format_begin(buffer, size);
    char plain[1024];
    struct tcpdiag_out text = format_begin(plain, sizeof plain);
    int width = address_width(trace);
    unsigned earlier;
    unsigned loop = trace->end_hop == 0 ? loop_hop(trace, &earlier) : 0;
    for (unsigned hop = 0; hop < (loop ? loop : trace->shown); hop++)
        put_hop(&out, trace, hop, width);
    if (loop)
        format_put(&out, "%3s  and so on up to hop %u\n", "", trace->last_hop);
    if (trace->end_hop == 0 && trace->asked > trace->shown)
        format_put(&out, "%3s  nor any hop up to %u\n", "", trace->asked);
    put_meaning(&text, trace);
    format_end(&text, plain);
    wrap_text(&out, "  ", plain);
    return format_end(&out, buffer);
}

static const char *answer_name(enum trace_answer answer)
{
    switch (answer) {
    case TRACE_EXPIRED:
        return "time-exceeded";
    case TRACE_REJECTED:
        return "rejected";
    case TRACE_RESET:
        return "reset";
    case TRACE_CONNECTED:
        return "connected";
    case TRACE_FAILED:
        return "failed";
    default:
        return "silent";
    }
}

static void put_try(struct tcpdiag_out *out, const struct trace_try *try)
{
    format_put(out, "{");
    format_json_string(out, "answer", answer_name(try->answer));
    if (answered(try)) {
        format_put(out, ",");
        format_json_address(out, "from", &try->from);
        format_put(out, ",\"rtt_ms\":");
        tcpdiag_put_ms(out, try->rtt_us);
    }
    if (try->answer == TRACE_EXPIRED || try->answer == TRACE_REJECTED)
        format_put(out, ",\"icmp.type\":%u,\"icmp.code\":%u", try->icmp_type, try->icmp_code);
    format_put(out, "}");
}

static void put_hops(struct tcpdiag_out *out, const struct trace *trace)
{
    format_put(out, ",\"hops\":[");
    for (unsigned hop = 0; hop < trace->shown; hop++) {
        format_put(out, "%s{\"hop\":%u,\"tries\":[", hop ? "," : "", hop + 1);
        for (unsigned try = 0, put = 0; try < trace->tries; try++)
            if (trace->hops[hop][try].answer != TRACE_NOT_ASKED) {
                format_put(out, put++ ? "," : "");
                put_try(out, &trace->hops[hop][try]);
            }
        format_put(out, "]}");
    }
    format_put(out, "]");
}

static void put_end(struct tcpdiag_out *out, const struct trace *trace)
{
    format_put(out, ",\"last_hop\":%u", trace->last_hop);
    if (trace->end_hop == 0)
        return;
    format_put(out, ",\"end\":{\"hop\":%u,\"by\":\"%s\",", trace->end_hop,
               trace->end_own         ? "this-machine"
               : trace->end_by_target ? "target"
                                      : "other");
    if (trace->rejecter_hop)
        format_put(out, "\"rejecter_hop\":%u,", trace->rejecter_hop);
    format_put(out, "\"answer\":");
    put_try(out, &trace->end);
    format_put(out, "}");
}

static void put_control(struct tcpdiag_out *out, const struct trace *trace)
{
    if (trace->control_port == 0)
        return;
    format_put(out, ",\"control\":{\"port\":%u,\"answer\":\"%s\",\"hop\":%u", trace->control_port,
               trace->control_connected ? "connected" : "reset", trace->control_hop);
    if (trace->control_ttl)
        format_put(out, ",\"ttl\":%u", trace->control_ttl);
    if (trace->reset_ttl)
        format_put(out, ",\"reset_ttl\":%u", trace->reset_ttl);
    if (trace->end.answer == TRACE_RESET)
        format_put(out, ",\"reset_nearer\":%s", trace->reset_nearer ? "true" : "false");
    format_put(out, "}");
}

size_t trace_json(const struct trace *trace, char *buffer, size_t size)
{
    struct tcpdiag_out out = format_begin(buffer, size);
    char plain[1024];
    struct tcpdiag_out text = format_begin(plain, sizeof plain);
    put_meaning(&text, trace);
    format_end(&text, plain);
    format_put(&out, "{");
    format_json_address(&out, "network.peer.address", &trace->target);
    format_put(&out, ",\"network.peer.port\":%u", trace->target.port);
    if (trace->error != 0) {
        const char *name = tcpdiag_errno_name(trace->error);
        format_put(&out, ",");
        format_json_string(&out, "errno", name ? name : "");
    }
    put_hops(&out, trace);
    put_end(&out, trace);
    put_control(&out, trace);
    format_put(&out, ",\"duration_ms\":");
    tcpdiag_put_ms(&out, trace->duration_ns / 1000);
    format_put(&out, ",");
    format_json_string(&out, "message", plain);
    format_put(&out, "}");
    return format_end(&out, buffer);
}
