/* SPDX-License-Identifier: MIT */
#include "tools/report/tally.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/base/util.h"
#include "tools/log/alive.h"

/* A begin record whose end has not come yet: just enough to count it should none ever come. */
struct begin {
    char *host, *attempt, *time, *executable, *server, *peer;
    long pid, port;
    unsigned long sequence;
    bool connect;
};

/* A process, and the last of its records that said that others before it are lost. */
struct loser {
    char *host;
    long pid;
    unsigned long sequence;
};

struct moment {
    unsigned long sequence;
    double time;
};

enum ending { ENDED, CUT_SHORT, PENDING, MISSING };

bool outcome_failed(enum tcpdiag_outcome outcome)
{
    return outcome != TCPDIAG_OUTCOME_NONE && outcome != TCPDIAG_CONNECTED &&
           outcome != TCPDIAG_RESOLVED && outcome != TCPDIAG_ABANDONED;
}

bool group_failed(const struct group *group)
{
    return outcome_failed(group->outcome);
}

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

static int compare_losers(const void *left, const void *right)
{
    const struct loser *a = left;
    const struct loser *b = right;
    int order = (a->pid > b->pid) - (a->pid < b->pid);
    return order ? order : strcmp(a->host, b->host);
}

static int compare_attempts(const void *left, const void *right)
{
    return strcmp(left, right);
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
    if (order == 0)
        order = a->cut_short - b->cut_short;
    return order ? order : a->missing - b->missing;
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

/* Seconds since 1970, 0 where it is no time. */
static double when(const char *time)
{
    struct tm broken = {0};
    return strptime(time, "%Y-%m-%dT%H:%M:%S", &broken) ? (double)timegm(&broken) : 0;
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

static struct group *group_for(struct tally *tally, const struct logged *entry, enum ending ending)
{
    struct group key = {
        .outcome = entry->outcome,
        .cause = entry->cause,
        .connect = entry->connect,
        .cut_short = ending == CUT_SHORT && !entry->connect,
        .missing = ending == MISSING,
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

static void count(struct tally *tally, const struct logged *entry, enum ending ending)
{
    struct group *group = group_for(tally, entry, ending);
    group->count++;
    group->unfinished += ending == CUT_SHORT;
    widen(group, entry->time);
    name(&group->programs, entry->executable);
    name(&group->addresses, entry->peer);
    name(&group->senders, entry->sender);
    name(&group->errors, entry->error);
    tally->attempts++;
    tally->connected += entry->outcome == TCPDIAG_CONNECTED;
    tally->resolved += entry->outcome == TCPDIAG_RESOLVED;
    tally->abandoned += entry->outcome == TCPDIAG_ABANDONED;
    tally->pending += ending == PENDING;
    tally->unknown += ending == MISSING;
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
        .sequence = tally->sequence,
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

static void remember_loser(struct tally *tally, const struct logged *entry)
{
    struct loser key = {(char *)entry->host, entry->pid, tally->sequence};
    struct loser **found = tfind(&key, &tally->loser_tree, compare_losers);
    if (found) {
        (*found)->sequence = tally->sequence;
        return;
    }
    struct loser *loser = need(malloc(sizeof *loser));
    *loser = key;
    loser->host = copy(key.host);
    need(tsearch(loser, &tally->loser_tree, compare_losers));
}

void tally_add(struct tally *tally, const struct logged *entry)
{
    tally->sequence++;
    tally->now = when(entry->time);
    tally->lost += entry->lost;
    if (entry->lost > 0)
        remember_loser(tally, entry);
    if (!entry->end) {
        remember(tally, entry);
        return;
    }
    forget(tally, entry);
    count(tally, entry, ENDED);
}

static void remember_nameless(struct tally *tally)
{
    size_t count = tally->nameless_count;
    if (count > 0 && tally->nameless[count - 1].sequence == tally->sequence)
        return;
    if ((count & (count + 1)) == 0) /* doubles when full */
        tally->nameless = need(realloc(tally->nameless, (2 * count + 1) * sizeof *tally->nameless));
    tally->nameless[tally->nameless_count++] = (struct moment){tally->sequence, tally->now};
}

void tally_torn(struct tally *tally, const struct torn *half)
{
    tally->torn++;
    if (half->begin)
        return;
    if (!*half->attempt) {
        remember_nameless(tally);
        return;
    }
    char *attempt = copy(half->attempt);
    char **kept = need(tsearch(attempt, &tally->torn_tree, compare_attempts));
    if (*kept != attempt)
        free(attempt);
}

/* The end was written and is lost, or may be. */
static bool end_lost(const struct tally *tally, const struct begin *begin)
{
    struct loser key = {begin->host, begin->pid, 0};
    struct loser **loser = tfind(&key, &tally->loser_tree, compare_losers);
    return (loser && (*loser)->sequence > begin->sequence) ||
           tfind(begin->attempt, &tally->torn_tree, compare_attempts);
}

/* A half that does not say whose it is may be this attempt's end, if it came while the attempt can
   have been under way: the kernel gives a handshake up after 127 s, if not told otherwise. */
static bool end_torn(const struct tally *tally, const struct begin *begin)
{
    enum { HANDSHAKE_MAX = 130 };
    size_t low = 0, high = tally->nameless_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tally->nameless[middle].sequence < begin->sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low < tally->nameless_count &&
           tally->nameless[low].time - when(begin->time) <= HANDSHAKE_MAX;
}

/* No hook runs in a process that is killed: a begin without an end is how its last attempt looks,
   where no record is known to be missing. */
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
    enum ending ending = PENDING;
    if (end_lost(tally, begin))
        ending = MISSING;
    else if (!alive(begin->host, begin->pid, begin->time))
        ending = end_torn(tally, begin) ? MISSING : CUT_SHORT;
    if (ending == CUT_SHORT && begin->connect) {
        entry.outcome = TCPDIAG_TIMEOUT;
        entry.cause = TCPDIAG_CAUSE_GAVE_UP_WAITING;
    } else if (ending == CUT_SHORT) {
        entry.outcome = TCPDIAG_DNS;
    }
    count(tally, &entry, ending);
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

static void free_loser(void *pointer)
{
    struct loser *loser = pointer;
    free(loser->host);
    free(loser);
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
    tdestroy(tally->loser_tree, free_loser);
    tdestroy(tally->torn_tree, free);
    free(tally->nameless);
    free(tally->groups);
}
