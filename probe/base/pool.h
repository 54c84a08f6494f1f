/* SPDX-License-Identifier: MIT */
/*
 * A few threads for what blocks: getaddrinfo and the questions that follow a failure. Work is
 * finished on a thread of the pool and handed back on the caller's.
 */
#ifndef TCPDIAG_POOL_H
#define TCPDIAG_POOL_H

#include <stdbool.h>

struct work {
    void (*run)(struct work *work);                 /* on a thread of the pool */
    void (*done)(struct work *work, void *context); /* on the caller's, from pool_reap */
    void *context;
    struct work *next; /* the pool's */
};

struct pool;

/* Threads are started when work comes, at most so many. NULL with errno set. */
struct pool *pool_new(unsigned threads);

/* Readable when finished work waits for pool_reap. */
int pool_fd(const struct pool *pool);

/* False with errno set where not a single thread can be started. */
bool pool_submit(struct pool *pool, struct work *work);

void pool_reap(struct pool *pool);

#endif
