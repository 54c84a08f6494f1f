/* SPDX-License-Identifier: MIT */
#include "tools/compare/show.h"
#include "shim/diagnosis/advice.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "shim/diagnosis/classify_lookup.h"
#include "shim/diagnosis/names.h"
#include "tools/base/util.h"
#include "tools/compare/judge.h"

static const char *const meanings[VERDICT_COUNT] = {
    [VERDICT_FINE] = "nothing failed, and it works",
    [VERDICT_SAME] =
        "the prober fails in the same way: the cause is the network or the host, not the program",
    [VERDICT_DIFFERENT] = "the prober fails in another way",
    [VERDICT_MENDED] = "mended since: it works now",
    [VERDICT_ONLY_PROGRAM] = "only the program fails",
    [VERDICT_ONLY_PROBER] = "only the prober fails: it worked for the program",
    [VERDICT_NOT_ASKED] = "could not be asked again",
};

static char *words(enum tcpdiag_outcome outcome, enum tcpdiag_cause cause)
{
    const char *finer = tcpdiag_cause_info(cause)->name;
    return format("%s%s%s", tcpdiag_outcome_info(outcome)->name, *finer ? " / " : "", finer);
}

static char *ms_text(double ms)
{
    return format(ms < 10 ? "%.1f ms" : "%.0f ms", ms);
}

static char *target(const struct destination *destination)
{
    const char *host = *destination->server ? destination->server : destination->peer;
    bool both = *destination->server && *destination->peer &&
                strcmp(destination->server, destination->peer) != 0;
    bool bracket = strchr(host, ':') != NULL;
    if (!destination->connect)
        return copy(host);
    return format("%s%s%s:%ld%s%s%s", bracket ? "[" : "", host, bracket ? "]" : "",
                  destination->port, both ? " (" : "", both ? destination->peer : "",
                  both ? ")" : "");
}

static char *then_text(const struct destination *destination)
{
    char *verdict = words(destination->outcome, destination->cause);
    char *often = destination->failures > 0
                      ? format("%lu of %lu failed, ", destination->failures, destination->attempts)
                      : copy("");
    char *took = destination->ms < 0 ? copy("its process ended") : ms_text(destination->ms);
    char *text = format("%s after %s (%s[%ld]; %slast %s)", verdict, took, destination->executable,
                        destination->pid, often, destination->time);
    free(verdict);
    free(often);
    free(took);
    return text;
}

static char *now_text(const struct destination *destination)
{
    const struct looked_up *lookup = destination->lookup;
    if (destination->connect && destination->now) {
        char *verdict = words(destination->now->outcome, destination->now->cause);
        char *took = ms_text(destination->now->ms);
        char *text = format("%s after %s", verdict, took);
        free(verdict);
        free(took);
        return text;
    }
    if (destination->connect || !lookup)
        return copy("no answer from the prober");
    if (lookup->gai == 0) {
        char *answers = names_text(&lookup->answers);
        char *text = format("resolved: %s", answers);
        free(answers);
        return text;
    }
    struct tcpdiag_verdict now = tcpdiag_classify_gai(lookup->gai);
    char *verdict = words(now.outcome, now.cause);
    char *text = format("%s. %s", verdict, lookup->why);
    free(verdict);
    return text;
}

static void show_next(const struct destination *destination, struct tcpdiag_verdict now)
{
    char advice[TCPDIAG_ADVICE_MAX];
    show_wrapped(stdout, "next:",
                 tcpdiag_advice_for(now.outcome, now.cause, destination->server, destination->peer,
                                    advice, sizeof advice));
}

static void show_advice(const struct destination *destination)
{
    if (!destination->fails_now)
        return;
    if (destination->connect && destination->now)
        show_next(destination,
                  (struct tcpdiag_verdict){destination->now->outcome, destination->now->cause});
    else if (!destination->connect && destination->lookup)
        show_next(destination, tcpdiag_classify_gai(destination->lookup->gai));
}

static void show_one(const struct destination *destination)
{
    char *name = target(destination);
    char *then = then_text(destination);
    char *now = now_text(destination);
    putchar('\n');
    show(stdout, name);
    putchar('\n');
    show_wrapped(stdout, "so:  ", meanings[destination->verdict]);
    show_wrapped(stdout, "then:", then);
    show_wrapped(stdout, "now: ", now);
    for (unsigned i = 0; i < destination->reason_count; i++)
        show_wrapped(stdout, "why: ", destination->reasons[i].text);
    if (destination->verdict == VERDICT_MENDED && destination->process_gone &&
        !destination->recovered)
        show_wrapped(stdout, "note:",
                     "the process is gone: tcpdiag cannot compare its settings with this shell's");
    show_advice(destination);
    free(name);
    free(then);
    free(now);
}

static char *count_text(const struct comparison *comparison)
{
    static const char *const labels[VERDICT_COUNT] = {
        [VERDICT_FINE] = "without a failure",
        [VERDICT_SAME] = "with the same failure from here",
        [VERDICT_DIFFERENT] = "with another failure from here",
        [VERDICT_MENDED] = "mended since",
        [VERDICT_ONLY_PROGRAM] = "failing only in the program",
        [VERDICT_ONLY_PROBER] = "failing only in the prober",
        [VERDICT_NOT_ASKED] = "not asked",
    };
    unsigned long counts[VERDICT_COUNT] = {0};
    char *text =
        format("%zu destination%s", comparison->wanted, comparison->wanted == 1 ? "" : "s");
    for (size_t i = 0; i < comparison->wanted; i++)
        counts[comparison->list[i]->verdict]++;
    const char *separator = ": ";
    for (int i = 0; i < VERDICT_COUNT; i++) {
        if (counts[i] == 0)
            continue;
        char *longer = format("%s%s%lu %s", text, separator, counts[i], labels[i]);
        free(text);
        text = longer;
        separator = ", ";
    }
    return text;
}

void compare_show(const struct comparison *comparison)
{
    char *text = count_text(comparison);
    if (comparison->wanted == 0)
        puts("nothing in the log failed: there is nothing to ask again");
    else
        puts(text);
    free(text);
    for (size_t i = 0; i < comparison->wanted; i++)
        show_one(comparison->list[i]);
}

static json_t *json_names(const struct names *names)
{
    json_t *array = need(json_array());
    for (unsigned i = 0; i < names->count; i++)
        json_array_append_new(array, json_string(names->word[i]));
    return array;
}

static void set_text(json_t *json, const char *key, const char *text)
{
    if (*text)
        json_object_set_new(json, key, json_string(text));
}

static void set_verdict(json_t *json, enum tcpdiag_outcome outcome, enum tcpdiag_cause cause)
{
    set_text(json, "outcome", tcpdiag_outcome_info(outcome)->name);
    set_text(json, "cause", tcpdiag_cause_info(cause)->name);
}

static json_t *json_then(const struct destination *destination)
{
    json_t *json = need(json_pack("{s:I, s:I}", "attempts", (json_int_t)destination->attempts,
                                  "failures", (json_int_t)destination->failures));
    set_verdict(json, destination->outcome, destination->cause);
    set_text(json, "time", destination->time);
    set_text(json, "error", destination->error);
    set_text(json, "process.executable.name", destination->executable);
    set_text(json, "host.name", destination->host);
    if (destination->pid)
        json_object_set_new(json, "process.pid", json_integer(destination->pid));
    if (destination->ms >= 0)
        json_object_set_new(json, "duration_ms", json_real(destination->ms));
    if (destination->recovered)
        json_object_set_new(json, "recovered", json_true());
    return json;
}

static json_t *json_now(const struct destination *destination)
{
    const struct looked_up *lookup = destination->lookup;
    json_t *json = need(json_object());
    if (destination->connect && destination->now) {
        set_verdict(json, destination->now->outcome, destination->now->cause);
        json_object_set_new(json, "duration_ms", json_real(destination->now->ms));
        set_text(json, "message", destination->now->message);
    } else if (!destination->connect && lookup) {
        struct tcpdiag_verdict now = tcpdiag_classify_gai(lookup->gai);
        set_verdict(json, now.outcome, now.cause);
        set_text(json, "message", lookup->why);
        if (lookup->gai != 0 && tcpdiag_gai_name(lookup->gai))
            set_text(json, "gai", tcpdiag_gai_name(lookup->gai));
    }
    if (lookup)
        json_object_set_new(json, "dns.answers", json_names(&lookup->answers));
    return json;
}

static json_t *json_one(const struct destination *destination)
{
    json_t *reasons = need(json_array());
    for (unsigned i = 0; i < destination->reason_count; i++)
        json_array_append_new(reasons,
                              json_pack("{s:s, s:s}", "reason", destination->reasons[i].name,
                                        "text", destination->reasons[i].text));
    json_t *json = need(json_pack(
        "{s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "event",
        destination->connect ? "connect" : "resolve", "verdict", verdict_name(destination->verdict),
        "meaning", meanings[destination->verdict], "fails_now", destination->fails_now, "then",
        json_then(destination), "now", json_now(destination), "reasons", reasons));
    set_text(json, "server.address", destination->server);
    set_text(json, "network.peer.address", destination->peer);
    if (destination->connect)
        json_object_set_new(json, "network.peer.port", json_integer(destination->port));
    if (destination->process_gone)
        json_object_set_new(json, "process_gone", json_true());
    return json;
}

void compare_print_json(const struct comparison *comparison)
{
    json_t *list = need(json_array());
    json_int_t failing = 0;
    for (size_t i = 0; i < comparison->wanted; i++) {
        failing += comparison->list[i]->fails_now;
        json_array_append_new(list, json_one(comparison->list[i]));
    }
    json_t *json = need(json_pack("{s:I, s:o}", "failing_now", failing, "destinations", list));
    if (comparison->left_out)
        json_object_set_new(json, "left_out", json_integer((json_int_t)comparison->left_out));
    if (comparison->not_kept)
        json_object_set_new(json, "attempts_not_kept",
                            json_integer((json_int_t)comparison->not_kept));
    if (comparison->netns)
        json_object_set_new(json, "netns_of_pid", json_integer(comparison->netns));
    put_document(json);
    json_decref(json);
}
