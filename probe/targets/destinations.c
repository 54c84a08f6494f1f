/* SPDX-License-Identifier: MIT */
#include "probe/targets/destinations.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "probe/base/clock.h"
#include "probe/base/memory.h"
#include "probe/questions/dns_text.h"
#include "shim/evidence/endpoint.h"

enum {
    QUESTIONS_MAX = 64, /* targets in memory, most of them waiting for their lookup */
    EXPLAINED_MAX = 16, /* failed lookups that the name servers are asked about */
};

/* A target on its way to destinations. */
struct question {
    struct work work;
    struct question *next;
    struct walk *walk;
    struct target target;
    struct name *name; /* NULL: a block or an address */
    bool ready, told;
    uint32_t port, ports, address;
};

struct walk {
    struct walk_options options;
    struct source *source;
    struct pool *pool;
    struct question *first, **last;
    unsigned count;
    enum source_next source_said;
    unsigned explained; /* atomic: lookups run in several threads */
};

struct walk *walk_new(const struct walk_options *options, struct source *source, struct pool *pool)
{
    struct walk *walk = memory_new(sizeof *walk);
    walk->options = *options;
    walk->source = source;
    walk->pool = pool;
    walk->last = &walk->first;
    return walk;
}

void walk_release(struct name *name)
{
    if (!name || --name->references > 0)
        return;
    free(name->addresses);
    free(name->why);
    free(name);
}

static void free_question(struct question *question)
{
    walk_release(question->name);
    free(question);
}

void walk_free(struct walk *walk)
{
    while (walk->first) {
        struct question *next = walk->first->next;
        free_question(walk->first);
        walk->first = next;
    }
    free(walk);
}

static int keep_addresses(struct name *name, const struct addrinfo *list)
{
    uint32_t count = 0;
    for (const struct addrinfo *at = list; at; at = at->ai_next)
        count++;
    name->addresses = calloc(count + 1, sizeof *name->addresses);
    if (!name->addresses)
        return EAI_MEMORY;
    for (; list; list = list->ai_next) {
        struct tcpdiag_endpoint *address = &name->addresses[name->address_count];
        tcpdiag_endpoint_from(address, list->ai_addr, list->ai_addrlen);
        name->address_count += address->family != 0;
    }
    return name->address_count > 0 ? 0 : EAI_NONAME;
}

/* What the name servers say, which getaddrinfo does not tell. */
static void explain(struct walk *walk, struct name *name)
{
    if (!walk->options.explain ||
        __atomic_fetch_add(&walk->explained, 1, __ATOMIC_RELAXED) >= EXPLAINED_MAX)
        return;
    struct dns_request request = {.name = name->host, .family = walk->options.family};
    struct dns_result result;
    char lines[DNS_LINES_MAX][DNS_LINE_SIZE];
    dns_ask(&request, &result);
    unsigned count = dns_lines(&result, lines);
    char *at = name->why = memory_new((size_t)DNS_LINES_MAX * (DNS_LINE_SIZE + 1));
    for (unsigned i = 0; i < count; i++)
        at += sprintf(at, "%s\n", lines[i]);
}

static void look_up(struct work *work)
{
    struct question *question = (struct question *)work;
    struct name *name = question->name;
    struct addrinfo *list = NULL;
    struct addrinfo hints = {.ai_family = question->walk->options.family,
                             .ai_socktype = SOCK_STREAM};
    int64_t begin = clock_now(CLOCK_MONOTONIC);
    name->gai = getaddrinfo(name->host, NULL, &hints, &list);
    name->error = name->gai == EAI_SYSTEM ? errno : 0;
    name->lookup_ns = clock_now(CLOCK_MONOTONIC) - begin;
    name->wall_ns = clock_now(CLOCK_REALTIME);
    if (name->gai == 0) {
        name->gai = keep_addresses(name, list);
        freeaddrinfo(list);
    }
    if (name->gai != 0)
        explain(question->walk, name);
}

static void looked_up(struct work *work, void *context)
{
    (void)context;
    ((struct question *)work)->ready = true;
}

static void ask(struct walk *walk, struct question *question)
{
    struct name *name = memory_new(sizeof *name);
    memcpy(name->host, question->target.host, sizeof name->host);
    name->references = 1;
    name->port = question->ports == 1 ? target_port(&question->target, 0) : 0;
    question->name = name;
    question->work = (struct work){.run = look_up, .done = looked_up};
    if (pool_submit(walk->pool, &question->work))
        return;
    name->gai = EAI_SYSTEM;
    name->error = errno;
    name->wall_ns = clock_now(CLOCK_REALTIME);
    question->ready = true;
}

static void add(struct walk *walk, const struct target *target)
{
    struct question *question = memory_new(sizeof *question);
    question->walk = walk;
    question->target = *target;
    question->ports = target_port_count(target);
    question->ready = target->first.family != 0;
    if (!question->ready)
        ask(walk, question);
    *walk->last = question;
    walk->last = &question->next;
    walk->count++;
}

static void drop(struct walk *walk, struct question **link)
{
    struct question *question = *link;
    *link = question->next;
    if (!question->next)
        walk->last = link;
    walk->count--;
    free_question(question);
}

/* The link to the question whose turn it is. */
static struct question **ready(struct walk *walk)
{
    struct question **link = &walk->first;
    while (*link && !(*link)->ready) {
        if (walk->options.ordered)
            return NULL;
        link = &(*link)->next;
    }
    return *link ? link : NULL;
}

static struct name *reference(struct name *name)
{
    if (name)
        name->references++;
    return name;
}

/* False where the question has nothing more to give. */
static bool unfold(struct question *question, struct destination *to, enum walk_next *what)
{
    struct name *name = question->name;
    uint32_t addresses = name ? name->address_count : question->target.addresses;
    *what = WALK_LOOKUP;
    to->name = name;
    if (name && !question->told) {
        question->told = true;
        reference(name);
        return true;
    }
    if (question->port == question->ports || addresses == 0)
        return false;
    *what = WALK_DESTINATION;
    to->name = reference(name);
    to->index = question->address;
    to->peer = name ? name->addresses[question->address]
                    : target_address(&question->target, question->address);
    to->peer.port = target_port(&question->target, question->port);
    if (++question->address == addresses) {
        question->address = 0;
        question->port++;
    }
    return true;
}

enum walk_next walk_next(struct walk *walk, struct destination *destination)
{
    for (;;) {
        enum walk_next what;
        struct question **link = ready(walk);
        if (link) {
            if (unfold(*link, destination, &what))
                return what;
            drop(walk, link);
            continue;
        }
        if (walk->source_said == SOURCE_END)
            return walk->count > 0 ? WALK_LATER : WALK_END;
        if (walk->count == QUESTIONS_MAX)
            return WALK_LATER;
        struct target target;
        walk->source_said = source_next(walk->source, &target);
        if (walk->source_said == SOURCE_LATER)
            return WALK_LATER;
        if (walk->source_said == SOURCE_TARGET)
            add(walk, &target);
    }
}

int walk_fd(const struct walk *walk)
{
    return walk->source_said == SOURCE_LATER ? source_fd(walk->source) : -1;
}
