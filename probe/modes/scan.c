/* SPDX-License-Identifier: MIT */
#include "probe/modes/scan.h"

#include <stdlib.h>

#include "probe/base/memory.h"
#include "probe/modes/follow.h"
#include "probe/modes/run.h"
#include "probe/results/status.h"

/* A name's addresses on one port: one target. A single address needs none of this. */
struct group {
    struct name *name;
    uint32_t left; /* addresses that have not ended */
    bool open;
    int status;
};

struct scan {
    const struct scan_options *options;
    const struct scan_client *client;
    struct run run;
    struct follow *follow;
    struct group *group; /* whose addresses are being begun */
    uint64_t begun, ended;
    uint64_t targets, open; /* open: an address connected */
    int status;
    bool all_begun; /* no further target will come */
};

static int status_of(const struct tcpdiag_record *record)
{
    return tcpdiag_outcome_info(record->verdict.outcome)->exit_status;
}

static void deliver(struct scan *scan, uint64_t number, const struct result *result)
{
    scan->ended++;
    scan->client->result(scan->client->context, number, result);
}

static void lookup_ended(struct scan *scan, struct name *name)
{
    char service[NAME_SERVICE_SIZE];
    struct result result = run_lookup_result(name, service);
    if (name->gai != 0) {
        scan->targets++;
        status_fold(&scan->status, status_of(&result.record));
    }
    deliver(scan, scan->begun++, &result);
    name_release(name);
}

/* The group that the destination belongs to; NULL for an address that was asked for itself. */
static struct group *group_of(struct scan *scan, const struct destination *destination)
{
    struct name *name = destination->name;
    if (!name || destination->index == 0)
        scan->targets++;
    if (!name)
        return NULL;
    if (destination->index == 0) {
        scan->group = memory_new(sizeof *scan->group);
        *scan->group =
            (struct group){.name = name, .left = name->address_count, .status = STATUS_NONE};
    } else {
        name_release(name); /* the group has its own */
    }
    return scan->group;
}

static enum engine_next next(void *context, struct job *job, int64_t *wake_ns)
{
    struct scan *scan = context;
    struct destination destination;
    (void)wake_ns;
    for (;;) {
        if (follow_full(scan->follow))
            return ENGINE_LATER;
        if (scan->client->may_begin && !scan->client->may_begin(scan->client->context, scan->begun))
            return ENGINE_LATER;
        switch (run_next(&scan->run, &destination)) {
        case DESTINATIONS_LOOKUP:
            lookup_ended(scan, destination.name);
            continue;
        case DESTINATIONS_ONE:
            *job = (struct job){destination.peer, group_of(scan, &destination), scan->begun++};
            return ENGINE_JOB;
        case DESTINATIONS_LATER:
            return ENGINE_LATER;
        default:
            scan->all_begun = true;
            return scan->ended < scan->begun ? ENGINE_LATER : ENGINE_NO_MORE;
        }
    }
}

static void count_end(struct scan *scan, struct group *group, int status)
{
    scan->open += status == 0 && !(group && group->open);
    if (!group) {
        status_fold(&scan->status, status);
        return;
    }
    group->open = group->open || status == 0;
    status_fold(&group->status, status);
    if (--group->left > 0)
        return;
    status_fold(&scan->status, group->open ? 0 : group->status);
    name_release(group->name);
    free(group);
}

static void finished(void *context, uint64_t number, void *owner, const struct result *result)
{
    struct scan *scan = context;
    deliver(scan, number, result);
    count_end(scan, owner, status_of(&result->record));
    if (scan->options->until_open && scan->all_begun && scan->open == scan->targets)
        engine_stop(scan->run.engine);
}

static void ended(void *context, const struct job *job, struct tcpdiag_record *record)
{
    struct scan *scan = context;
    const struct group *group = job->owner;
    char address[TCPDIAG_ADDRESS_MAX];
    struct result result = run_connect_result(record, group ? group->name : NULL, address);
    if (!follow_begin(scan->follow, job->number, job->owner, &result))
        finished(scan, job->number, job->owner, &result);
}

static void tick(void *context)
{
    struct scan *scan = context;
    scan->client->tick(scan->client->context);
}

static void idle(void *context)
{
    struct scan *scan = context;
    scan->client->idle(scan->client->context);
}

static void begin(struct scan *scan, struct source *source, struct pool *pool)
{
    const struct scan_options *options = scan->options;
    struct follow_options follow = {
        .control = options->control, .trace = options->trace, .limit_ns = options->engine.limit_ns};
    struct follow_client follow_client = {finished, scan};
    struct run_options run = {.engine = options->engine,
                              .destinations = {.family = options->family,
                                               .ordered = options->ordered,
                                               .explain = options->dns ? follow_lookup : NULL}};
    struct run_client run_client = {next, ended, tick, idle, scan};
    scan->follow = follow_new(&follow, pool, &follow_client);
    run_begin(&scan->run, &run, source, pool, &run_client);
}

struct scan_end scan_run(const struct scan_options *options, struct source *source,
                         struct pool *pool, const struct scan_client *client)
{
    struct scan scan = {.options = options, .client = client, .status = STATUS_NONE};
    begin(&scan, source, pool);
    struct scan_end end = {.end = run_engine(&scan.run)};
    follow_give_up(scan.follow);
    end.status = scan.status;
    end.each_open = scan.all_begun && scan.open == scan.targets;
    end.any_open = scan.open > 0;
    end.unfinished = scan.begun - scan.ended;
    run_free(&scan.run, end.end != ENGINE_DONE);
    follow_free(scan.follow);
    return end;
}
