/* SPDX-License-Identifier: MIT */
#include "probe/base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "probe/base/memory.h"

/* What a thread needs: glibc's resolver keeps answers of up to 64 KiB on the stack. */
enum { STACK = 512 * 1024 };

struct queue {
    struct work *first;
    struct work **last;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct queue waiting, finished;
    unsigned threads, threads_max, idle;
    int event;
};

static void put(struct queue *queue, struct work *work)
{
    work->next = NULL;
    *queue->last = work;
    queue->last = &work->next;
}

static struct work *take(struct queue *queue)
{
    struct work *work = queue->first;
    queue->first = work->next;
    if (!queue->first)
        queue->last = &queue->first;
    return work;
}

struct pool *pool_new(unsigned threads)
{
    struct pool *pool = memory_new(sizeof *pool);
    pool->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pool->event < 0) {
        free(pool);
        return NULL;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->filled, NULL);
    pool->waiting.last = &pool->waiting.first;
    pool->finished.last = &pool->finished.first;
    pool->threads_max = threads;
    return pool;
}

int pool_fd(const struct pool *pool)
{
    return pool->event;
}

/* Never ends: a lookup cannot be cancelled, so the process ends without waiting for it. */
static void *serve(void *argument)
{
    struct pool *pool = argument;
    static const uint64_t one = 1;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->waiting.first) {
            pool->idle++;
            pthread_cond_wait(&pool->filled, &pool->lock);
            pool->idle--;
        }
        struct work *work = take(&pool->waiting);
        pthread_mutex_unlock(&pool->lock);
        work->run(work);
        pthread_mutex_lock(&pool->lock);
        put(&pool->finished, work);
        /* Fails only where the counter is full, and then it is readable as well. */
        if (write(pool->event, &one, sizeof one) < 0)
            continue;
    }
    return NULL;
}

/* Signals are the main thread's. */
static int start_thread(struct pool *pool)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, &attributes, serve, pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

bool pool_submit(struct pool *pool, struct work *work)
{
    int error = 0;
    pthread_mutex_lock(&pool->lock);
    if (pool->idle == 0 && pool->threads < pool->threads_max) {
        error = start_thread(pool);
        pool->threads += error == 0;
    }
    bool served = pool->threads > 0;
    if (served) {
        put(&pool->waiting, work);
        pthread_cond_signal(&pool->filled);
    }
    pthread_mutex_unlock(&pool->lock);
    errno = error;
    return served;
}

void pool_reap(struct pool *pool)
{
    uint64_t count;
    if (read(pool->event, &count, sizeof count) < 0 && errno != EAGAIN)
        return;
    pthread_mutex_lock(&pool->lock);
    struct work *work = pool->finished.first;
    pool->finished.first = NULL;
    pool->finished.last = &pool->finished.first;
    pthread_mutex_unlock(&pool->lock);
    while (work) {
        struct work *next = work->next;
        work->done(work, work->context);
        work = next;
    }
}
