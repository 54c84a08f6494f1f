/* SPDX-License-Identifier: MIT */
#include "tools/compare/destinations.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/util.h"

static int compare_places(const void *left, const void *right)
{
    const struct destination *a = left;
    const struct destination *b = right;
    int order = strcmp(a->server, b->server);
    if (order == 0)
        order = strcmp(a->peer, b->peer);
    if (order == 0)
        order = (a->port > b->port) - (a->port < b->port);
    if (order == 0)
        order = a->connect - b->connect;
    return order ? order : strcmp(a->executable, b->executable);
}

static int compare_failures(const void *left, const void *right)
{
    const struct destination *a = *(struct destination *const *)left;
    const struct destination *b = *(struct destination *const *)right;
    if (a->failures != b->failures)
        return a->failures < b->failures ? 1 : -1;
    return compare_places(a, b);
}

/* NULL where there are too many. */
static struct destination *destination_for(struct comparison *comparison,
                                           const struct logged *entry)
{
    struct destination key = {
        .connect = entry->connect,
        .executable = (char *)entry->executable,
        .server = (char *)entry->server,
        .peer = (char *)entry->peer,
        .port = entry->port,
    };
    struct destination **found = tfind(&key, &comparison->tree, compare_places);
    if (found)
        return *found;
    if (comparison->count == KEPT_MAX)
        return NULL;
    struct destination *new = need(calloc(1, sizeof *new));
    new->connect = key.connect;
    new->port = key.port;
    new->executable = copy(key.executable);
    new->server = copy(key.server);
    new->peer = copy(key.peer);
    new->time = copy("");
    new->host = copy("");
    new->error = copy("");
    new->service = copy("");
    need(tsearch(new, &comparison->tree, compare_places));
    if ((comparison->count & (comparison->count + 1)) == 0) /* doubles when full */
        comparison->list = need(
            realloc(comparison->list, (2 * comparison->count + 1) * sizeof(struct destination *)));
    comparison->list[comparison->count++] = new;
    return new;
}

static void set(char **field, const char *text)
{
    free(*field);
    *field = copy(text ? text : "");
}

static void clear(struct names *names)
{
    for (unsigned i = 0; i < names->count; i++)
        free(names->word[i]);
    *names = (struct names){.count = 0};
}

static void note_answers(struct destination *destination, const json_t *record)
{
    size_t i;
    json_t *answer;
    const json_t *answers = json_object_get(record, "dns.answers");
    clear(&destination->answers);
    json_array_foreach(answers, i, answer)
    {
        if (!json_is_string(answer))
            continue;
        if (destination->answers.count == NAMES_MAX)
            destination->answers.more = true;
        else
            destination->answers.word[destination->answers.count++] =
                copy(json_string_value(answer));
    }
}

static void describe(struct destination *destination, const struct logged *entry)
{
    const json_t *ms = json_object_get(entry->json, "duration_ms");
    destination->outcome = entry->outcome;
    destination->cause = entry->cause;
    destination->pid = entry->pid;
    destination->ms = json_is_number(ms) ? json_number_value(ms) : -1;
    set(&destination->time, entry->time);
    set(&destination->host, entry->host);
    set(&destination->error, entry->error);
    set(&destination->service, json_string_value(json_object_get(entry->json, "service")));
}

void compare_note(void *context, const struct logged *entry)
{
    struct comparison *comparison = context;
    if (entry->outcome == TCPDIAG_OUTCOME_NONE)
        return;
    struct destination *destination = destination_for(comparison, entry);
    if (!destination) {
        comparison->not_kept++;
        return;
    }
    bool failed = outcome_failed(entry->outcome);
    bool given_up = entry->outcome == TCPDIAG_ABANDONED;
    /* A log that was rotated or written by several processes need not be in order. */
    bool later = strcmp(entry->time, destination->time) >= 0;
    destination->attempts++;
    if (entry->outcome == TCPDIAG_RESOLVED)
        note_answers(destination, entry->json);
    if (failed ? destination->failures == 0 || later : destination->failures == 0 && later) {
        describe(destination, entry);
        destination->given_up = given_up;
    }
    if (later)
        destination->recovered = !failed && !given_up;
    destination->failures += failed;
}

const struct destination *compare_elsewhere(const struct comparison *comparison,
                                            const struct destination *destination)
{
    for (size_t i = 0; *destination->server && i < comparison->count; i++) {
        const struct destination *other = comparison->list[i];
        if (other != destination && other->connect && other->recovered &&
            other->port == destination->port && strcmp(other->server, destination->server) == 0 &&
            strcmp(other->executable, destination->executable) == 0)
            return other;
    }
    return NULL;
}

static bool is_wanted(const struct comparison *comparison, const struct destination *destination)
{
    return destination->failures > 0 || (destination->given_up && !destination->recovered &&
                                         !compare_elsewhere(comparison, destination));
}

void compare_choose(struct comparison *comparison, bool all)
{
    if (comparison->count > 0)
        qsort(comparison->list, comparison->count, sizeof(struct destination *), compare_failures);
    for (size_t i = 0; i < comparison->count; i++) {
        struct destination *one = comparison->list[i];
        if (!all && !is_wanted(comparison, one))
            continue;
        if (comparison->wanted == ASKED_MAX) {
            comparison->left_out++;
            continue;
        }
        memmove(&comparison->list[comparison->wanted + 1], &comparison->list[comparison->wanted],
                (i - comparison->wanted) * sizeof(struct destination *));
        comparison->list[comparison->wanted++] = one;
    }
}

static void free_destination(struct destination *destination)
{
    for (unsigned i = 0; i < destination->reason_count; i++)
        free(destination->reasons[i].text);
    clear(&destination->answers);
    free(destination->executable);
    free(destination->server);
    free(destination->peer);
    free(destination->time);
    free(destination->host);
    free(destination->error);
    free(destination->service);
    free(destination);
}

void compare_free(struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->count; i++) {
        tdelete(comparison->list[i], &comparison->tree, compare_places);
        free_destination(comparison->list[i]);
    }
    for (size_t i = 0; i < comparison->probed_count; i++) {
        free(comparison->probed[i].address);
        free(comparison->probed[i].message);
    }
    for (size_t i = 0; i < comparison->lookup_count; i++) {
        free(comparison->lookups[i].name);
        free(comparison->lookups[i].why);
        clear(&comparison->lookups[i].answers);
    }
    free(comparison->list);
    free(comparison->probed);
    free(comparison->lookups);
}
