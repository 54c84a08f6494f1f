/* SPDX-License-Identifier: MIT */
#include "probe/questions/control.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <string.h>
#include <sys/socket.h>

#include "probe/base/format.h"
#include "probe/questions/ask.h"
#include "probe/questions/neighbour.h"
#include "probe/questions/usual_ports.h"
#include "shim/diagnosis/names.h"
#include "shim/diagnosis/record.h"
#include "shim/evidence/kernel.h"

/* Once the host is known to be alive: so much longer for the other answers. */
#define GRACE (TCPDIAG_SECOND / 10)

/* The echo is the first, the ports follow. */
struct questions {
    struct ask asks[1 + CONTROL_PORTS_MAX];
    unsigned count;
};

static void send_questions(const struct control_request *request, struct questions *questions)
{
    const uint16_t *ports = request->port_count ? request->ports : usual_ports;
    unsigned count = request->port_count ? request->port_count : (unsigned)USUAL_PORT_COUNT;
    struct tcpdiag_endpoint target = request->target;
    ask_echo(&questions->asks[0], &target);
    questions->count = 1;
    for (unsigned i = 0; i < count && i < CONTROL_PORTS_MAX; i++) {
        target.port = ports[i];
        if (target.port != request->target.port)
            ask_tcp(&questions->asks[questions->count++], &target, 0, 0);
    }
}

static bool by_host(const struct ask *ask)
{
    return ask->says == ASK_CONNECTED || ask->says == ASK_RESET || ask->says == ASK_REPLY ||
           (ask->says == ASK_ICMP && !ask->evidence.icmp_own &&
            tcpdiag_same_address(&ask->evidence.icmp_from, &ask->target));
}

static bool alive(void *context)
{
    const struct questions *questions = context;
    for (unsigned i = 0; i < questions->count; i++)
        if (by_host(&questions->asks[i]))
            return true;
    return false;
}

static void wait_for_answers(struct questions *questions, int64_t deadline)
{
    if (ask_wait(questions->asks, questions->count, deadline, alive, questions)) {
        int64_t enough = sys_nanoseconds(CLOCK_MONOTONIC) + GRACE;
        ask_wait(questions->asks, questions->count, enough < deadline ? enough : deadline, NULL,
                 NULL);
    }
    ask_close(questions->asks, questions->count);
}

static enum control_says says(const struct ask *ask)
{
    switch (ask->says) {
    case ASK_CONNECTED:
        return CONTROL_CONNECTED;
    case ASK_RESET:
        return CONTROL_RESET;
    case ASK_REPLY:
        return CONTROL_REPLY;
    case ASK_ICMP:
        return CONTROL_ICMP;
    case ASK_FAILED:
        return ask->echo && (ask->error == EACCES || ask->error == EPERM) ? CONTROL_NOT_ALLOWED
                                                                          : CONTROL_FAILED;
    default:
        return CONTROL_SILENT;
    }
}

static struct control_answer answer_of(const struct ask *ask)
{
    struct control_answer answer = {.kind = ask->echo ? CONTROL_ECHO : CONTROL_PORT,
                                    .port = ask->echo ? 0 : ask->target.port,
                                    .says = says(ask),
                                    .error = ask->says == ASK_FAILED ? ask->error : 0,
                                    .rtt_us = ask->says == ASK_FAILED ? -1 : ask->rtt_us};
    if (answer.says == CONTROL_ICMP) {
        answer.from = ask->evidence.icmp_from;
        answer.icmp_type = ask->evidence.icmp_type;
        answer.icmp_code = ask->evidence.icmp_code;
    }
    return answer;
}

/* Only REACHABLE was confirmed lately; PERMANENT and NOARP nobody has ever asked for. */
static void add_neighbour(struct control *control)
{
    uint16_t state;
    if (!neighbour_state(&control->target, &state) || (state & (NUD_PERMANENT | NUD_NOARP)))
        return;
    control->answers[control->count++] =
        (struct control_answer){.kind = CONTROL_NEIGHBOUR,
                                .says = state & NUD_REACHABLE                   ? CONTROL_REACHABLE
                                        : state & (NUD_FAILED | NUD_INCOMPLETE) ? CONTROL_NOBODY
                                                                                : CONTROL_UNSURE,
                                .rtt_us = -1};
}

/* The host is silent where no answer came at all: what somebody else says about it, or an entry of
   the neighbour table that may still hold, leaves it open. */
static void conclude(struct control *control, const struct questions *questions)
{
    bool asked = false, open = false;
    control->alive = alive((void *)questions);
    for (unsigned i = 0; i < control->count; i++) {
        const struct control_answer *one = &control->answers[i];
        control->alive = control->alive || one->says == CONTROL_REACHABLE;
        asked = asked || (one->kind == CONTROL_PORT && one->says == CONTROL_SILENT);
        open = open || one->says == CONTROL_ICMP || one->says == CONTROL_UNSURE ||
               (one->kind == CONTROL_PORT && one->says == CONTROL_FAILED);
    }
    control->silent = asked && !open && !control->alive;
}

void control_ask(const struct control_request *request, struct control *control)
{
    int64_t begin = sys_nanoseconds(CLOCK_MONOTONIC);
    struct questions questions = {.count = 0};
    memset(control, 0, sizeof *control);
    control->target = request->target;
    send_questions(request, &questions);
    wait_for_answers(&questions,
                     begin + (request->limit_ns > 0 ? request->limit_ns : TCPDIAG_SECOND));
    for (unsigned i = 1; i <= questions.count; i++) /* the echo last, as it is read */
        control->answers[control->count++] = answer_of(&questions.asks[i % questions.count]);
    add_neighbour(control);
    conclude(control, &questions);
    control->duration_ns = sys_nanoseconds(CLOCK_MONOTONIC) - begin;
}

bool control_upgrade(const struct control *control, struct tcpdiag_verdict *verdict)
{
    if (verdict->outcome != TCPDIAG_TIMEOUT || !(control->alive || control->silent))
        return false;
    verdict->cause = control->alive ? TCPDIAG_CAUSE_PORT_FILTERED : TCPDIAG_CAUSE_HOST_SILENT;
    return true;
}

static void put_kind(struct tcpdiag_out *out, const struct control_answer *answer)
{
    if (answer->kind == CONTROL_PORT)
        format_put(out, "port %u", answer->port);
    else
        format_put(out, answer->kind == CONTROL_ECHO ? "ping" : "neighbour table");
}

static void put_answer(struct tcpdiag_out *out, const struct control_answer *answer)
{
    char from[TCPDIAG_ADDRESS_MAX];
    const char *name = tcpdiag_errno_name(answer->error);
    put_kind(out, answer);
    switch (answer->says) {
    case CONTROL_CONNECTED:
        format_put(out, " connects");
        break;
    case CONTROL_RESET:
        format_put(out, " answers with a reset");
        break;
    case CONTROL_REPLY:
        format_put(out, " is answered");
        break;
    case CONTROL_ICMP:
        tcpdiag_address_text(&answer->from, from);
        format_put(out, ": %s says ICMP%s %s", from, answer->from.family == AF_INET6 ? "v6" : "",
                   tcpdiag_icmp_name(answer->from.family, answer->icmp_type, answer->icmp_code));
        break;
    case CONTROL_REACHABLE:
        format_put(out, ": a machine answers for the address on the local link");
        break;
    case CONTROL_NOBODY:
        format_put(out, ": no machine on the local link answers for the address");
        break;
    case CONTROL_UNSURE:
        format_put(out, ": an old entry");
        break;
    case CONTROL_NOT_ALLOWED:
        format_put(out, ": not allowed here (net.ipv4.ping_group_range)");
        break;
    case CONTROL_FAILED:
        format_put(out, ": %s", name ? name : "a local error");
        break;
    case CONTROL_SILENT:
        break;
    }
}

static void put_silent(struct tcpdiag_out *out, const struct control *control, bool first)
{
    unsigned silent = 0;
    for (unsigned i = 0; i < control->count; i++)
        if (control->answers[i].says == CONTROL_SILENT) {
            format_put(out, silent++ ? ", " : first ? "no answer from " : "; no answer from ");
            put_kind(out, &control->answers[i]);
        }
}

size_t control_sentence(const struct control *control, char *buffer, size_t size)
{
    struct tcpdiag_out out = format_begin(buffer, size);
    unsigned answers = 0;
    format_put(&out, "%s: ",
               control->alive    ? "the host is alive"
               : control->silent ? "the host is silent everywhere that was asked"
                                 : "the host itself has not answered");
    if (control->silent)
        put_silent(&out, control, true);
    for (unsigned i = 0; i < control->count; i++)
        if (control->answers[i].says != CONTROL_SILENT) {
            format_put(&out, answers++ ? ", " : control->silent ? "; " : "");
            put_answer(&out, &control->answers[i]);
        }
    if (!control->silent)
        put_silent(&out, control, answers == 0);
    return format_end(&out, buffer);
}

static const char *says_name(enum control_says says)
{
    static const char *const names[] = {
        [CONTROL_SILENT] = "silent",
        [CONTROL_CONNECTED] = "connected",
        [CONTROL_RESET] = "reset",
        [CONTROL_REPLY] = "reply",
        [CONTROL_ICMP] = "icmp",
        [CONTROL_REACHABLE] = "reachable",
        [CONTROL_NOBODY] = "nobody",
        [CONTROL_UNSURE] = "unsure",
        [CONTROL_NOT_ALLOWED] = "not-allowed",
        [CONTROL_FAILED] = "failed",
    };
    return names[says];
}

static void put_answer_json(struct tcpdiag_out *out, const struct control_answer *answer)
{
    static const char *const kinds[] = {"port", "echo", "neighbour"};
    format_put(out, "{\"asked\":\"%s\"", kinds[answer->kind]);
    if (answer->kind == CONTROL_PORT)
        format_put(out, ",\"port\":%u", answer->port);
    format_put(out, ",\"answer\":\"%s\"", says_name(answer->says));
    if (answer->says == CONTROL_ICMP) {
        format_put(out, ",\"icmp.type\":%u,\"icmp.code\":%u,", answer->icmp_type,
                   answer->icmp_code);
        format_json_address(out, "icmp.from", &answer->from);
    }
    if (answer->says == CONTROL_FAILED && tcpdiag_errno_name(answer->error))
        format_put(out, ",\"errno\":\"%s\"", tcpdiag_errno_name(answer->error));
    if (answer->rtt_us >= 0) {
        format_put(out, ",\"rtt_ms\":");
        tcpdiag_put_ms(out, answer->rtt_us);
    }
    format_put(out, "}");
}

size_t control_json(const struct control *control, char *buffer, size_t size)
{
    struct tcpdiag_out out = format_begin(buffer, size);
    char sentence[CONTROL_SENTENCE_SIZE];
    format_put(&out, "{");
    format_json_address(&out, "network.peer.address", &control->target);
    format_put(&out, ",\"host\":\"%s\",\"asked\":[",
               control->alive    ? "alive"
               : control->silent ? "silent"
                                 : "unknown");
    for (unsigned i = 0; i < control->count; i++) {
        format_put(&out, i ? "," : "");
        put_answer_json(&out, &control->answers[i]);
    }
    format_put(&out, "],\"duration_ms\":");
    tcpdiag_put_ms(&out, control->duration_ns / 1000);
    format_put(&out, ",");
    control_sentence(control, sentence, sizeof sentence);
    format_json_string(&out, "message", sentence);
    format_put(&out, "}");
    return format_end(&out, buffer);
}
