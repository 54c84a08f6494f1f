/* SPDX-License-Identifier: MIT */
#include "probe/results/identity.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "probe/base/clock.h"
#include "shim/diagnosis/text.h"

static struct tcpdiag_text text_of(const char *string)
{
    return (struct tcpdiag_text){string, strlen(string)};
}

static const struct tcpdiag_identity *who(void)
{
    static struct tcpdiag_identity identity;
    static struct utsname host;
    if (identity.executable.bytes)
        return &identity;
    identity.executable = text_of(program_invocation_short_name);
    identity.start = (uint64_t)clock_now(CLOCK_REALTIME);
    if (uname(&host) == 0)
        identity.host = text_of(host.nodename);
    return &identity;
}

void identity_sign(struct tcpdiag_record *record)
{
    static uint64_t attempts;
    static int32_t pid;
    if (pid == 0)
        pid = (int32_t)getpid();
    record->who = who();
    record->attempt = ++attempts;
    record->pid = record->tid = pid; /* only the first thread makes records */
}

void identity_name(struct tcpdiag_record *record, const struct name *name,
                   char text[TCPDIAG_ADDRESS_MAX])
{
    if (name)
        record->name = text_of(name->host);
    else
        record->name = (struct tcpdiag_text){text, tcpdiag_address_text(&record->peer, text)};
}

struct tcpdiag_record identity_lookup(const struct name *name, char text[IDENTITY_SERVICE_SIZE])
{
    struct tcpdiag_record record = {
        .event = TCPDIAG_RESOLVE,
        .phase = TCPDIAG_END,
        .wall_ns = name->wall_ns,
        .duration_ns = name->lookup_ns,
        .gai = name->gai,
        .error = name->error,
        .verdict = tcpdiag_classify_gai(name->gai),
        .evidence = TCPDIAG_NO_EVIDENCE,
        .name = text_of(name->host),
    };
    struct tcpdiag_out out = {text, text + IDENTITY_SERVICE_SIZE - 1, false};
    if (name->port != 0) {
        tcpdiag_put_number(&out, name->port, 1);
        *out.at = '\0';
        record.service = text_of(text);
    }
    while (record.answer_count < TCPDIAG_ANSWERS_MAX && record.answer_count < name->address_count) {
        record.answers[record.answer_count] = name->addresses[record.answer_count];
        record.answer_count++;
    }
    identity_sign(&record);
    return record;
}
