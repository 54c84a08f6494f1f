/* SPDX-License-Identifier: MIT */
#include "tools/compare/compare.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/base/util.h"
#include "tools/compare/ask.h"
#include "tools/compare/destinations.h"
#include "tools/compare/judge.h"
#include "tools/compare/show.h"
#include "tools/log/logs.h"

static const char usage[] =
    "usage: tcpdiag compare [--all] [--json] [-w SECONDS] [--netns PID] [LOG...]\n"
    "Asks each destination that failed in a log again, from here and now, and puts\n"
    "what the program saw beside it: is it the network, or only the program?\n"
    "\n"
    "  -a, --all              also what did not fail\n"
    "  -j, --json             one JSON document for programs\n"
    "  -w, --timeout SECONDS  give each connect so long (10)\n"
    "      --netns PID        ask from the network namespace of this process\n"
    "\n"
    "LOG is a file, or - for standard input; without, the log of libtcpdiag.so.\n"
    "Exit status: 0 nothing fails now, 1 something fails now, 2 wrong usage, unread\n"
    "log, or a namespace that may not be entered.\n";

static int open_namespace(long pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/ns/%s", pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* Who owns the user namespace that the network namespace belongs to may enter both, in that order
   (setns(2)). */
static bool enter_as_owner(long pid, int network)
{
    int user = open_namespace(pid, "user");
    bool entered =
        user >= 0 && setns(user, CLONE_NEWUSER) == 0 && setns(network, CLONE_NEWNET) == 0;
    int error = errno;
    if (user >= 0)
        close(user);
    errno = error;
    return entered;
}

static bool enter_network(long pid)
{
    int network = open_namespace(pid, "net");
    bool entered = network >= 0 && (setns(network, CLONE_NEWNET) == 0 ||
                                    (errno == EPERM && enter_as_owner(pid, network)));
    int error = errno;
    if (network >= 0)
        close(network);
    if (entered)
        return true;
    if (error == ENOENT)
        complain("compare: --netns %ld: there is no such process", pid);
    else if (error == EPERM || error == EACCES || error == EINVAL)
        complain(
            "compare: --netns %ld: only root, or the owner of that namespace, may ask from there",
            pid);
    else
        complain("compare: --netns %ld: %s", pid, strerror(error));
    return false;
}

static bool take_pid(const char *text, long *pid)
{
    char *end;
    errno = 0;
    *pid = strtol(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && *pid > 0)
        return true;
    complain("compare: --netns %s: not a process number", text);
    return false;
}

static bool take_wait(const char *text)
{
    char *end;
    double seconds = strtod(text, &end);
    if (*text && text[strspn(text, "0123456789.")] == '\0' && *end == '\0' && seconds >= 0.001 &&
        seconds <= 1e6)
        return true;
    complain("compare: -w %s: not a number of seconds between 0.001 and 1000000", text);
    return false;
}

struct choice {
    bool all, json;
};

/* -1: go on; else the exit status. */
static int take_options(int argc, char **argv, struct choice *choice, struct comparison *comparison)
{
    enum { OPTION_NETNS = 256 };
    static const struct option options[] = {
        {"all", no_argument, NULL, 'a'},           {"json", no_argument, NULL, 'j'},
        {"timeout", required_argument, NULL, 'w'}, {"netns", required_argument, NULL, OPTION_NETNS},
        {"help", no_argument, NULL, 'h'},          {0}};
    for (int option; (option = getopt_long(argc, argv, "ajw:h", options, NULL)) != -1;)
        switch (option) {
        case 'a':
            choice->all = true;
            break;
        case 'j':
            choice->json = true;
            break;
        case 'w':
            if (!take_wait(optarg))
                return STATUS_USAGE;
            comparison->wait = optarg;
            break;
        case OPTION_NETNS:
            if (!take_pid(optarg, &comparison->netns))
                return STATUS_USAGE;
            break;
        case 'h':
            fputs(usage, stdout);
            return finish_output(0);
        default:
            return STATUS_USAGE;
        }
    return -1;
}

static void add_record(void *context, const struct logged *entry)
{
    tally_add(context, entry);
}

static void add_torn(void *context, const struct torn *half)
{
    tally_torn(context, half);
}

static bool read_logs(struct comparison *comparison, int count, char **paths)
{
    struct tally tally = {.attempt = compare_note, .context = comparison};
    struct journal journal = {
        .who = "compare", .record = add_record, .torn = add_torn, .context = &tally};
    bool read = logs_read(&journal, count, paths);
    tally_close(&tally);
    if (tally.torn)
        complain("compare: %lu record%s torn", tally.torn, tally.torn == 1 ? " is" : "s are");
    tally_free(&tally);
    if (journal.skipped)
        complain("compare: %lu line%s skipped", journal.skipped, journal.skipped == 1 ? "" : "s");
    return read;
}

static void complain_of_bounds(const struct comparison *comparison)
{
    if (comparison->left_out)
        complain("compare: %zu destination%s left out: %d are asked, those that failed most",
                 comparison->left_out, comparison->left_out == 1 ? "" : "s", ASKED_MAX);
    if (comparison->not_kept)
        complain("compare: %lu attempt%s to further destinations not looked at: the logs have more "
                 "than %d",
                 comparison->not_kept, comparison->not_kept == 1 ? "" : "s", KEPT_MAX);
}

static bool something_fails(const struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->wanted; i++)
        if (comparison->list[i]->fails_now || comparison->list[i]->verdict == VERDICT_NOT_ASKED)
            return true;
    return false;
}

int tcpdiag_compare(int argc, char **argv)
{
    struct choice choice = {false, false};
    struct comparison comparison = {.wait = "10"};
    int status = take_options(argc, argv, &choice, &comparison);
    if (status >= 0)
        return status;
    bool read = read_logs(&comparison, argc - optind, argv + optind);
    compare_choose(&comparison, choice.all);
    complain_of_bounds(&comparison);
    bool entered = comparison.netns == 0 || enter_network(comparison.netns);
    bool asked = entered && compare_ask(&comparison);
    if (asked) {
        compare_judge(&comparison, choice.all);
        if (choice.json)
            compare_print_json(&comparison);
        else if (read || comparison.wanted > 0)
            compare_show(&comparison);
    }
    status = !read || !asked ? STATUS_USAGE : something_fails(&comparison);
    compare_free(&comparison);
    return finish_output(status);
}
