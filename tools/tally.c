/* SPDX-License-Identifier: MIT */
#include "tools/tally.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "tools/alive.h"
#include "tools/util.h"

/* A begin record whose end has not come yet: just enough to count it should none ever come. */
struct begin {
    char *host, *attempt, *time, *executable, *server, *peer;
    long pid, port;
    bool connect;
};

static int compare_begins(const void *left, const void *right)
{
    const struct begin *a = left;
    const struct begin *b = right;
    int order = strcmp(a->attempt, b->attempt);
    if (order == 0)
        order = (a->pid > b->pid) - (a->pid < b->pid);
    if (order == 0)
        order = a->connect - b->connect;
    return order ? order : strcmp(a->host, b->host);
}

static int compare_keys(const void *left, const void *right)
{
    const struct group *a = left;
    const struct group *b = right;
    int order = strcmp(a->target, b->target);
    if (order == 0)
        order = (a->port > b->port) - (a->port < b->port);
    if (order == 0)
        order = (int)a->outcome - (int)b->outcome;
    if (order == 0)
        order = (int)a->cause - (int)b->cause;
    if (order == 0)
        order = a->connect - b->connect;
    return order ? order : a->cut_short - b->cut_short;
}

static int compare_counts(const void *left, const void *right)
{
    const struct group *a = *(struct group *const *)left;
    const struct group *b = *(struct group *const *)right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return compare_keys(a, b);
}

static void name(struct names *names, const char *word)
{
    if (!*word)
        return;
    for (unsigned i = 0; i < names->count; i++)
        if (strcmp(names->word[i], word) == 0)
            return;
    if (names->count < NAMES_MAX)
        names->word[names->count++] = copy(word);
    else
        names->more = true;
}

/* Times of one form and one zone compare as text (RFC 3339, 5.1). */
static void widen(struct group *group, const char *time)
{
    if (strcmp(time, group->first) < 0) {
        free(group->first);
        group->first = copy(time);
    }
    if (strcmp(time, group->last) > 0) {
        free(group->last);
        group->last = copy(time);
    }
}

static struct group *group_for(struct tally *tally, const struct logged *entry, bool unfinished)
{
    struct group key = {
        .outcome = entry->outcome,
        .cause = entry->cause,
        .connect = entry->connect,
        .cut_short = unfinished && !entry->connect,
        .target = (char *)(*entry->server ? entry->server : entry->peer),
        .port = entry->port,
    };
    struct group **found = tfind(&key, &tally->group_tree, compare_keys);
    if (found)
        return *found;
    struct group *group = need(malloc(sizeof *group));
    *group = key;
    group->target = copy(key.target);
    group->first = copy(entry->time);
    group->last = copy(entry->time);
    need(tsearch(group, &tally->group_tree, compare_keys));
    if ((tally->group_count & (tally->group_count + 1)) == 0) /* doubles when full */
        tally->groups =
            need(realloc(tally->groups, (2 * tally->group_count + 1) * sizeof *tally->groups));
    tally->groups[tally->group_count++] = group;
    return group;
}

static void count(struct tally *tally, const struct logged *entry, bool unfinished)
{
    struct group *group = group_for(tally, entry, unfinished);
    group->count++;
    group->unfinished += unfinished;
    widen(group, entry->time);
    name(&group->programs, entry->executable);
    name(&group->addresses, entry->peer);
    name(&group->senders, entry->sender);
    name(&group->errors, entry->error);
    tally->attempts++;
    tally->connected += entry->outcome == TCPDIAG_CONNECTED;
    tally->resolved += entry->outcome == TCPDIAG_RESOLVED;
    tally->abandoned += entry->outcome == TCPDIAG_ABANDONED;
    tally->pending += entry->outcome == TCPDIAG_OUTCOME_NONE;
    tally->failed += group_failed(group);
    if (tally->attempt)
        tally->attempt(tally->context, entry);
}

static void free_begin(void *pointer)
{
    struct begin *begin = pointer;
    free(begin->host);
    free(begin->attempt);
    free(begin->time);
    free(begin->executable);
    free(begin->server);
    free(begin->peer);
    free(begin);
}

static void remember(struct tally *tally, const struct logged *entry)
{
    struct begin *begin = need(malloc(sizeof *begin));
    *begin = (struct begin){
        .host = copy(entry->host),
        .attempt = copy(entry->attempt),
        .time = copy(entry->time),
        .executable = copy(entry->executable),
        .server = copy(entry->server),
        .peer = copy(entry->peer),
        .pid = entry->pid,
        .port = entry->port,
        .connect = entry->connect,
    };
    struct begin **kept = need(tsearch(begin, &tally->begin_tree, compare_begins));
    if (*kept != begin)
        free_begin(begin); /* the same file was named twice */
}

static void forget(struct tally *tally, const struct logged *entry)
{
    struct begin key = {
        .host = (char *)entry->host,
        .attempt = (char *)entry->attempt,
        .pid = entry->pid,
        .connect = entry->connect,
    };
    struct begin **found = tfind(&key, &tally->begin_tree, compare_begins);
    if (!found)
        return;
    struct begin *begin = *found;
    tdelete(&key, &tally->begin_tree, compare_begins);
    free_begin(begin);
}

void tally_add(struct tally *tally, const struct logged *entry)
{
    tally->lost += entry->lost;
    if (!entry->end) {
        remember(tally, entry);
        return;
    }
    forget(tally, entry);
    count(tally, entry, false);
}

/* No hook runs in a process that is killed: a begin without an end is how its last attempt looks.
 */
static void decide(struct tally *tally, const struct begin *begin)
{
    struct logged entry = {
        .connect = begin->connect,
        .time = begin->time,
        .host = begin->host,
        .pid = begin->pid,
        .executable = begin->executable,
        .server = begin->server,
        .peer = begin->peer,
        .port = begin->port,
        .error = "",
        .sender = "",
    };
    bool gone = !alive(begin->host, begin->pid, begin->time);
    if (gone && begin->connect) {
        entry.outcome = TCPDIAG_TIMEOUT;
        entry.cause = TCPDIAG_CAUSE_GAVE_UP_WAITING;
    } else if (gone) {
        entry.outcome = TCPDIAG_DNS;
    }
    count(tally, &entry, gone);
}

void tally_close(struct tally *tally)
{
    while (tally->begin_tree) {
        struct begin *begin = *(struct begin **)tally->begin_tree;
        decide(tally, begin);
        tdelete(begin, &tally->begin_tree, compare_begins);
        free_begin(begin);
    }
    if (tally->group_count > 0)
        qsort(tally->groups, tally->group_count, sizeof *tally->groups, compare_counts);
}

static void free_names(struct names *names)
{
    for (unsigned i = 0; i < names->count; i++)
        free(names->word[i]);
}

void tally_free(struct tally *tally)
{
    for (size_t i = 0; i < tally->group_count; i++) {
        struct group *group = tally->groups[i];
        tdelete(group, &tally->group_tree, compare_keys);
        free_names(&group->programs);
        free_names(&group->addresses);
        free_names(&group->senders);
        free_names(&group->errors);
        free(group->target);
        free(group->first);
        free(group->last);
        free(group);
    }
    free(tally->groups);
}
