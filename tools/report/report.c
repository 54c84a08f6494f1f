/* SPDX-License-Identifier: MIT */
#include "tools/report/report.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "probe/base/terminal.h"
#include "tools/base/util.h"
#include "tools/log/journal.h"
#include "tools/log/logs.h"
#include "tools/report/tally_text.h"

static const char usage[] =
    "usage: tcpdiag report [--all] [--json] [LOG...]\n"
    "Says what failed, why, and what to do next, from the logs of libtcpdiag.so.\n"
    "\n"
    "  -a, --all   also what did not fail\n"
    "  -j, --json  one JSON document for programs\n"
    "\n"
    "LOG is a file, or - for standard input; without, what TCPDIAG_LOG names, else\n"
    "$XDG_STATE_HOME/tcpdiag/tcpdiag.jsonl (~/.local/state/tcpdiag/tcpdiag.jsonl).\n"
    "Exit status: 0 nothing failed, 1 something failed, 2 wrong usage or unread log.\n";

static void add_record(void *context, const struct logged *entry)
{
    tally_add(context, entry);
}

static void add_torn(void *context, const struct torn *half)
{
    tally_torn(context, half);
}

static bool wanted(const struct group *group, bool all)
{
    return all || group_failed(group);
}

static void show_names(const char *label, const struct names *names)
{
    char *text = names_text(names);
    if (*text)
        show_wrapped(stdout, label, text);
    free(text);
}

static void show_why(const struct group *group)
{
    char *errors = names_text(&group->errors);
    bool told = group->cause != TCPDIAG_CAUSE_NONE || !*errors;
    char *text = format("%s%s%s%s", group_meaning(group), told ? "" : " (", told ? "" : errors,
                        told ? "" : ")");
    show_wrapped(stdout, "why:", text);
    free(text);
    free(errors);
}

/* "refused / port-closed   db.staging:5432 (10.0.2.2)   3 times"; false where the line is too short
   to hold the addresses. */
static bool show_heading(const struct group *group)
{
    char *verdict = group_verdict(group);
    char *target = group_target(group, true);
    char *times = format("   %lu time%s\n", group->count, group->count == 1 ? "" : "s");
    bool narrow = strlen(verdict) + 3 + strlen(target) + strlen(times) - 1 <= TERMINAL_WIDTH;
    if (!narrow) {
        free(target);
        target = group_target(group, false);
    }
    printf("\n%s   ", verdict);
    show(stdout, target);
    fputs(times, stdout);
    free(times);
    free(target);
    free(verdict);
    return narrow;
}

static void show_group(const struct group *group)
{
    bool narrow = show_heading(group);
    show_why(group);
    if (group->unfinished > 0 && group->connect) {
        char *text =
            format("%lu ended while still connecting: the process is gone", group->unfinished);
        show_wrapped(stdout, "note:", text);
        free(text);
    }
    if (!narrow)
        show_names("address:", &group->addresses);
    show_names("seen by:", &group->programs);
    show_names("said by:", &group->senders);
    char *when = strcmp(group->first, group->last) == 0
                     ? copy(group->first)
                     : format("%s to %s", group->first, group->last);
    if (*when)
        show_wrapped(stdout, "when:", when);
    free(when);
    if (group->outcome != TCPDIAG_OUTCOME_NONE) {
        char *advice = group_advice(group);
        show_wrapped(stdout, "next:", advice);
        free(advice);
    }
}

static void show_tally(const struct tally *tally, bool all)
{
    char *text = tally_text(tally);
    puts(text);
    free(text);
    for (size_t i = 0; i < tally->group_count; i++)
        if (wanted(tally->groups[i], all))
            show_group(tally->groups[i]);
}

static json_t *json_names(const struct names *names)
{
    json_t *array = need(json_array());
    for (unsigned i = 0; i < names->count; i++)
        json_array_append_new(array, json_string(names->word[i]));
    return array;
}

static json_t *json_group(const struct group *group)
{
    bool ended = group->outcome != TCPDIAG_OUTCOME_NONE;
    const char *outcome = ended            ? tcpdiag_outcome_info(group->outcome)->name
                          : group->missing ? "unknown"
                                           : "pending";
    json_t *json = need(json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:s}", "event",
        group->connect ? "connect" : "resolve", "outcome", outcome, "target", group->target,
        "count", (json_int_t)group->count, "unfinished", (json_int_t)group->unfinished, "first",
        group->first, "last", group->last, "programs", json_names(&group->programs), "addresses",
        json_names(&group->addresses), "icmp_from", json_names(&group->senders), "errors",
        json_names(&group->errors), "meaning", group_meaning(group)));
    if (group->cause != TCPDIAG_CAUSE_NONE)
        json_object_set_new(json, "cause", json_string(tcpdiag_cause_info(group->cause)->name));
    if (group->port)
        json_object_set_new(json, "port", json_integer(group->port));
    if (ended) {
        char *advice = group_advice(group);
        json_object_set_new(json, "advice", json_string(advice));
        free(advice);
    }
    return json;
}

static void print_json(const struct tally *tally, unsigned long skipped, bool all)
{
    json_t *failures = need(json_array());
    json_t *others = need(json_array());
    for (size_t i = 0; i < tally->group_count; i++)
        json_array_append_new(group_failed(tally->groups[i]) ? failures : others,
                              json_group(tally->groups[i]));
    json_t *json = need(json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "attempts",
        (json_int_t)tally->attempts, "connected", (json_int_t)tally->connected, "resolved",
        (json_int_t)tally->resolved, "failed", (json_int_t)tally->failed, "abandoned",
        (json_int_t)tally->abandoned, "pending", (json_int_t)tally->pending, "unknown",
        (json_int_t)tally->unknown, "lost", (json_int_t)tally->lost, "torn",
        (json_int_t)tally->torn, "skipped_lines", (json_int_t)skipped, "failures", failures));
    if (all)
        json_object_set(json, "others", others);
    put_document(json);
    json_decref(others);
    json_decref(json);
}

int tcpdiag_report(int argc, char **argv)
{
    static const struct option options[] = {{"all", no_argument, NULL, 'a'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    bool all = false;
    bool json = false;
    struct tally tally = {0};
    struct journal journal = {
        .who = "report", .record = add_record, .torn = add_torn, .context = &tally};
    for (int option; (option = getopt_long(argc, argv, "ajh", options, NULL)) != -1;)
        switch (option) {
        case 'a':
            all = true;
            break;
        case 'j':
            json = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return finish_output(0);
        default:
            return STATUS_USAGE;
        }
    bool read = logs_read(&journal, argc - optind, argv + optind);
    tally_close(&tally);
    if (journal.skipped)
        complain("report: %lu line%s skipped", journal.skipped, journal.skipped == 1 ? "" : "s");
    if (json)
        print_json(&tally, journal.skipped, all);
    else if (read || tally.attempts)
        show_tally(&tally, all);
    int status = !read ? STATUS_USAGE : tally.failed > 0;
    tally_free(&tally);
    return finish_output(status);
}
