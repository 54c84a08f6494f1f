/* SPDX-License-Identifier: MIT */
/*
 * in_flight COUNT NUMBERS
 *
 * Begins COUNT connects, every fourth to a port that accepts, the others refused, before it asks
 * for any: so long they are all in flight. NUMBERS says which descriptors they have: row (one after
 * the other), folded (eight side by side, the next eight 4096 further), stride (each 256th),
 * random. Prints how many connected and how many were refused; exit status 3 where the limit of
 * descriptors is too low for that.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <sys/resource.h>

#include "tests/shim/scene.h"

enum { FIRST = 64, HIGHEST = 65536, FOLD = 4096, STRIDE = 256 };

static int numbers[HIGHEST]; /* the first COUNT of them are used */

static int in_row(int i, int limit)
{
    (void)limit;
    return FIRST + i;
}

static int folded(int i, int limit)
{
    int rows = (limit - FIRST) / FOLD;
    return FIRST + i % 8 + FOLD * (i / 8 % rows) + 8 * (i / (8 * rows));
}

static int in_strides(int i, int limit)
{
    int columns = (limit - FIRST) / STRIDE;
    return FIRST + STRIDE * (i % columns) + i / columns;
}

static const struct {
    const char *name;
    int (*number)(int i, int limit);
} ways[] = {{"row", in_row}, {"folded", folded}, {"stride", in_strides}, {"random", in_row}};

/* Always the same order. */
static void shuffle(int count)
{
    srandom(1);
    for (int i = count - 1; i > 0; i--) {
        int other = (int)(random() % (i + 1));
        int number = numbers[i];
        numbers[i] = numbers[other];
        numbers[other] = number;
    }
}

/* How many descriptors there may be: as many as the machine allows. */
static int raised_limit(void)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    return limit.rlim_cur < HIGHEST ? (int)limit.rlim_cur : HIGHEST;
}

static void play_all(int count)
{
    struct sockaddr_in good;
    struct sockaddr_in bad = refusing();
    int connected = 0;
    CHECK(listen(bound(&good, SOCK_STREAM), SOMAXCONN) == 0);
    for (int i = 0; i < count; i++) {
        int fd = tcp(SOCK_NONBLOCK);
        CHECK(dup3(fd, numbers[i], O_CLOEXEC) == numbers[i] && close(fd) == 0);
        CHECK(to(numbers[i], i % 4 ? &bad : &good) == -1 && errno == EINPROGRESS);
    }
    for (int i = 0; i < count; i++) {
        wait_writable(numbers[i]);
        int error = so_error(numbers[i]);
        CHECK(error == (i % 4 ? ECONNREFUSED : 0));
        connected += error == 0;
        close(numbers[i]);
    }
    printf("%d %d\n", connected, count - connected);
}

int main(int argc, char **argv)
{
    int count = argc == 3 ? atoi(argv[1]) : 0;
    int limit = raised_limit();
    for (size_t way = 0; way < sizeof ways / sizeof *ways && count > 0; way++) {
        if (strcmp(ways[way].name, argv[2]) != 0)
            continue;
        if (limit < 3 * FOLD || limit - FIRST < count)
            return 3;
        for (int i = 0; i < limit - FIRST; i++)
            numbers[i] = ways[way].number(i, limit);
        if (strcmp(ways[way].name, "random") == 0)
            shuffle(limit - FIRST);
        play_all(count);
        return 0;
    }
    fprintf(stderr, "usage: in_flight COUNT row|folded|stride|random\n");
    return 2;
}
