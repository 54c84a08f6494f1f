/* SPDX-License-Identifier: MIT */
#include "probe/modes/scan.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>

#include "probe/base/interrupt.h"
#include "probe/base/memory.h"
#include "probe/modes/follow.h"
#include "probe/results/identity.h"
#include "probe/results/order.h"

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
    struct pool *pool;
    struct walk *walk;
    struct engine *engine;
    struct follow *follow;
    struct group *group; /* whose addresses are being begun */
    uint64_t begun, ended;
    uint64_t targets, open; /* open: an address connected */
    int status;
    bool walked;    /* no further target will come */
    int watched_fd; /* of the source, -1: none */
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
    char service[IDENTITY_SERVICE_SIZE];
    struct result result = {.record = identity_lookup(name, service),
                            .port = name->port,
                            .name_ns = -1,
                            .asked = name->why};
    if (name->gai != 0) {
        scan->targets++;
        report_fold(&scan->status, status_of(&result.record));
    }
    deliver(scan, scan->begun++, &result);
    walk_release(name);
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
        *scan->group = (struct group){.name = name, .left = name->address_count, .status = -1};
    } else {
        walk_release(name); /* the group has its own */
    }
    return scan->group;
}

static enum engine_next later(struct scan *scan)
{
    int fd = walk_fd(scan->walk);
    if (fd >= 0 && scan->watched_fd < 0) {
        scan->watched_fd = fd;
        engine_watch(scan->engine, fd);
    }
    return ENGINE_LATER;
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
        switch (walk_next(scan->walk, &destination)) {
        case WALK_LOOKUP:
            lookup_ended(scan, destination.name);
            continue;
        case WALK_DESTINATION:
            *job = (struct job){destination.peer, group_of(scan, &destination), scan->begun++};
            return ENGINE_JOB;
        case WALK_LATER:
            return later(scan);
        default:
            scan->walked = true;
            return scan->ended < scan->begun ? ENGINE_LATER : ENGINE_NO_MORE;
        }
    }
}

static void count_end(struct scan *scan, struct group *group, int status)
{
    scan->open += status == 0 && !(group && group->open);
    if (!group) {
        report_fold(&scan->status, status);
        return;
    }
    group->open = group->open || status == 0;
    report_fold(&group->status, status);
    if (--group->left > 0)
        return;
    report_fold(&scan->status, group->open ? 0 : group->status);
    walk_release(group->name);
    free(group);
}

static void finished(void *context, uint64_t number, void *owner, const struct result *result)
{
    struct scan *scan = context;
    deliver(scan, number, result);
    count_end(scan, owner, status_of(&result->record));
    if (scan->options->until_open && scan->walked && scan->open == scan->targets)
        engine_stop(scan->engine);
}

static void ended(void *context, const struct job *job, struct tcpdiag_record *record)
{
    struct scan *scan = context;
    const struct group *group = job->owner;
    char address[TCPDIAG_ADDRESS_MAX];
    identity_name(record, group ? group->name : NULL, address);
    identity_sign(record);
    struct result result = {.record = *record, .name_ns = group ? group->name->lookup_ns : -1};
    if (!follow_begin(scan->follow, job->number, job->owner, &result))
        finished(scan, job->number, job->owner, &result);
}

static void readable(void *context, int fd)
{
    struct scan *scan = context;
    if (fd == pool_fd(scan->pool)) {
        pool_reap(scan->pool);
    } else if (fd == scan->watched_fd) {
        engine_unwatch(scan->engine, fd);
        scan->watched_fd = -1;
    }
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

static void held(void *context, enum dial_state why)
{
    (void)context;
    if (why == DIAL_NO_PORT)
        warnx("this machine has no free source port left: waiting for one");
}

/* Only people read it. */
static bool shows_why(const struct options *options)
{
    return options->output.form == OUTPUT_TEXT && !options->output.quiet;
}

struct scan_end scan_run(const struct scan_options *options, struct source *source,
                         struct pool *pool, const struct scan_client *client)
{
    struct scan scan = {
        .options = options, .client = client, .pool = pool, .status = -1, .watched_fd = -1};
    struct engine_client engine_client = {next, ended, readable, tick, idle, held, &scan};
    struct engine_options engine = options->options->engine;
    struct walk_options walk = {.family = options->options->source.family,
                                .ordered = options->options->ordered,
                                .explain = options->explain && shows_why(options->options)};
    struct follow_options follow = {.control = options->explain && !options->options->no_control,
                                    .trace = options->explain && options->options->trace,
                                    .limit_ns = engine.limit_ns};
    struct follow_client follow_client = {finished, &scan};
    engine.tick_ns = options->tick_ns;
    engine.deadline_ns = options->deadline_ns;
    scan.follow = follow_new(&follow, pool, &follow_client);
    scan.walk = walk_new(&walk, source, pool);
    scan.engine = memory_need(engine_new(&engine, &engine_client));
    engine_watch(scan.engine, pool_fd(pool));
    engine_watch(scan.engine, interrupt_fd());
    struct scan_end end = {.end = engine_run(scan.engine, &interrupt_stop)};
    follow_give_up(scan.follow);
    end.status = scan.status;
    end.each_open = scan.walked && scan.open == scan.targets;
    end.any_open = scan.open > 0;
    end.unfinished = scan.begun - scan.ended;
    engine_free(scan.engine);
    follow_free(scan.follow);
    if (end.end == ENGINE_DONE) /* else a lookup may be under way, and writes into the walk */
        walk_free(scan.walk);
    return end;
}
