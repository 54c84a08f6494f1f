/* SPDX-License-Identifier: MIT */
#include "shim/diagnosis/record.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "shim/diagnosis/names.h"
#include "shim/diagnosis/sentence.h"
#include "shim/diagnosis/text.h"
#include "shim/diagnosis/version.h"

/* Room in the line for each text from outside, escaped. A host name has at most 253 bytes
   (RFC 1035), so only nonsense is ever cut; together with everything else the longest line stays
   under TCPDIAG_RECORD_MAX, which the unit tests and the fuzzer hold. */
enum { NAME_ROOM = 1100, SERVICE_ROOM = 200, EXECUTABLE_ROOM = 300, HOST_ROOM = 300 };

#define put_literal tcpdiag_put_literal
#define put_string tcpdiag_put_string

static void put_text_field(struct tcpdiag_out *out, const char *key,
                           const struct tcpdiag_text *text, size_t room)
{
    if (text->bytes == NULL)
        return;
    put_string(out, key);
    tcpdiag_put_json(out, text->bytes, text->length, room);
    put_literal(out, "\"");
}

/* A name, or for a number without one the number: "errno":"ECONNREFUSED", "errno":"524". */
static void put_code_field(struct tcpdiag_out *out, const char *key, const char *(*name_of)(int),
                           int number)
{
    if (number == 0) /* nearly always: the name is not even looked for */
        return;
    const char *name = name_of(number);
    put_string(out, key);
    if (name) {
        put_string(out, name);
    } else {
        if (number < 0)
            put_literal(out, "-");
        tcpdiag_put_number(out, number < 0 ? -(uint64_t)number : (uint64_t)number, 1);
    }
    put_literal(out, "\"");
}

static void put_evidence(struct tcpdiag_out *out, const struct tcpdiag_evidence *e)
{
    const char *separator = "";
    if (!e->icmp && e->syn_retransmits < 0 && e->rtt_us < 0)
        return;
    put_literal(out, ",\"evidence\":{");
    if (e->icmp) {
        put_literal(out, "\"icmp.type\":");
        tcpdiag_put_number(out, e->icmp_type, 1);
        put_literal(out, ",\"icmp.code\":");
        tcpdiag_put_number(out, e->icmp_code, 1);
        put_literal(out, ",\"icmp.from\":\"");
        tcpdiag_put_address(out, &e->icmp_from);
        put_literal(out, "\"");
        separator = ",";
    }
    if (e->syn_retransmits >= 0) {
        put_string(out, separator);
        put_literal(out, "\"syn_retransmits\":");
        tcpdiag_put_number(out, (uint64_t)e->syn_retransmits, 1);
        separator = ",";
    }
    if (e->rtt_us >= 0) {
        put_string(out, separator);
        put_literal(out, "\"rtt_ms\":");
        tcpdiag_put_ms(out, e->rtt_us);
    }
    put_literal(out, "}");
}

static void put_answers(struct tcpdiag_out *out, const struct tcpdiag_record *r)
{
    if (r->answer_count == 0)
        return;
    put_literal(out, ",\"dns.answers\":[");
    for (unsigned i = 0; i < r->answer_count && i < TCPDIAG_ANSWERS_MAX; i++) {
        put_string(out, i ? ",\"" : "\"");
        tcpdiag_put_address(out, &r->answers[i]);
        put_literal(out, "\"");
    }
    put_literal(out, "]");
}

static void put_peer(struct tcpdiag_out *out, const struct tcpdiag_endpoint *peer)
{
    if (peer->family == 0)
        return;
    put_literal(out, ",\"network.peer.address\":\"");
    tcpdiag_put_address(out, peer);
    put_literal(out, "\",\"network.peer.port\":");
    tcpdiag_put_number(out, peer->port, 1);
    put_string(out, peer->family == AF_INET6 ? ",\"network.type\":\"ipv6\""
                                             : ",\"network.type\":\"ipv4\"");
}

static void put_result(struct tcpdiag_out *out, const struct tcpdiag_record *r)
{
    put_literal(out, ",\"outcome\":\"");
    put_string(out, tcpdiag_outcome_info(r->verdict.outcome)->name);
    if (r->verdict.cause != TCPDIAG_CAUSE_NONE) {
        put_literal(out, "\",\"cause\":\"");
        put_string(out, tcpdiag_cause_info(r->verdict.cause)->name);
    }
    put_literal(out, "\"");
    put_code_field(out, ",\"errno\":\"", tcpdiag_errno_name, r->error);
    put_code_field(out, ",\"gai\":\"", tcpdiag_gai_name, r->gai);
    put_code_field(out, ",\"h_errno\":\"", tcpdiag_h_errno_name, r->h_error);
    put_literal(out, ",\"duration_ms\":");
    tcpdiag_put_ms(out, r->duration_ns / 1000);
}

static void put_process(struct tcpdiag_out *out, const struct tcpdiag_record *r)
{
    put_literal(out, ",\"process.pid\":");
    tcpdiag_put_number(out, (uint64_t)r->pid, 1);
    put_literal(out, ",\"thread.id\":");
    tcpdiag_put_number(out, (uint64_t)r->tid, 1);
    put_text_field(out, ",\"process.executable.name\":\"", &r->who->executable, EXECUTABLE_ROOM);
    put_text_field(out, ",\"host.name\":\"", &r->who->host, HOST_ROOM);
}

size_t tcpdiag_record_json(const struct tcpdiag_record *r, char *buffer)
{
    struct tcpdiag_out out = {buffer, buffer + TCPDIAG_RECORD_MAX, false};
    put_literal(&out, "{\"time\":\"");
    tcpdiag_put_time(&out, r->wall_ns);
    put_string(&out, r->event == TCPDIAG_CONNECT ? "\",\"event\":\"connect\""
                                                 : "\",\"event\":\"resolve\"");
    put_string(&out, r->phase == TCPDIAG_BEGIN ? ",\"phase\":\"begin\"" : ",\"phase\":\"end\"");
    put_literal(&out, ",\"attempt\":\"");
    tcpdiag_put_hex(&out, r->who->start);
    put_literal(&out, "-");
    tcpdiag_put_number(&out, r->attempt, 1);
    put_literal(&out, "\"");
    if (r->phase == TCPDIAG_END)
        put_result(&out, r);
    put_text_field(&out, ",\"server.address\":\"", &r->name, NAME_ROOM);
    put_text_field(&out, ",\"service\":\"", &r->service, SERVICE_ROOM);
    put_peer(&out, &r->peer);
    if (r->event == TCPDIAG_CONNECT)
        put_literal(&out, ",\"network.transport\":\"tcp\"");
    if (r->phase == TCPDIAG_END && r->event == TCPDIAG_CONNECT)
        put_evidence(&out, &r->evidence);
    if (r->phase == TCPDIAG_END)
        put_answers(&out, r);
    if (r->blocking != TCPDIAG_BLOCKING_UNKNOWN)
        put_string(&out,
                   r->blocking == TCPDIAG_BLOCKING ? ",\"blocking\":true" : ",\"blocking\":false");
    put_process(&out, r);
    if (r->lost > 0) {
        put_literal(&out, ",\"lost\":");
        tcpdiag_put_number(&out, r->lost, 1);
    }
    put_literal(&out, ",\"tcpdiag.version\":\"" TCPDIAG_VERSION "\"");
    put_literal(&out, ",\"message\":\"");
    tcpdiag_put_sentence(&out, r);
    put_literal(&out, "\"}\n");
    return (size_t)(out.at - buffer);
}
