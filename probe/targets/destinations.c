/* SPDX-License-Identifier: MIT */
#include "probe/targets/destinations.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

#include "probe/base/memory.h"
#include "shim/evidence/kernel.h"

enum {
    ENTRIES_MAX = 64,   /* targets in memory, most of them waiting for their lookup */
    EXPLAINED_MAX = 16, /* failed lookups that are explained */
};

/* A target on its way to destinations. */
struct entry {
    struct work work;
    struct entry *next;
    struct destinations *destinations;
    struct target target;
    struct name *name; /* NULL: a block or an address */
    bool ready, told;
    uint32_t port, ports, address;
};

struct destinations {
    struct destinations_options options;
    struct source *source;
    struct pool *pool;
    struct entry *first, **last;
    unsigned count;
    enum source_next source_said;
    unsigned explained; /* atomic: lookups run in several threads */
};

struct destinations *destinations_new(const struct destinations_options *options,
                                      struct source *source, struct pool *pool)
{
    struct destinations *destinations = memory_new(sizeof *destinations);
    destinations->options = *options;
    destinations->source = source;
    destinations->pool = pool;
    destinations->last = &destinations->first;
    return destinations;
}

static void free_entry(struct entry *entry)
{
    name_release(entry->name);
    free(entry);
}

void destinations_free(struct destinations *destinations)
{
    while (destinations->first) {
        struct entry *next = destinations->first->next;
        free_entry(destinations->first);
        destinations->first = next;
    }
    free(destinations);
}

static void look_up(struct work *work)
{
    struct entry *entry = (struct entry *)work;
    struct destinations *destinations = entry->destinations;
    const struct destinations_options *options = &destinations->options;
    name_look_up(entry->name, options->family);
    if (entry->name->gai != 0 && options->explain &&
        __atomic_fetch_add(&destinations->explained, 1, __ATOMIC_RELAXED) < EXPLAINED_MAX)
        options->explain(entry->name, options->family);
}

static void looked_up(struct work *work, void *context)
{
    (void)context;
    ((struct entry *)work)->ready = true;
}

static void begin_lookup(struct destinations *destinations, struct entry *entry)
{
    struct name *name = entry->name = name_new(&entry->target);
    entry->work = (struct work){.run = look_up, .done = looked_up};
    if (pool_submit(destinations->pool, &entry->work))
        return;
    name->gai = EAI_SYSTEM;
    name->error = errno;
    name->wall_ns = sys_nanoseconds(CLOCK_REALTIME);
    entry->ready = true;
}

static void add(struct destinations *destinations, const struct target *target)
{
    struct entry *entry = memory_new(sizeof *entry);
    entry->destinations = destinations;
    entry->target = *target;
    entry->ports = target_port_count(target);
    entry->ready = target->first.family != 0;
    if (!entry->ready)
        begin_lookup(destinations, entry);
    *destinations->last = entry;
    destinations->last = &entry->next;
    destinations->count++;
}

static void drop(struct destinations *destinations, struct entry **link)
{
    struct entry *entry = *link;
    *link = entry->next;
    if (!entry->next)
        destinations->last = link;
    destinations->count--;
    free_entry(entry);
}

/* The link to the entry whose turn it is. */
static struct entry **ready(struct destinations *destinations)
{
    struct entry **link = &destinations->first;
    while (*link && !(*link)->ready) {
        if (destinations->options.ordered)
            return NULL;
        link = &(*link)->next;
    }
    return *link ? link : NULL;
}

/* False where the entry has nothing more to give. */
static bool unfold(struct entry *entry, struct destination *to, enum destinations_next *what)
{
    struct name *name = entry->name;
    uint32_t addresses = name ? name->address_count : entry->target.addresses;
    *what = DESTINATIONS_LOOKUP;
    to->name = name;
    if (name && !entry->told) {
        entry->told = true;
        name_keep(name);
        return true;
    }
    if (entry->port == entry->ports || addresses == 0)
        return false;
    *what = DESTINATIONS_ONE;
    to->name = name_keep(name);
    to->index = entry->address;
    to->peer =
        name ? name->addresses[entry->address] : target_address(&entry->target, entry->address);
    to->peer.port = target_port(&entry->target, entry->port);
    if (++entry->address == addresses) {
        entry->address = 0;
        entry->port++;
    }
    return true;
}

enum destinations_next destinations_next(struct destinations *destinations,
                                         struct destination *destination)
{
    for (;;) {
        enum destinations_next what;
        struct entry **link = ready(destinations);
        if (link) {
            if (unfold(*link, destination, &what))
                return what;
            drop(destinations, link);
            continue;
        }
        if (destinations->source_said == SOURCE_END)
            return destinations->count > 0 ? DESTINATIONS_LATER : DESTINATIONS_END;
        if (destinations->count == ENTRIES_MAX)
            return DESTINATIONS_LATER;
        struct target target;
        destinations->source_said = source_next(destinations->source, &target);
        if (destinations->source_said == SOURCE_LATER)
            return DESTINATIONS_LATER;
        if (destinations->source_said == SOURCE_TARGET)
            add(destinations, &target);
    }
}

int destinations_fd(const struct destinations *destinations)
{
    return destinations->source_said == SOURCE_LATER ? source_fd(destinations->source) : -1;
}
