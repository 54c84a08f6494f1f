/* SPDX-License-Identifier: MIT */
#include "shim/diagnosis/sentence.h"

#include <string.h>
#include <sys/socket.h>

#include "shim/diagnosis/names.h"

enum { NAME_ROOM = 300 }; /* for a name, escaped */

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
        tcpdiag_put_json(out, r->name.bytes, r->name.length, NAME_ROOM);
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

/* "a firewall rejects the port ...; 10.0.2.1 said ..." */
static void put_meaning(struct tcpdiag_out *out, const struct tcpdiag_record *r)
{
    put_string(out, r->verdict.cause != TCPDIAG_CAUSE_NONE
                        ? tcpdiag_cause_info(r->verdict.cause)->meaning
                        : tcpdiag_outcome_info(r->verdict.outcome)->meaning);
    const char *word = r->error != 0 ? tcpdiag_errno_name(r->error)
                       : r->gai != 0 ? tcpdiag_gai_name(r->gai)
                                     : NULL;
    if (r->verdict.cause == TCPDIAG_CAUSE_NONE && word) {
        put_literal(out, " (");
        put_string(out, word);
        put_literal(out, ")");
    }
    if (r->event == TCPDIAG_CONNECT) {
        put_witness(out, r);
        put_how_it_ended(out, r);
    }
}

/* "db.staging (10.0.2.2) port 5432: refused: a firewall rejects the port ...; 10.0.2.1 said ..." */
static void put_end_sentence(struct tcpdiag_out *out, const struct tcpdiag_record *r)
{
    put_target(out, r);
    put_literal(out, ": ");
    put_string(out, tcpdiag_outcome_info(r->verdict.outcome)->name);
    put_literal(out, ": ");
    put_meaning(out, r);
}

void tcpdiag_put_sentence(struct tcpdiag_out *out, const struct tcpdiag_record *r)
{
    if (r->phase == TCPDIAG_BEGIN)
        put_begin_sentence(out, r);
    else
        put_end_sentence(out, r);
}

size_t tcpdiag_record_message(const struct tcpdiag_record *record, char *buffer, size_t size)
{
    struct tcpdiag_out out = {buffer, buffer + size - 1, false};
    tcpdiag_put_sentence(&out, record);
    *out.at = '\0';
    return (size_t)(out.at - buffer);
}

size_t tcpdiag_record_meaning(const struct tcpdiag_record *record, char *buffer, size_t size)
{
    struct tcpdiag_out out = {buffer, buffer + size - 1, false};
    put_meaning(&out, record);
    *out.at = '\0';
    return (size_t)(out.at - buffer);
}
