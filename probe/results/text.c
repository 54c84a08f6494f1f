/* SPDX-License-Identifier: MIT */
#include "probe/results/text.h"

#include <string.h>

#include "probe/base/format.h"
#include "probe/base/wrap.h"
#include "shim/diagnosis/advice.h"
#include "shim/diagnosis/names.h"
#include "shim/diagnosis/sentence.h"
#include "shim/diagnosis/text.h"

enum {
    OUTCOME_WIDTH = 9,
    CAUSE_WIDTH = 18,
    TIME_WIDTH = 10,
    REST_WIDTH = 1 + OUTCOME_WIDTH + 1 + CAUSE_WIDTH + 1 + TIME_WIDTH,
    COLOUR_BYTES = 9, /* "\033[32m" and "\033[0m", which take no room */
    LINE_SIZE = 1024,
};

/* Blanks up to a column, and one at least. */
static void pad(struct tcpdiag_out *out, const char *begin, int width)
{
    static const char blanks[] = "                                        ";
    int missing = width - (int)(out->at - begin);
    tcpdiag_put(out, blanks, missing > 0 ? (size_t)missing : 1);
}

static const char *colour_of(const struct tcpdiag_verdict *verdict)
{
    if (tcpdiag_outcome_info(verdict->outcome)->exit_status != 0)
        return "\033[31m";
    return verdict->cause != TCPDIAG_CAUSE_NONE ? "\033[33m" : "\033[32m";
}

static void put_word(struct tcpdiag_out *out, const char *word, int width, const char *colour)
{
    tcpdiag_put_string(out, colour);
    const char *begin = out->at;
    tcpdiag_put_string(out, word);
    if (*colour)
        tcpdiag_put_literal(out, "\033[0m");
    pad(out, begin, width + 1 + (*colour ? 4 : 0));
}

/* Hundredths of a millisecond, to the right. */
static void put_time(struct tcpdiag_out *out, int64_t ns)
{
    char text[32];
    struct tcpdiag_out time = {text, text + sizeof text, false};
    uint64_t hundredths = (uint64_t)(ns + 5000) / 10000;
    tcpdiag_put_number(&time, hundredths / 100, 1);
    tcpdiag_put_literal(&time, ".");
    tcpdiag_put_number(&time, hundredths % 100, 2);
    tcpdiag_put_literal(&time, " ms");
    int length = (int)(time.at - text);
    for (int blanks = TIME_WIDTH - length; blanks > 0; blanks--)
        tcpdiag_put_literal(out, " ");
    tcpdiag_put(out, text, (size_t)length);
}

static void put_evidence(struct tcpdiag_out *out, const struct tcpdiag_record *record)
{
    const struct tcpdiag_evidence *e = &record->evidence;
    char address[TCPDIAG_ADDRESS_MAX];
    const char *name =
        record->error ? tcpdiag_errno_name(record->error) : tcpdiag_gai_name(record->gai);
    if (record->error || record->gai) {
        tcpdiag_put_literal(out, "  ");
        tcpdiag_put_string(out, name ? name : "unknown error");
    }
    if (e->icmp) {
        tcpdiag_address_text(&e->icmp_from, address);
        tcpdiag_put_literal(out, " by ");
        tcpdiag_put_string(out, address);
    }
    if (e->syn_retransmits > 0) {
        tcpdiag_put_literal(out, "  ");
        tcpdiag_put_number(out, (uint64_t)e->syn_retransmits, 1);
        tcpdiag_put_string(out, e->syn_retransmits == 1 ? " SYN resent" : " SYNs resent");
    }
}

/* Whether so many more bytes would leave the terminal. */
static bool too_long(const struct text *text, const char *line, const struct tcpdiag_out *out,
                     int more)
{
    int shown = (int)(out->at - line) - (text->colour ? COLOUR_BYTES : 0);
    return text->columns > 0 && shown + more > text->columns;
}

static void put_line(const struct text *text, FILE *file, const struct result *result)
{
    char target[RESULT_TARGET_SIZE];
    char evidence[LINE_SIZE];
    char line[LINE_SIZE];
    struct tcpdiag_out out = format_begin(line, sizeof line);
    const struct tcpdiag_record *record = &result->record;
    const struct tcpdiag_verdict *verdict = &record->verdict;
    int length = result_target(result, target);
    tcpdiag_put(&out, target, (size_t)length);
    if (text->columns > 0 && length > text->width && length + REST_WIDTH > text->columns) {
        tcpdiag_put_literal(&out, "\n");
        fwrite_unlocked(line, 1, format_end(&out, line), file);
        out = format_begin(line, sizeof line);
    }
    pad(&out, line, text->width + 1);
    put_word(&out, tcpdiag_outcome_info(verdict->outcome)->name, OUTCOME_WIDTH,
             text->colour ? colour_of(verdict) : "");
    put_word(&out, verdict->cause ? tcpdiag_cause_info(verdict->cause)->name : "", CAUSE_WIDTH, "");
    put_time(&out, record->duration_ns);

    struct tcpdiag_out more = format_begin(evidence, sizeof evidence);
    put_evidence(&more, record);
    if (record->event == TCPDIAG_CONNECT && result->name_ns >= 0) {
        tcpdiag_put_literal(&more, "  name ");
        tcpdiag_put_ms(&more, result->name_ns / 10000 * 10);
        tcpdiag_put_literal(&more, " ms");
    }
    size_t bytes = format_end(&more, evidence);
    if (too_long(text, line, &out, (int)bytes))
        tcpdiag_put_literal(&out, "\n  ");
    tcpdiag_put(&out, evidence, bytes);
    tcpdiag_put_literal(&out, "\n");
    fwrite_unlocked(line, 1, format_end(&out, line), file);
}

static void print_wrapped(FILE *file, const char *label, const char *words)
{
    char wrapped[2 * TCPDIAG_RECORD_MAX]; /* breaking a line costs at most label and newline */
    struct tcpdiag_out out = format_begin(wrapped, sizeof wrapped);
    wrap_text(&out, label, words);
    fwrite_unlocked(wrapped, 1, format_end(&out, wrapped), file);
}

static void print_meaning(FILE *file, const struct tcpdiag_record *record)
{
    char meaning[TCPDIAG_RECORD_MAX];
    tcpdiag_record_meaning(record, meaning, sizeof meaning);
    print_wrapped(file, "  why:  ", meaning);
}

static void print_advice(FILE *file, const struct tcpdiag_record *record)
{
    char name[256];
    char address[TCPDIAG_ADDRESS_MAX];
    char advice[TCPDIAG_ADVICE_MAX];
    snprintf(name, sizeof name, "%.*s", (int)record->name.length, record->name.bytes);
    tcpdiag_address_text(&record->peer, address);
    print_wrapped(file, "  next: ",
                  tcpdiag_advice_for(record->verdict.outcome, record->verdict.cause, name, address,
                                     advice, sizeof advice));
}

static void explain(struct text *text, FILE *file, const struct result *result)
{
    enum tcpdiag_outcome outcome = result->record.verdict.outcome;
    enum tcpdiag_cause cause = result->record.verdict.cause;
    bool well = tcpdiag_outcome_info(outcome)->exit_status == 0;
    bool *explained = &text->explained[outcome][cause];
    /* A slow handshake did connect, and still something is to be done. */
    if (text->quiet || result->expected || (well && cause == TCPDIAG_CAUSE_NONE))
        return;
    if (!*explained)
        print_meaning(file, &result->record);
    if (result->asked)
        print_wrapped(file, "  seen: ", result->asked);
    if (!*explained) /* once is enough for a thousand closed ports */
        print_advice(file, &result->record);
    *explained = true;
}

void text_result(struct text *text, FILE *file, const struct result *result)
{
    if (result_is_good_lookup(result))
        return;
    put_line(text, file, result);
    explain(text, file, result);
    if (result->trace_text)
        fputs(result->trace_text, file);
}
