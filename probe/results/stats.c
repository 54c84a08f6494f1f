/* SPDX-License-Identifier: MIT */
#include "probe/results/stats.h"

#include <string.h>

enum { STEPS_BITS = 6, STEPS = 1 << STEPS_BITS };

/* Below 64 each number has its bucket; above, each octave has 64. */
static unsigned bucket_of(uint64_t ns)
{
    if (ns < STEPS)
        return (unsigned)ns;
    unsigned shift = 63U - (unsigned)__builtin_clzll(ns) - STEPS_BITS;
    uint64_t bucket = (uint64_t)(shift + 1) * STEPS + (ns >> shift) - STEPS;
    return bucket < STATS_BUCKETS ? (unsigned)bucket : STATS_BUCKETS - 1;
}

/* The middle of a bucket. */
static int64_t time_of(unsigned bucket)
{
    if (bucket < 2 * STEPS)
        return bucket;
    unsigned shift = bucket / STEPS - 1;
    return (int64_t)((uint64_t)(bucket % STEPS + STEPS) << shift) + ((INT64_C(1) << shift) >> 1);
}

void stats_connected(struct stats *stats, int64_t ns)
{
    if (ns < 0)
        ns = 0;
    if (stats->connected > 0)
        stats->steps += (double)(ns > stats->last ? ns - stats->last : stats->last - ns);
    if (stats->connected == 0 || ns < stats->min)
        stats->min = ns;
    if (ns > stats->max)
        stats->max = ns;
    stats->last = ns;
    stats->buckets[bucket_of((uint64_t)ns)]++;
    stats->recent[stats->tried % STATS_RECENT] = ns;
    stats->connected++;
    stats->tried++;
}

void stats_failed(struct stats *stats)
{
    stats->recent[stats->tried % STATS_RECENT] = -1;
    stats->tried++;
}

int64_t stats_quantile(const struct stats *stats, double share)
{
    /* The rank, rounded up: the median of one is that one. */
    double exact = share * (double)stats->connected;
    uint64_t rank = (uint64_t)exact;
    rank += (double)rank < exact;
    rank = rank == 0 ? 1 : rank;
    uint64_t seen = 0;
    for (unsigned i = 0; i < STATS_BUCKETS && stats->connected > 0; i++) {
        seen += stats->buckets[i];
        if (seen < rank)
            continue;
        int64_t time = time_of(i);
        return time < stats->min ? stats->min : time > stats->max ? stats->max : time;
    }
    return 0;
}

int64_t stats_jitter(const struct stats *stats)
{
    return stats->connected > 1 ? (int64_t)(stats->steps / (double)(stats->connected - 1)) : 0;
}

void stats_spark(const struct stats *stats, bool utf8, char text[STATS_SPARK_SIZE])
{
    static const char *const blocks[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const plain[] = {"_", ".", ",", "-", "=", "+", "*", "#"};
    uint64_t count = stats->tried < STATS_RECENT ? stats->tried : STATS_RECENT;
    int64_t most = 1;
    char *at = text;
    for (uint64_t i = 0; i < count; i++)
        most = stats->recent[i] > most ? stats->recent[i] : most;
    for (uint64_t i = stats->tried - count; i < stats->tried; i++) {
        int64_t time = stats->recent[i % STATS_RECENT];
        const char *glyph = time < 0 ? "x" : (utf8 ? blocks : plain)[time * 7 / most];
        size_t length = strlen(glyph);
        memcpy(at, glyph, length);
        at += length;
    }
    *at = '\0';
}
