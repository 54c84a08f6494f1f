/* SPDX-License-Identifier: MIT */
#include "probe/connect/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "probe/base/memory.h"
#include "shim/evidence/kernel.h"

enum {
    EVENTS = 256,
    /* Connects started between two looks at the sockets: each look costs a system call, and each
       start delays the moment at which an earlier answer is seen. */
    BURST = 32,
    /* Descriptors for everything that is no job: standard files, epoll, resolvers, their sockets.
     */
    RESERVED = 64,
};

/* TIME_WAIT lasts 60 s (TCP_TIMEWAIT_LEN in the kernel's net/tcp.h): a port that its own closed
   connections hold is free by then. */
#define PORTS_PATIENCE (65 * TCPDIAG_SECOND)
#define PORTS_RETRY (20 * TCPDIAG_MILLISECOND)

#define NONE UINT32_MAX
#define WATCHED (UINT64_C(1) << 63) /* epoll data: a descriptor of the client, not a slot */

/* All limits are equal, so the order of starting is the order of expiring: a list is the timer. */
struct slot {
    struct dial dial;
    struct job job;
    uint32_t newer, older; /* a free slot: older is the next free one */
};

struct engine {
    struct engine_options options;
    struct engine_client client;
    int epoll;
    struct slot *slots;
    uint32_t slot_count, free_slots;
    uint32_t oldest, newest;
    unsigned active;
    bool no_more;
    bool starved; /* the client said LATER, and nothing has happened since */
    int64_t wake; /* when it wants to be asked again, 0: it did not say */
    bool holding; /* a job that could not start */
    struct job held;
    int64_t held_since, held_retry;
    bool told[DIAL_NO_PORT + 1];
    int64_t next_tick;
    bool stopped;
};

unsigned engine_fit(unsigned wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {limit.rlim_max, limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    if (limit.rlim_cur >= (rlim_t)wanted + RESERVED)
        return wanted;
    return limit.rlim_cur > RESERVED ? (unsigned)(limit.rlim_cur - RESERVED) : 1;
}

struct engine *engine_new(const struct engine_options *options, const struct engine_client *client)
{
    struct engine *engine = memory_new(sizeof *engine);
    engine->options = *options;
    engine->client = *client;
    engine->free_slots = engine->oldest = engine->newest = NONE;
    engine->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (engine->epoll >= 0)
        return engine;
    free(engine);
    return NULL;
}

static void unlink_slot(struct engine *engine, uint32_t index)
{
    struct slot *slot = &engine->slots[index];
    *(slot->older == NONE ? &engine->oldest : &engine->slots[slot->older].newer) = slot->newer;
    *(slot->newer == NONE ? &engine->newest : &engine->slots[slot->newer].older) = slot->older;
    slot->older = engine->free_slots;
    engine->free_slots = index;
    engine->active--;
}

void engine_free(struct engine *engine)
{
    while (engine->oldest != NONE) {
        dial_drop(&engine->slots[engine->oldest].dial);
        unlink_slot(engine, engine->oldest);
    }
    close(engine->epoll);
    free(engine->slots);
    free(engine);
}

void engine_watch(struct engine *engine, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = WATCHED | (uint64_t)fd};
    epoll_ctl(engine->epoll, EPOLL_CTL_ADD, fd, &event);
}

void engine_unwatch(struct engine *engine, int fd)
{
    epoll_ctl(engine->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/* The slots are as many as were ever needed at once. */
static void make_slot(struct engine *engine)
{
    if (engine->free_slots != NONE)
        return;
    uint32_t count = engine->slot_count ? 2 * engine->slot_count : 16;
    engine->slots = memory_need(realloc(engine->slots, count * sizeof *engine->slots));
    for (uint32_t i = count; i-- > engine->slot_count;) {
        engine->slots[i].older = engine->free_slots;
        engine->free_slots = i;
    }
    engine->slot_count = count;
}

static void link_newest(struct engine *engine, uint32_t index)
{
    struct slot *slot = &engine->slots[index];
    engine->free_slots = slot->older;
    slot->older = engine->newest;
    slot->newer = NONE;
    *(engine->newest == NONE ? &engine->oldest : &engine->slots[engine->newest].newer) = index;
    engine->newest = index;
    engine->active++;
}

static void tell_end(struct engine *engine, const struct job *job, struct tcpdiag_record *record)
{
    engine->starved = false;
    engine->client.ended(engine->client.context, job, record);
}

/* Keeps the job that this machine has no room for; false where waiting is no help. */
static bool hold(struct engine *engine, const struct job *job, enum dial_state why)
{
    int64_t now = sys_nanoseconds(CLOCK_MONOTONIC);
    if (!engine->holding)
        engine->held_since = now;
    engine->holding = false;
    if (why == DIAL_NO_DESCRIPTOR && engine->active == 0)
        return false;
    if (why == DIAL_NO_PORT && now - engine->held_since >= PORTS_PATIENCE)
        return false;
    if (!engine->told[why])
        engine->client.held(engine->client.context, why);
    engine->told[why] = true;
    engine->holding = true;
    engine->held = *job;
    engine->held_retry = why == DIAL_NO_PORT ? now + PORTS_RETRY : INT64_MAX;
    return true;
}

/* False where nothing more can be started now. */
static bool start_job(struct engine *engine, const struct job *job)
{
    struct tcpdiag_record record = {0};
    uint32_t index = engine->free_slots;
    struct slot *slot = &engine->slots[index];
    slot->dial.peer = job->peer;
    enum dial_state state = dial_start(&slot->dial, &engine->options.dial, &record);
    if ((state == DIAL_NO_DESCRIPTOR || state == DIAL_NO_PORT) && hold(engine, job, state))
        return false;
    if (engine->holding)
        engine->starved = false;
    engine->holding = false;
    if (state != DIAL_PENDING) {
        tell_end(engine, job, &record);
        return true;
    }
    slot->job = *job;
    link_newest(engine, index);
    struct epoll_event event = {.events = EPOLLOUT, .data.u64 = index};
    if (epoll_ctl(engine->epoll, EPOLL_CTL_ADD, slot->dial.fd, &event) == 0)
        return true;
    /* fs.epoll.max_user_watches: a limit of this machine as well. */
    record.error = errno;
    dial_drop(&slot->dial);
    unlink_slot(engine, index);
    record.verdict =
        tcpdiag_classify_connect(record.ending, record.error, &record.peer, 0, &record.evidence);
    tell_end(engine, job, &record);
    return true;
}

/* True where more could be started at once. */
static bool start_some(struct engine *engine)
{
    for (int i = 0; i < BURST; i++) {
        struct job job;
        if (engine->active >= engine->options.jobs)
            return false;
        make_slot(engine);
        if (engine->holding) {
            job = engine->held;
            if (engine->starved && sys_nanoseconds(CLOCK_MONOTONIC) < engine->held_retry)
                return false;
        } else {
            if (engine->no_more || engine->starved)
                return false;
            engine->wake = 0;
            enum engine_next next =
                engine->client.next(engine->client.context, &job, &engine->wake);
            engine->no_more = next == ENGINE_NO_MORE;
            engine->starved = next == ENGINE_LATER;
            if (next != ENGINE_JOB)
                return false;
        }
        if (!start_job(engine, &job)) {
            engine->starved = true; /* until a job has ended */
            return false;
        }
    }
    return true;
}

static void expire(struct engine *engine)
{
    if (engine->oldest == NONE)
        return;
    int64_t due = sys_nanoseconds(CLOCK_MONOTONIC) - engine->options.limit_ns;
    while (engine->oldest != NONE && engine->slots[engine->oldest].dial.begin <= due) {
        struct tcpdiag_record record = {0};
        uint32_t index = engine->oldest;
        struct job job = engine->slots[index].job;
        dial_expire(&engine->slots[index].dial, &record);
        unlink_slot(engine, index);
        tell_end(engine, &job, &record);
    }
}

static void handle(struct engine *engine, const struct epoll_event *event)
{
    struct tcpdiag_record record = {0};
    if (event->data.u64 & WATCHED) {
        engine->starved = false;
        engine->client.readable(engine->client.context, (int)(event->data.u64 & ~WATCHED));
        return;
    }
    uint32_t index = (uint32_t)event->data.u64;
    struct job job = engine->slots[index].job;
    if (dial_check(&engine->slots[index].dial, &record) != DIAL_ENDED)
        return;
    unlink_slot(engine, index);
    tell_end(engine, &job, &record);
}

void engine_stop(struct engine *engine)
{
    engine->stopped = true;
}

static void sooner(int64_t *when, int64_t other)
{
    if (other < *when)
        *when = other;
}

/* Milliseconds until something is due, rounded up so that it is due then; -1: for ever. */
static int time_left(const struct engine *engine)
{
    int64_t when = INT64_MAX;
    if (engine->oldest != NONE)
        sooner(&when, engine->slots[engine->oldest].dial.begin + engine->options.limit_ns);
    if (engine->wake)
        sooner(&when, engine->wake);
    if (engine->holding)
        sooner(&when, engine->held_retry);
    if (engine->options.deadline_ns)
        sooner(&when, engine->options.deadline_ns);
    if (engine->options.tick_ns)
        sooner(&when, engine->next_tick);
    if (when == INT64_MAX)
        return -1;
    int64_t left = when - sys_nanoseconds(CLOCK_MONOTONIC);
    int64_t ms = left <= 0 ? 0 : (left + TCPDIAG_MILLISECOND - 1) / TCPDIAG_MILLISECOND;
    return ms < 1000000 ? (int)ms : 1000000;
}

enum engine_end engine_run(struct engine *engine, const volatile sig_atomic_t *stop)
{
    struct epoll_event events[EVENTS];
    for (;;) {
        bool more = start_some(engine);
        if (engine->stopped || (engine->no_more && engine->active == 0 && !engine->holding))
            return ENGINE_DONE;
        int wait = more ? 0 : time_left(engine);
        if (wait != 0)
            engine->client.idle(engine->client.context);
        int count = epoll_wait(engine->epoll, events, EVENTS, wait);
        if (*stop)
            return ENGINE_INTERRUPTED;
        for (int i = 0; i < count; i++)
            handle(engine, &events[i]);
        expire(engine);
        int64_t now = sys_nanoseconds(CLOCK_MONOTONIC);
        if (engine->wake && now >= engine->wake)
            engine->starved = false;
        if (engine->options.tick_ns && now >= engine->next_tick) {
            engine->next_tick = now + engine->options.tick_ns;
            engine->client.tick(engine->client.context);
        }
        if (engine->options.deadline_ns && now >= engine->options.deadline_ns)
            return ENGINE_DEADLINE;
    }
}
