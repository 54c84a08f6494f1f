/* SPDX-License-Identifier: MIT */
/*
 * The least that a scan of TCP ports has to do: what tcpdiag-probe's rate is measured against.
 * One epoll loop, no names, no evidence, no records; a line for each port that connects.
 *
 *     scanloop ADDRESS COUNT FIRST-PORT PORTS MILLISECONDS JOBS
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct attempt {
    int fd; /* -1: ended */
    int64_t begin;
    uint32_t address;
    uint16_t port;
};

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void start(int epoll, struct attempt *attempt, uint32_t index)
{
    struct sockaddr_in to = {AF_INET, htons(attempt->port), {htonl(attempt->address)}, {0}};
    struct epoll_event event = {.events = EPOLLOUT, .data.u32 = index};
    attempt->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    attempt->begin = now();
    if (attempt->fd < 0 ||
        (connect(attempt->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, attempt->fd, &event) != 0) {
        perror("scanloop");
        exit(1);
    }
}

static void finish(struct attempt *attempt)
{
    int error = 0;
    socklen_t length = sizeof error;
    struct in_addr address = {htonl(attempt->address)};
    getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error == 0)
        printf("%s:%u connected\n", inet_ntoa(address), attempt->port);
    close(attempt->fd);
    attempt->fd = -1;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    struct epoll_event events[256];
    if (argc != 7)
        return 2;
    uint32_t first = ntohl(inet_addr(argv[1]));
    uint32_t addresses = (uint32_t)atoi(argv[2]);
    uint32_t ports = (uint32_t)atoi(argv[4]);
    int64_t limit = atoi(argv[5]) * INT64_C(1000000);
    uint32_t jobs = (uint32_t)atoi(argv[6]);
    uint32_t total = addresses * ports;
    uint32_t begun = 0;
    uint32_t oldest = 0;
    uint32_t active = 0;
    struct attempt *attempts = calloc(total, sizeof *attempts);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    while (attempts && (begun < total || active > 0)) {
        for (int burst = 0; burst < 32 && begun < total && active < jobs; burst++, active++) {
            attempts[begun].address = first + begun % addresses;
            attempts[begun].port = (uint16_t)(atoi(argv[3]) + (int)(begun / addresses));
            start(epoll, &attempts[begun], begun);
            begun++;
        }
        while (oldest < begun && attempts[oldest].fd < 0)
            oldest++;
        int64_t left = oldest < begun ? attempts[oldest].begin + limit - now() : 0;
        int wait = begun < total && active < jobs ? 0 : left < 0 ? 0 : (int)(left / 1000000 + 1);
        int count = epoll_wait(epoll, events, 256, wait);
        for (int i = 0; i < count; i++, active--)
            finish(&attempts[events[i].data.u32]);
        for (;
             oldest < begun && (attempts[oldest].fd < 0 || attempts[oldest].begin + limit <= now());
             oldest++)
            if (attempts[oldest].fd >= 0) {
                close(attempts[oldest].fd);
                attempts[oldest].fd = -1;
                active--;
            }
    }
    free(attempts);
    return 0;
}
