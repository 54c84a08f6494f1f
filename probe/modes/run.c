/* SPDX-License-Identifier: MIT */
#include "probe/modes/run.h"

#include <err.h>
#include <string.h>

#include "probe/base/interrupt.h"
#include "probe/base/memory.h"
#include "probe/results/identity.h"

static enum engine_next next(void *context, struct job *job, int64_t *wake_ns)
{
    struct run *run = context;
    return run->client.next(run->client.context, job, wake_ns);
}

static void ended(void *context, const struct job *job, struct tcpdiag_record *record)
{
    struct run *run = context;
    run->client.ended(run->client.context, job, record);
}

static void readable(void *context, int fd)
{
    struct run *run = context;
    if (fd == pool_fd(run->pool)) {
        pool_reap(run->pool);
    } else if (fd == run->watched_fd) {
        engine_unwatch(run->engine, fd);
        run->watched_fd = -1;
    }
}

static void tick(void *context)
{
    struct run *run = context;
    run->client.tick(run->client.context);
}

static void idle(void *context)
{
    struct run *run = context;
    run->client.idle(run->client.context);
}

static void held(void *context, enum dial_state why)
{
    const struct run *run = context;
    if (why == DIAL_NO_PORT && !run->quiet)
        warnx("this machine has no free source port left: waiting for one");
}

void run_begin(struct run *run, const struct run_options *options, struct source *source,
               struct pool *pool, const struct run_client *client)
{
    struct engine_client engine_client = {next, ended, readable, tick, idle, held, run};
    *run = (struct run){.client = *client, .pool = pool, .watched_fd = -1, .quiet = options->quiet};
    run->destinations = destinations_new(&options->destinations, source, pool);
    run->engine = memory_need(engine_new(&options->engine, &engine_client));
    engine_watch(run->engine, pool_fd(pool));
    engine_watch(run->engine, interrupt_fd());
}

enum engine_end run_engine(struct run *run)
{
    return engine_run(run->engine, &interrupt_stop);
}

void run_free(struct run *run, bool looking_up)
{
    engine_free(run->engine);
    if (!looking_up)
        destinations_free(run->destinations);
}

enum destinations_next run_next(struct run *run, struct destination *destination)
{
    enum destinations_next what = destinations_next(run->destinations, destination);
    int fd = what == DESTINATIONS_LATER ? destinations_fd(run->destinations) : -1;
    if (fd >= 0 && run->watched_fd < 0) {
        run->watched_fd = fd;
        engine_watch(run->engine, fd);
    }
    return what;
}

struct result run_lookup_result(const struct name *name, char service[NAME_SERVICE_SIZE])
{
    struct result result = {.record = name_record(name, service),
                            .port = name->port,
                            .name_ns = -1,
                            .asked = name->why,
                            .dns_json = name->dns};
    identity_sign(&result.record);
    return result;
}

struct result run_connect_result(const struct tcpdiag_record *record, const struct name *name,
                                 char address[TCPDIAG_ADDRESS_MAX])
{
    struct result result = {.record = *record, .name_ns = name ? name->lookup_ns : -1};
    struct tcpdiag_text *asked = &result.record.name;
    if (name)
        *asked = (struct tcpdiag_text){name->host, strlen(name->host)};
    else
        *asked = (struct tcpdiag_text){address, tcpdiag_address_text(&record->peer, address)};
    identity_sign(&result.record);
    return result;
}
