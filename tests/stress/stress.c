/* SPDX-License-Identifier: MIT */
/*
 * stress serve                               one port that accepts, one that refuses, one that is
 * silent stress member SEED THREADS ATTEMPTS PORTS  connects, closes and forks at random
 *
 * A member writes one line when it ends, as does each of its children: what it has seen itself, by
 * the kernel's word. The test compares that with the log.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "tests/shim/scene.h"

enum { MOST_THREADS = 512 };

static struct sockaddr_in good, bad, quiet;
static long attempts;

struct counts {
    long connected, refused, abandoned;
};

/* A reset at close: no port stays in TIME_WAIT. */
static void close_at_once(int fd)
{
    struct linger none = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(fd);
}

static int begun(const struct sockaddr_in *address)
{
    int fd = tcp(SOCK_NONBLOCK);
    CHECK(to(fd, address) == -1 && errno == EINPROGRESS);
    return fd;
}

static void wait_in_epoll(int fd)
{
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = &good};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    CHECK(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    CHECK(epoll_wait(epoll, &event, 1, 30000) == 1 && event.data.ptr == &good);
    close(epoll);
}

static void wait_in_poll(int fd)
{
    struct pollfd one = {fd, POLLOUT, 0};
    CHECK(poll(&one, 1, 30000) == 1);
}

static void once(unsigned *state, struct counts *counts)
{
    int fd, other;
    switch (rand_r(state) % 8) {
    case 0:
        fd = tcp(0);
        CHECK(to(fd, &good) == 0);
        counts->connected++;
        break;
    case 1:
        fd = tcp(0);
        CHECK(to(fd, &bad) == -1 && errno == ECONNREFUSED);
        counts->refused++;
        break;
    case 2:
        fd = begun(&good);
        wait_in_epoll(fd);
        CHECK(so_error(fd) == 0);
        counts->connected++;
        break;
    case 3:
        fd = begun(&bad);
        wait_in_epoll(fd);
        CHECK(so_error(fd) == ECONNREFUSED);
        counts->refused++;
        break;
    case 4:
        fd = begun(&bad);
        wait_in_poll(fd);
        CHECK(send(fd, "x", 1, MSG_NOSIGNAL) == -1 && errno == ECONNREFUSED);
        counts->refused++;
        break;
    case 5:
        fd = begun(&good);
        wait_in_poll(fd);
        CHECK(send(fd, "x", 1, MSG_NOSIGNAL) == 1);
        counts->connected++;
        break;
    case 6:
        fd = begun(&quiet);
        counts->abandoned++;
        break;
    default: /* the socket goes on under its second number */
        fd = begun(&bad);
        other = dup(fd);
        close(fd);
        fd = other;
        wait_in_poll(fd);
        CHECK(so_error(fd) == ECONNREFUSED);
        counts->refused++;
    }
    close_at_once(fd);
}

static void tell(const struct counts *counts)
{
    char line[128];
    int length = snprintf(line, sizeof line, "%d %ld %ld %ld\n", (int)getpid(), counts->connected,
                          counts->refused, counts->abandoned);
    CHECK(write(STDOUT_FILENO, line, (size_t)length) == length); /* a pipe: whole or not at all */
}

static void in_child(unsigned state)
{
    struct counts counts = {0, 0, 0};
    alarm(60); /* a child that waits for a thread that it has not */
    for (int i = 0; i < 3; i++)
        once(&state, &counts);
    tell(&counts);
    _exit(0);
}

static struct counts total;
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;

static void *thread(void *seed)
{
    unsigned state = (unsigned)(uintptr_t)seed;
    struct counts counts = {0, 0, 0};
    for (long i = 0; i < attempts; i++) {
        once(&state, &counts);
        if (rand_r(&state) % 50 != 0)
            continue;
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0)
            in_child(state);
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    pthread_mutex_lock(&adding);
    total.connected += counts.connected;
    total.refused += counts.refused;
    total.abandoned += counts.abandoned;
    pthread_mutex_unlock(&adding);
    return NULL;
}

static void member(char **arguments)
{
    pthread_t ids[MOST_THREADS];
    unsigned seed = (unsigned)strtoul(arguments[0], NULL, 10);
    int threads = atoi(arguments[1]);
    attempts = strtol(arguments[2], NULL, 10);
    CHECK(threads > 0 && threads <= MOST_THREADS);
    good = bad = quiet = loopback();
    good.sin_port = htons((uint16_t)atoi(arguments[3]));
    bad.sin_port = htons((uint16_t)atoi(arguments[4]));
    quiet.sin_port = htons((uint16_t)atoi(arguments[5]));
    for (int i = 0; i < threads; i++)
        CHECK(pthread_create(&ids[i], NULL, thread, (void *)(uintptr_t)(seed + (unsigned)i)) == 0);
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    tell(&total);
}

static void serve(void)
{
    int listener = bound(&good, SOCK_STREAM);
    CHECK(listen(listener, 4096) == 0);
    bad = refusing();
    quiet = silent();
    printf("%d %d %d\n", ntohs(good.sin_port), ntohs(bad.sin_port), ntohs(quiet.sin_port));
    fflush(stdout);
    for (;;)
        close(accept(listener, NULL, NULL));
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        serve();
    if (argc != 8 || strcmp(argv[1], "member") != 0) {
        fprintf(stderr,
                "usage: stress serve | stress member SEED THREADS ATTEMPTS GOOD BAD QUIET\n");
        return 2;
    }
    member(argv + 2);
    return 0;
}
