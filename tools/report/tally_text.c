/* SPDX-License-Identifier: MIT */
/* A tally in words. */
#include <stdlib.h>
#include <string.h>

#include "shim/diagnosis/advice.h"
#include "tools/base/util.h"
#include "tools/report/tally_text.h"

char *group_target(const struct group *group, bool with_addresses)
{
    bool bare = strchr(group->target, ':') != NULL;
    char *port = group->port ? format(":%ld", group->port) : copy("");
    char *addresses = names_text(&group->addresses);
    bool named = with_addresses && *addresses && strcmp(addresses, group->target) != 0;
    const char *target = *group->target ? group->target : "(no name)";
    char *text =
        format("%s%s%s%s%s%s%s", bare && *port ? "[" : "", target, bare && *port ? "]" : "", port,
               named ? " (" : "", named ? addresses : "", named ? ")" : "");
    free(port);
    free(addresses);
    return text;
}

char *group_verdict(const struct group *group)
{
    if (group->outcome == TCPDIAG_OUTCOME_NONE)
        return copy(group->missing ? "unknown" : "pending");
    const char *outcome = tcpdiag_outcome_info(group->outcome)->name;
    if (group->cause == TCPDIAG_CAUSE_NONE)
        return copy(outcome);
    return format("%s / %s", outcome, tcpdiag_cause_info(group->cause)->name);
}

const char *group_meaning(const struct group *group)
{
    if (group->missing)
        return "how it ended was lost: records of its process are missing or torn";
    if (group->outcome == TCPDIAG_OUTCOME_NONE)
        return "no end yet: the program is still at it";
    if (group->cut_short)
        return "the program ended while the name was still being looked up";
    if (group->cause != TCPDIAG_CAUSE_NONE)
        return tcpdiag_cause_info(group->cause)->meaning;
    return tcpdiag_outcome_info(group->outcome)->meaning;
}

/* A lookup that outlasted its program was waiting for a server: nothing is wrong with the name. */
char *group_advice(const struct group *group)
{
    const char *address = group->addresses.count > 0 ? group->addresses.word[0] : NULL;
    enum tcpdiag_cause cause = group->cut_short ? TCPDIAG_CAUSE_SERVER_FAILED : group->cause;
    return tcpdiag_advice_for(group->outcome, cause, group->target, address,
                              need(malloc(TCPDIAG_ADVICE_MAX)), TCPDIAG_ADVICE_MAX);
}

char *tally_text(const struct tally *tally)
{
    char *text;
    size_t size;
    FILE *to = need(open_memstream(&text, &size));
    fprintf(to, "%lu attempt%s: %lu connected, ", tally->attempts, tally->attempts == 1 ? "" : "s",
            tally->connected);
    if (tally->resolved)
        fprintf(to, "%lu resolved, ", tally->resolved);
    fprintf(to, "%lu failed", tally->failed);
    if (tally->abandoned)
        fprintf(to, ", %lu abandoned", tally->abandoned);
    if (tally->pending)
        fprintf(to, ", %lu pending", tally->pending);
    if (tally->unknown)
        fprintf(to, ", %lu unknown", tally->unknown);
    if (tally->lost)
        fprintf(to, " (%lu record%s lost)", tally->lost, tally->lost == 1 ? "" : "s");
    if (tally->torn)
        fprintf(to, " (%lu record%s torn)", tally->torn, tally->torn == 1 ? " is" : "s are");
    if (fclose(to) != 0)
        need(NULL);
    return text;
}
