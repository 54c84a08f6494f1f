/* SPDX-License-Identifier: MIT */
#include "probe/results/csv.h"

#include <inttypes.h>
#include <string.h>

#include "probe/base/format.h"
#include "shim/diagnosis/names.h"
#include "shim/diagnosis/sentence.h"

void csv_header(FILE *file)
{
    fputs("time,host,address,port,outcome,cause,error,duration_ms,name_ms,syn_retransmits,rtt_ms,"
          "icmp_type,icmp_code,icmp_from,message\n",
          file);
}

static void field(FILE *file, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fprintf(file, "%s,", text);
        return;
    }
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputs("\",", file);
}

/* Empty where it is not known. */
static void ms_field(FILE *file, int64_t us)
{
    char text[32];
    struct tcpdiag_out out = format_begin(text, sizeof text);
    if (us >= 0)
        tcpdiag_put_ms(&out, us);
    format_end(&out, text);
    field(file, text);
}

static void error_field(FILE *file, const struct tcpdiag_record *record)
{
    const char *name =
        record->error ? tcpdiag_errno_name(record->error) : tcpdiag_gai_name(record->gai);
    if (name)
        field(file, name);
    else if (record->error || record->gai)
        fprintf(file, "%d,", record->error ? record->error : record->gai);
    else
        fputc(',', file);
}

static void evidence_fields(FILE *file, const struct tcpdiag_evidence *e)
{
    char address[TCPDIAG_ADDRESS_MAX];
    if (e->syn_retransmits >= 0)
        fprintf(file, "%d", e->syn_retransmits);
    fputc(',', file);
    ms_field(file, e->rtt_us);
    if (!e->icmp) {
        fputs(",,,", file);
        return;
    }
    tcpdiag_address_text(&e->icmp_from, address);
    fprintf(file, "%d,%d,%s,", e->icmp_type, e->icmp_code, address);
}

void csv_result(FILE *file, const struct result *result)
{
    const struct tcpdiag_record *record = &result->record;
    bool connect = record->event == TCPDIAG_CONNECT;
    char text[TCPDIAG_RECORD_MAX];
    char address[TCPDIAG_ADDRESS_MAX] = "";
    uint16_t port = result_port(result);
    if (result_is_good_lookup(result))
        return; /* its time stands with each of its addresses */
    struct tcpdiag_out out = format_begin(text, sizeof text);
    tcpdiag_put_time(&out, record->wall_ns);
    format_end(&out, text);
    if (connect)
        tcpdiag_address_text(&record->peer, address);
    fprintf(file, "%s,%.*s,%s,", text, (int)record->name.length, record->name.bytes, address);
    if (port != 0)
        fprintf(file, "%" PRIu16, port);
    fprintf(file, ",%s,%s,", tcpdiag_outcome_info(record->verdict.outcome)->name,
            tcpdiag_cause_info(record->verdict.cause)->name);
    error_field(file, record);
    ms_field(file, record->duration_ns / 1000);
    ms_field(file, connect ? (result->name_ns < 0 ? -1 : result->name_ns / 1000)
                           : record->duration_ns / 1000);
    evidence_fields(file, &record->evidence);
    tcpdiag_record_message(record, text, sizeof text);
    fprintf(file, "\"%s\"\n", text); /* our own words, and names without quotes */
}
