/* SPDX-License-Identifier: MIT */
#include "shim/diagnosis/record.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "shim/diagnosis/names.h"
#include "shim/diagnosis/text.h"
#include "shim/diagnosis/version.h"

/* Room in the line for each text from outside, escaped. A host name has at most 253 bytes
   (RFC 1035), so only nonsense is ever cut; together with everything else the longest line stays
   under TCPDIAG_RECORD_MAX, which the unit tests and the fuzzer hold. */
enum { NAME_ROOM = 1100, SERVICE_ROOM = 200, EXECUTABLE_ROOM = 300, HOST_ROOM = 300 };
enum { MESSAGE_NAME_ROOM = 300 };

#define put_literal tcpdiag_put_literal
#define put_string tcpdiag_put_string

/* "db.staging (10.0.2.2) port 5432", "db.staging", as much of it as is known. Escaped for JSON. */
static void put_target(struct tcpdiag_out *out, const struct tcpdiag_record *r)
{
    bool named = r->name.bytes != NULL && r->name.length > 0;
    bool addressed = r->peer.family != 0;
    if (named && addressed) {
        char text[TCPDIAG_ADDRESS_MAX];
        size_t length = tcpdiag_address_text(&r->peer, text);
        named = length != r->name.length || memcmp(text, r->name.bytes, length) != 0;
    }
    if (named)
        tcpdiag_put_json(out, r->name.bytes, r->name.length, MESSAGE_NAME_ROOM);
    if (named && addressed)
        put_literal(out, " (");
    if (addressed)
        tcpdiag_put_address(out, &r->peer);
    if (named && addressed)
        put_literal(out, ")");
    if (r->event == TCPDIAG_CONNECT && addressed) {
        put_literal(out, " port ");
        tcpdiag_put_number(out, r->peer.port, 1);
    }
}

static void put_begin_sentence(struct tcpdiag_out *out, const struct tcpdiag_record *r)
{
    if (r->event == TCPDIAG_CONNECT)
        put_literal(out, "connecting to ");
    else
        put_literal(out, "looking up ");
    put_target(out, r);
}

/* "; 10.0.2.1 answered ICMP port unreachable" */
static void put_witness(struct tcpdiag_out *out, const struct tcpdiag_record *r)
{
    const struct tcpdiag_evidence *e = &r->evidence;
    if (e->icmp) {
        put_literal(out, "; ");
        tcpdiag_put_address(out, &e->icmp_from);
        if (e->icmp_own)
            put_literal(out, " (this machine)");
        put_string(out, e->icmp_from.family == AF_INET6 ? " said ICMPv6 " : " said ICMP ");
        put_string(out, tcpdiag_icmp_name(e->icmp_from.family, e->icmp_type, e->icmp_code));
    }
    if (e->syn_retransmits > 0) {
        put_literal(out, "; SYN sent again ");
        tcpdiag_put_number(out, (uint64_t)e->syn_retransmits, 1);
        put_string(out, e->syn_retransmits == 1 ? " time" : " times");
    }
}

static void put_how_it_ended(struct tcpdiag_out *out, const struct tcpdiag_record *r)
{
    if (r->ending == TCPDIAG_ENDED_RESULT || r->ending == TCPDIAG_ENDED_FAILED ||
        r->ending == TCPDIAG_ENDED_UNSEEN || r->error != 0)
        return;
    if (r->ending == TCPDIAG_ENDED_PROCESS)
        put_literal(out, "; the process ended or replaced itself after ");
    else if (r->ending == TCPDIAG_ENDED_LIMIT)
        put_literal(out, "; the time limit of the client ran out after ");
    else
        put_literal(out, "; it closed the socket after ");
    tcpdiag_put_ms(out, r->duration_ns / 1000);
    put_literal(out, " ms");
}

/* "db.staging (10.0.2.2) port 5432: refused: a firewall rejects the port ...; 10.0.2.1 said ..." */
static void put_end_sentence(struct tcpdiag_out *out, const struct tcpdiag_record *r)
{
    put_target(out, r);
    put_literal(out, ": ");
    put_string(out, tcpdiag_outcome_info(r->verdict.outcome)->name);
    put_literal(out, ": ");
    put_string(out, r->verdict.cause != TCPDIAG_CAUSE_NONE
                        ? tcpdiag_cause_info(r->verdict.cause)->meaning
                        : tcpdiag_outcome_info(r->verdict.outcome)->meaning);
    if (r->verdict.cause == TCPDIAG_CAUSE_NONE && r->error != 0 && tcpdiag_errno_name(r->error)) {
        put_literal(out, " (");
        put_string(out, tcpdiag_errno_name(r->error));
        put_literal(out, ")");
    }
    if (r->event == TCPDIAG_CONNECT) {
        put_witness(out, r);
        put_how_it_ended(out, r);
    }
}

static void put_sentence(struct tcpdiag_out *out, const struct tcpdiag_record *r)
{
    if (r->phase == TCPDIAG_BEGIN)
        put_begin_sentence(out, r);
    else
        put_end_sentence(out, r);
}

size_t tcpdiag_record_message(const struct tcpdiag_record *record, char *buffer, size_t size)
{
    struct tcpdiag_out out = {buffer, buffer + size - 1, false};
    put_sentence(&out, record);
    *out.at = '\0';
    return (size_t)(out.at - buffer);
}

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
    put_sentence(&out, r);
    put_literal(&out, "\"}\n");
    return (size_t)(out.at - buffer);
}
