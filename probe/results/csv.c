/* SPDX-License-Identifier: MIT */
/* CSV as RFC 4180 has it, but with the line ends of this system. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "probe/results/output.h"
#include "shim/diagnosis/names.h"
#include "shim/diagnosis/text.h"

void output_csv_header(void)
{
    puts("time,host,address,port,outcome,cause,error,duration_ms,name_ms,syn_retransmits,rtt_ms,"
         "icmp_type,icmp_code,icmp_from,message");
}

static void field(const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        printf("%s,", text);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    fputs("\",", stdout);
}

/* Empty where it is not known. */
static void ms_field(int64_t us)
{
    char text[32];
    struct tcpdiag_out out = {text, text + sizeof text - 1, false};
    if (us >= 0)
        tcpdiag_put_ms(&out, us);
    *out.at = '\0';
    field(text);
}

static void error_field(const struct tcpdiag_record *record)
{
    const char *name =
        record->error ? tcpdiag_errno_name(record->error) : tcpdiag_gai_name(record->gai);
    if (name)
        field(name);
    else if (record->error || record->gai)
        printf("%d,", record->error ? record->error : record->gai);
    else
        putchar(',');
}

static void evidence_fields(const struct tcpdiag_evidence *e)
{
    char address[TCPDIAG_ADDRESS_MAX];
    if (e->syn_retransmits >= 0)
        printf("%d", e->syn_retransmits);
    putchar(',');
    ms_field(e->rtt_us);
    if (!e->icmp) {
        fputs(",,,", stdout);
        return;
    }
    tcpdiag_address_text(&e->icmp_from, address);
    printf("%d,%d,%s,", e->icmp_type, e->icmp_code, address);
}

void output_csv(const struct result *result)
{
    const struct tcpdiag_record *record = &result->record;
    bool connect = record->event == TCPDIAG_CONNECT;
    char text[TCPDIAG_RECORD_MAX];
    char address[TCPDIAG_ADDRESS_MAX] = "";
    uint16_t port = connect ? record->peer.port : result->port;
    if (!connect && tcpdiag_outcome_info(record->verdict.outcome)->exit_status == 0)
        return; /* its time stands with each of its addresses */
    struct tcpdiag_out out = {text, text + sizeof text - 1, false};
    tcpdiag_put_time(&out, record->wall_ns);
    *out.at = '\0';
    if (connect)
        tcpdiag_address_text(&record->peer, address);
    printf("%s,%.*s,%s,", text, (int)record->name.length, record->name.bytes, address);
    if (port != 0)
        printf("%" PRIu16, port);
    printf(",%s,%s,", tcpdiag_outcome_info(record->verdict.outcome)->name,
           tcpdiag_cause_info(record->verdict.cause)->name);
    error_field(record);
    ms_field(record->duration_ns / 1000);
    ms_field(connect ? (result->name_ns < 0 ? -1 : result->name_ns / 1000)
                     : record->duration_ns / 1000);
    evidence_fields(&record->evidence);
    tcpdiag_record_message(record, text, sizeof text);
    printf("\"%s\"\n", text); /* our own words, and names without quotes */
}
