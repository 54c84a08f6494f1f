/* SPDX-License-Identifier: MIT */
/* The scenes of `memory` for poll, select and epoll. */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "tests/adversary/memory.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2
#endif

/* No wait at all, in the widest form of a time that there is. */
static void *no_time(const struct hook *hook)
{
    bool wide = hook->kind == WIDE || hook->kind == WIDE_MASKED;
    return at_end(wide || sizeof(long) == 8 ? 16 : 8);
}

static int poll_by(const struct hook *hook, struct pollfd *fds, unsigned long count)
{
    const size_t size = count * sizeof *fds;
    switch (hook->kind) {
    case PLAIN:
        return AS(int, (struct pollfd *, unsigned long, int), hook)(fds, count, 0);
    case CHECKED:
        return AS(int, (struct pollfd *, unsigned long, int, size_t), hook)(fds, count, 0, size);
    case MASKED:
        return AS(int, (struct pollfd *, unsigned long, const void *, const void *, size_t),
                  hook)(fds, count, at_end(16), NULL, size);
    default:
        return AS(int, (struct pollfd *, unsigned long, const void *, const void *),
                  hook)(fds, count, at_end(16), at_end(sizeof(sigset_t)));
    }
}

static void polled(const struct hook *hook, unsigned long count, size_t there)
{
    int fd = subject();
    const struct pollfd three[] = {
        {fd, POLLOUT | POLLIN, 0}, {full_pipe(), POLLIN, 0}, {-1, POLLIN, 7}};
    struct pollfd *at = copied(three, there * sizeof three[0]);
    SAY(poll_by(hook, at, count));
    for (size_t i = 0; i < there; i++)
        printf("%x ", (unsigned)at[i].revents);
    finish(fd);
}

void play_poll(const struct hook *hook)
{
    for (unsigned count = 0; count <= 3; count++)
        for (unsigned there = 0; there <= 3; there++)
            polled(hook, count, there);
#if ULONG_MAX > UINT_MAX
    /* The kernel has 32 bits for the count. */
    for (unsigned there = 0; there <= 3; there++)
        polled(hook, (1UL << 32) + there, there);
#endif
    int fd = subject();
    SAY(poll_by(hook, NULL, 0));
    SAY(poll_by(hook, NULL, 1));
    SAY(poll_by(hook, nowhere(), 0));
    SAY(poll_by(hook, nowhere(), 1));
    SAY(poll_by(hook, at_end(8), 1u << 20));
    finish(fd);
}

enum { BITS = 8 * sizeof(unsigned long), TABLE = 1024 };

static int select_by(const struct hook *hook, int count, void *in, void *out, void *except)
{
    if (hook->kind == MASKED || hook->kind == WIDE_MASKED)
        return AS(int, (int, void *, void *, void *, void *, void *),
                  hook)(count, in, out, except, no_time(hook), at_end(sizeof(sigset_t)));
    return AS(int, (int, void *, void *, void *, void *), hook)(count, in, out, except,
                                                                no_time(hook));
}

/* So many bits at the end of a mapping, one or two of them set. */
static unsigned long *set_of(int bits, int one, int other)
{
    size_t words = ((size_t)bits + BITS - 1) / BITS;
    unsigned long *set = at_end(words * sizeof *set);
    for (int i = 0; i < 2; i++) {
        int fd = i == 0 ? one : other;
        if (fd >= 0 && fd < bits)
            set[fd / BITS] |= 1UL << fd % BITS;
    }
    return set;
}

static void selected(const struct hook *hook, int fd, int count, int bits)
{
    int other = full_pipe();
    size_t size = ((size_t)bits + BITS - 1) / BITS * sizeof(unsigned long);
    for (int sets = 0; sets < 8; sets++) {
        unsigned long *in = sets & 1 ? set_of(bits, fd, other) : NULL;
        unsigned long *out = sets & 2 ? set_of(bits, fd, -1) : NULL;
        unsigned long *except = sets & 4 ? set_of(bits, fd, other) : NULL;
        SAY(select_by(hook, count, in, out, except));
        show(in, in ? size : 0);
        show(out, out ? size : 0);
        show(except, except ? size : 0);
    }
    close(other);
}

/* The kernel looks at no more bits than the table of descriptors is long, which is TABLE here. */
void play_select(const struct hook *hook)
{
    const int numbers[] = {40, BITS - 1, 200, TABLE - 30};
    const int counts[] = {TABLE, TABLE + 1, 4096, 1 << 20, INT_MAX};
    CHECK(dup2(0, TABLE - 1) == TABLE - 1);
    for (int i = 0; i < 4; i++) {
        int fd = subject_at(numbers[i]);
        selected(hook, fd, fd + 1, fd + 1);
        selected(hook, fd, fd, fd);
        for (int j = 0; j < 5; j++)
            selected(hook, fd, counts[j], TABLE);
        selected(hook, fd, TABLE, TABLE - BITS); /* too short: EFAULT */
        SAY(select_by(hook, 0, NULL, NULL, NULL));
        SAY(select_by(hook, -1, nowhere(), NULL, NULL));
        SAY(select_by(hook, 0, nowhere(), nowhere(), nowhere()));
        SAY(select_by(hook, TABLE, NULL, nowhere(), NULL));
        SAY(select_by(hook, INT_MAX, NULL, NULL, NULL));
        finish(fd);
    }
}

/* ---- tables that are not what they were, or not everybody's ---- */

static _Atomic int waiter; /* a thread, or what it waits for */

/* Whether the thread waits in the kernel. */
static bool waits(int tid)
{
    char path[64];
    char line[512];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    FILE *file = fopen(path, "re");
    CHECK(file);
    bool read_it = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    char *state_of_it = read_it ? strrchr(line, ')') : NULL;
    return state_of_it && state_of_it[2] == 'S';
}

/* A set as long as the table is when select begins: the kernel has read no more of it. */
static void *select_all(void *set)
{
    struct timeval most = {20, 0};
    atomic_store(&waiter, (int)syscall(SYS_gettid));
    say("select", select(8000, set, NULL, NULL, &most));
    show(set, TABLE / 8);
    return NULL;
}

void select_while_the_table_grows(void)
{
    pthread_t thread;
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK(dup2(0, TABLE - 1) == TABLE - 1);
    unsigned long *set = set_of(TABLE, ends[0], -1);
    int early = subject_at(700);
    int also = dup(early); /* its second number goes up while the thread waits */
    CHECK(pthread_create(&thread, NULL, select_all, set) == 0);
    while (atomic_load(&waiter) == 0 || !waits(atomic_load(&waiter)))
        sched_yield();
    CHECK(dup2(early, 6000) == 6000);
    int late = subject_at(7000);
    CHECK(write(ends[1], "x", 1) == 1);
    pthread_join(thread, NULL);
    close(also);
    close(6000);
    finish(early);
    finish(late);
}

/* This thread gets a table of its own, shorter than a number that is in flight in the others'
   (close_range(2)). */
static void *select_few(void *set)
{
    struct timeval none = {0, 0};
    if (syscall(SYS_close_range, 64, ~0U, CLOSE_RANGE_UNSHARE) != 0)
        return NULL; /* before Linux 5.9 */
    CHECK(dup2(0, TABLE - 1) == TABLE - 1);
    for (int count = 60; count < 3000; count += 400) {
        ((unsigned long *)set)[0] = 1UL << atomic_load(&waiter);
        say("select", select(count, set, NULL, NULL, &none));
        show(set, TABLE / 8);
    }
    return NULL;
}

void select_with_a_smaller_table(void)
{
    pthread_t thread;
    int other = full_pipe();
    int low = subject_at(30);
    int high = subject_at(1500);
    CHECK(other < BITS && dup2(low, 900) == 900 && dup2(high, 2000) == 2000);
    atomic_store(&waiter, other);
    CHECK(pthread_create(&thread, NULL, select_few, set_of(TABLE, other, -1)) == 0);
    pthread_join(thread, NULL);
    close(900);
    close(2000);
    finish(low);
    finish(high);
}

/* The library's own descriptors make the table longer than this set. */
void select_with_a_short_set(void)
{
    struct timeval none = {0, 0};
    int other = full_pipe();
    int fd = subject();
    int result = select(TABLE, (fd_set *)set_of(BITS, other, -1), NULL, NULL, &none);
    printf("%d\n", result);
    result = select(TABLE * 8, (fd_set *)set_of(TABLE, other, -1), NULL, NULL, &none);
    printf("%d\n", result);
    close(fd);
}

/* ---- epoll ---- */

#define CONTROL(hook) AS(int, (int, int, int, struct epoll_event *), hook)

void play_epoll_ctl(const struct hook *hook)
{
    int epoll = epoll_create1(0);
    int fd = subject();
    const struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data = {.u64 = 1}};
    SAY(CONTROL(hook)(epoll, EPOLL_CTL_ADD, fd, NULL));
    SAY(CONTROL(hook)(epoll, EPOLL_CTL_ADD, fd, nowhere()));
    SAY(CONTROL(hook)(epoll, EPOLL_CTL_ADD, fd, at_end(sizeof event - 1)));
    SAY(CONTROL(hook)(epoll, EPOLL_CTL_DEL, fd, NULL));
    SAY(CONTROL(hook)(epoll, EPOLL_CTL_ADD, fd, COPY(event)));
    SAY(CONTROL(hook)(epoll, EPOLL_CTL_MOD, fd, COPY(event)));
    SAY(CONTROL(hook)(epoll, EPOLL_CTL_MOD, fd, NULL));
    SAY(CONTROL(hook)(epoll, EPOLL_CTL_DEL, fd, NULL));
    SAY(CONTROL(hook)(epoll, EPOLL_CTL_ADD, fd, COPY(event)));
    SAY(CONTROL(hook)(epoll, EPOLL_CTL_DEL, fd, nowhere()));
    SAY(CONTROL(hook)(epoll, EPOLL_CTL_ADD, fd, COPY(event)));
    SAY(CONTROL(hook)(epoll, EPOLL_CTL_DEL, fd, (void *)-1));
    SAY(CONTROL(hook)(epoll, 99, fd, NULL));
    SAY(CONTROL(hook)(epoll, 0, fd, nowhere()));
    finish(fd);
}

static int epoll_by(const struct hook *hook, int epoll, struct epoll_event *events, int size)
{
    if (hook->kind == PLAIN)
        return AS(int, (int, struct epoll_event *, int, int), hook)(epoll, events, size, 0);
    if (hook->kind == MASKED)
        return AS(int, (int, struct epoll_event *, int, int, const void *),
                  hook)(epoll, events, size, 0, at_end(sizeof(sigset_t)));
    return AS(int, (int, struct epoll_event *, int, const void *, const void *),
              hook)(epoll, events, size, no_time(hook), at_end(sizeof(sigset_t)));
}

/* early: registered before the connect, so that the library does not know the data. */
static void epolled(const struct hook *hook, int size, size_t there, bool early)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data = {.u64 = 1}};
    int epoll = epoll_create1(0);
    int other = full_pipe();
    int fd = subject();
    int second = subject();
    event.data.u64 = 2;
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, other, &event) == 0);
    event.data.u64 = early ? ~UINT64_C(0) : 1;
    CHECK((early ? syscall(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, fd, &event)
                 : epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) == 0);
    struct epoll_event *events = at_end(there * sizeof event);
    SAY(epoll_by(hook, epoll, events, size));
    show(events, there * sizeof event);
    finish(fd);
    finish(second);
    close(other);
    close(epoll);
}

void play_epoll_wait(const struct hook *hook)
{
    for (int early = 0; early < 2; early++) {
        for (int size = -1; size <= 3; size++)
            for (size_t there = 0; there <= 3; there++)
                epolled(hook, size, there, early);
        epolled(hook, 1 << 20, 2, early);
        epolled(hook, INT_MAX, 2, early);
    }
    int fd = subject();
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, full_pipe(), &event) == 0);
    SAY(epoll_by(hook, epoll, NULL, 1));
    SAY(epoll_by(hook, epoll, nowhere(), 1));
    finish(fd);
}
