/* SPDX-License-Identifier: MIT */
#include "probe/results/result.h"

#include <string.h>

#include "probe/base/format.h"
#include "probe/base/memory.h"
#include "shim/diagnosis/outcome.h"

uint16_t result_port(const struct result *result)
{
    return result->record.event == TCPDIAG_CONNECT ? result->record.peer.port : result->port;
}

bool result_is_good_lookup(const struct result *result)
{
    return result->record.event != TCPDIAG_CONNECT &&
           tcpdiag_outcome_info(result->record.verdict.outcome)->exit_status == 0;
}

/* Whether the target's name is the address itself. */
static bool is_literal(const struct tcpdiag_record *record, const char *address)
{
    return !record->name.bytes || strchr(record->name.bytes, ':') ||
           (record->name.length == strlen(address) &&
            memcmp(record->name.bytes, address, record->name.length) == 0);
}

int result_target(const struct result *result, char text[RESULT_TARGET_SIZE])
{
    const struct tcpdiag_record *record = &result->record;
    struct tcpdiag_out out = format_begin(text, RESULT_TARGET_SIZE);
    char address[TCPDIAG_ADDRESS_MAX] = "";
    bool connect = record->event == TCPDIAG_CONNECT;
    uint16_t port = result_port(result);
    if (connect)
        tcpdiag_address_text(&record->peer, address);
    bool literal = connect && is_literal(record, address);
    bool brackets = literal && strchr(address, ':');
    tcpdiag_put_string(&out, brackets ? "[" : "");
    if (literal)
        tcpdiag_put_string(&out, address);
    else
        tcpdiag_put(&out, record->name.bytes, record->name.length);
    tcpdiag_put_string(&out, brackets ? "]" : "");
    if (port != 0) {
        tcpdiag_put_literal(&out, ":");
        tcpdiag_put_number(&out, port, 1);
    }
    if (connect && !literal) {
        tcpdiag_put_literal(&out, " [");
        tcpdiag_put_string(&out, address);
        tcpdiag_put_literal(&out, "]");
    }
    return (int)format_end(&out, text);
}

/* A copy's room, and where its next text goes. */
struct texts {
    size_t bytes;
    char *at; /* NULL: the bytes are only counted */
};

static const char *keep(struct texts *texts, const char *bytes, size_t length)
{
    char *to = texts->at;
    texts->bytes += bytes ? length + 1 : 0;
    if (!bytes || !to)
        return bytes;
    memcpy(to, bytes, length);
    to[length] = '\0';
    texts->at += length + 1;
    return to;
}

static void keep_all(struct texts *texts, struct result *result)
{
    const char **const strings[] = {&result->asked, &result->trace_text, &result->dns_json,
                                    &result->control_json, &result->trace_json};
    struct tcpdiag_text *const spans[] = {&result->record.name, &result->record.service};
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        spans[i]->bytes = keep(texts, spans[i]->bytes, spans[i]->length);
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        *strings[i] = keep(texts, *strings[i], *strings[i] ? strlen(*strings[i]) : 0);
}

struct result *result_copy(const struct result *result)
{
    struct result scratch = *result;
    struct texts texts = {0};
    keep_all(&texts, &scratch);
    struct result *own = memory_new(sizeof *own + texts.bytes);
    *own = *result;
    texts.at = (char *)(own + 1);
    keep_all(&texts, own);
    return own;
}
