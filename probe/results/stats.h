/* SPDX-License-Identifier: MIT */
/* Times of repeated connects to one address, in constant memory: the quantiles come out of a
   histogram whose buckets are 1/64 wide, the extremes are exact. */
#ifndef TCPDIAG_STATS_H
#define TCPDIAG_STATS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    STATS_BUCKETS = 64 * 36, /* up to 2^41 ns, half an hour */
    STATS_RECENT = 40,
};

struct stats {
    uint64_t tried, connected;
    int64_t min, max;
    int64_t last;
    double steps; /* sum of the differences from one to the next */
    uint32_t buckets[STATS_BUCKETS];
    int64_t recent[STATS_RECENT]; /* a ring, at tried % STATS_RECENT; -1: failed */
};

void stats_connected(struct stats *stats, int64_t ns);
void stats_failed(struct stats *stats);

/* The time that `share` (0..1) of the connects did not exceed; 0 where none connected. */
int64_t stats_quantile(const struct stats *stats, double share);

/* The mean difference between one connect and the next. */
int64_t stats_jitter(const struct stats *stats);

/* The last times as a line of blocks, x where one failed: NUL-terminated. */
enum { STATS_SPARK_SIZE = 3 * STATS_RECENT + 1 };
void stats_spark(const struct stats *stats, bool utf8, char text[STATS_SPARK_SIZE]);

#ifdef __cplusplus
}
#endif
#endif
