/* SPDX-License-Identifier: MIT */
#include "tools/compare/judge.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "shim/diagnosis/classify_lookup.h"
#include "tools/base/util.h"
#include "tools/compare/ask.h"
#include "tools/compare/destinations.h"
#include "tools/compare/process.h"
#include "tools/log/alive.h"

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[VERDICT_COUNT] = {
        [VERDICT_FINE] = "fine",
        [VERDICT_SAME] = "same",
        [VERDICT_DIFFERENT] = "different",
        [VERDICT_MENDED] = "mended",
        [VERDICT_ONLY_PROGRAM] = "only-program",
        [VERDICT_ONLY_PROBER] = "only-prober",
        [VERDICT_NOT_ASKED] = "not-asked",
    };
    return names[verdict];
}

/* Takes text over. */
static void add(struct destination *destination, const char *name, char *text)
{
    if (destination->reason_count < REASONS_MAX)
        destination->reasons[destination->reason_count++] = (struct reason){name, text};
    else
        free(text);
}

static bool works(const struct probed *probed)
{
    return probed && probed->outcome == TCPDIAG_CONNECTED;
}

static bool is_v6(const char *address)
{
    return strchr(address, ':') != NULL;
}

/* Another address of the name that connects now. */
static const struct probed *other_that_works(const struct comparison *comparison,
                                             const struct destination *destination)
{
    const struct looked_up *lookup = destination->lookup;
    for (unsigned i = 0; lookup && i < lookup->answers.count; i++) {
        const struct probed *probed =
            compare_probed(comparison, lookup->answers.word[i], destination->port);
        if (strcmp(lookup->answers.word[i], destination->peer) != 0 && works(probed))
            return probed;
    }
    return NULL;
}

/* The handshake takes longer now than the program waited then. */
static void see_time_limit(struct destination *destination)
{
    bool gave_up = destination->given_up || destination->cause == TCPDIAG_CAUSE_GAVE_UP_WAITING;
    if (gave_up && destination->ms >= 0 && destination->now->ms > destination->ms)
        add(destination, "time-limit",
            format("its own time limit of %.0f ms is shorter than the handshake takes, %.0f ms",
                   destination->ms, destination->now->ms));
}

static void see_other_answers(struct destination *destination)
{
    const struct looked_up *lookup = destination->lookup;
    if (!lookup || lookup->gai != 0 || lookup->answers.more ||
        strcmp(destination->server, destination->peer) == 0 ||
        names_have(&lookup->answers, destination->peer))
        return;
    char *answers = names_text(&lookup->answers);
    add(destination, "resolver",
        format("its resolver answered differently: it tried %s, the name has %s now",
               destination->peer, answers));
    free(answers);
}

static void see_other_address(struct destination *destination, const struct probed *other)
{
    if (is_v6(other->address) != is_v6(destination->peer))
        add(destination, "family",
            format("it tried an %s address, which fails from here as well; the %s address %s "
                   "connects",
                   is_v6(destination->peer) ? "IPv6" : "IPv4",
                   is_v6(other->address) ? "IPv6" : "IPv4", other->address));
    else
        add(destination, "address",
            format("it tried %s, which fails from here as well; %s connects", destination->peer,
                   other->address));
}

static void see_owner(struct destination *destination)
{
    long uid = process_other_user(destination->pid);
    if (uid < 0)
        return;
    add(destination, "user", format("it runs as another user, %ld", uid));
    char *rule = rule_against(uid);
    if (rule)
        add(destination, "rule", format("a rule of this machine matches its owner: %s", rule));
    free(rule);
}

/* A process of the same name and a later start is another: alive() sees to that. */
static void see_process(struct destination *destination)
{
    long pid = destination->pid;
    destination->process_gone = !alive(destination->host, pid, destination->time);
    if (destination->process_gone)
        return;
    if (process_other_network(pid))
        add(destination, "netns",
            format("it lives in another network namespace: tcpdiag compare --netns %ld asks from "
                   "there",
                   pid));
    see_owner(destination);
    if (destination->outcome == TCPDIAG_DENIED && process_filtered(pid))
        add(destination, "seccomp", copy("it runs under a seccomp filter"));
    char *resolver = destination->connect ? NULL : process_resolver(pid);
    if (resolver)
        add(destination, "resolver",
            format("its own /etc/resolv.conf is another: %s", *resolver ? resolver : "(empty)"));
    free(resolver);
}

/* Explains nothing by itself, but a person who looks for the server looks at the wrong place. */
static void see_proxy(struct destination *destination)
{
    char *proxy =
        destination->connect && alive(destination->host, destination->pid, destination->time)
            ? process_proxy(destination->pid, destination->server, destination->peer,
                            destination->port)
            : NULL;
    if (proxy)
        add(destination, "proxy",
            format("this destination is the proxy that its environment names: %s", proxy));
    free(proxy);
}

static enum verdict judge_failing(const struct comparison *comparison,
                                  struct destination *destination)
{
    const struct probed *other = other_that_works(comparison, destination);
    destination->fails_now = other == NULL;
    if (destination->failures == 0 && !destination->given_up)
        return VERDICT_ONLY_PROBER;
    const struct destination *elsewhere = compare_elsewhere(comparison, destination);
    if (other && !elsewhere) {
        see_other_answers(destination);
        if (destination->reason_count == 0)
            see_other_address(destination, other);
        return VERDICT_ONLY_PROGRAM;
    }
    if (elsewhere)
        add(destination, "elsewhere",
            format("the program itself connected to another address of the name: %s",
                   elsewhere->peer));
    bool same = destination->outcome == destination->now->outcome ||
                (destination->given_up && destination->now->outcome == TCPDIAG_TIMEOUT);
    return same ? VERDICT_SAME : VERDICT_DIFFERENT;
}

static enum verdict judge_connect(const struct comparison *comparison,
                                  struct destination *destination)
{
    if (!destination->now)
        return VERDICT_NOT_ASKED;
    if (!works(destination->now))
        return judge_failing(comparison, destination);
    see_time_limit(destination);
    if (destination->given_up)
        return destination->reason_count > 0 ? VERDICT_ONLY_PROGRAM : VERDICT_FINE;
    if (destination->failures == 0)
        return VERDICT_FINE;
    if (destination->recovered) /* the log itself says so */
        return VERDICT_MENDED;
    see_process(destination);
    return destination->reason_count > 0 ? VERDICT_ONLY_PROGRAM : VERDICT_MENDED;
}

static enum verdict judge_lookup(struct destination *destination)
{
    const struct looked_up *lookup = destination->lookup;
    if (!lookup)
        return VERDICT_NOT_ASKED;
    struct tcpdiag_verdict now = tcpdiag_classify_gai(lookup->gai);
    destination->fails_now = lookup->gai != 0;
    if (destination->fails_now && destination->failures == 0)
        return VERDICT_ONLY_PROBER;
    if (destination->fails_now)
        return now.cause == destination->cause ? VERDICT_SAME : VERDICT_DIFFERENT;
    if (destination->failures == 0)
        return VERDICT_FINE;
    if (destination->recovered)
        return VERDICT_MENDED;
    if (destination->cause == TCPDIAG_CAUSE_BAD_SERVICE)
        add(destination, "service",
            format("the name has addresses; it is the service that it asked for, %s, which "
                   "does not exist",
                   destination->service));
    else
        see_process(destination);
    return destination->reason_count > 0 ? VERDICT_ONLY_PROGRAM : VERDICT_MENDED;
}

void compare_judge(struct comparison *comparison, bool all)
{
    size_t kept = 0;
    for (size_t i = 0; i < comparison->wanted; i++) {
        struct destination *destination = comparison->list[i];
        destination->verdict = destination->connect ? judge_connect(comparison, destination)
                                                    : judge_lookup(destination);
        see_proxy(destination);
        if (!all && destination->given_up && destination->verdict == VERDICT_FINE)
            continue;
        comparison->list[i] = comparison->list[kept];
        comparison->list[kept++] = destination;
    }
    comparison->wanted = kept;
}
