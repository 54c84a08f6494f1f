/* SPDX-License-Identifier: MIT */
/*
 * client HOW HOST PORT: one TCP connect, as plain C programs make it. HOW:
 *
 *   blocking   connect() and wait
 *   poll       non-blocking, poll, SO_ERROR
 *   epoll      non-blocking, epoll with a pointer as its data, SO_ERROR
 *   write      non-blocking, poll, and no question for SO_ERROR: the write tells
 *   patience   non-blocking, poll for a second and a half, then close
 *
 * Each address of HOST is tried in turn. Exit status: 0 connected, 1 not, 2 wrong usage.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FOR_EVER = -1, PATIENCE = 1500 };

static int so_error(int fd)
{
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        return errno;
    return error;
}

static int wait_poll(int fd, int limit)
{
    struct pollfd one = {fd, POLLOUT, 0};
    return poll(&one, 1, limit);
}

static int by_poll(int fd)
{
    wait_poll(fd, FOR_EVER);
    return so_error(fd);
}

static int by_patience(int fd)
{
    return wait_poll(fd, PATIENCE) == 1 ? so_error(fd) : ETIMEDOUT;
}

static int by_epoll(int fd)
{
    int connection = fd;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = &connection};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return errno;
    while (epoll_wait(epoll, &event, 1, FOR_EVER) < 0 && errno == EINTR)
        ;
    int error = so_error(*(int *)event.data.ptr);
    close(epoll);
    return error;
}

static int by_write(int fd)
{
    wait_poll(fd, FOR_EVER);
    return send(fd, "x", 1, MSG_NOSIGNAL) == 1 ? 0 : errno;
}

static const struct way {
    const char *name;
    int (*wait)(int fd); /* NULL: blocking */
} ways[] = {{"blocking", NULL},
            {"poll", by_poll},
            {"epoll", by_epoll},
            {"write", by_write},
            {"patience", by_patience}};

static bool attempt(const struct way *way, const struct addrinfo *to)
{
    int fd = socket(to->ai_family, SOCK_STREAM | (way->wait ? SOCK_NONBLOCK : 0), 0);
    int error = 0;
    if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) != 0)
        error = errno;
    if (error == EINPROGRESS)
        error = way->wait(fd);
    if (fd >= 0)
        close(fd);
    if (error != 0)
        fprintf(stderr, "client: %s\n", strerror(error));
    return error == 0;
}

int main(int argc, char **argv)
{
    const struct way *way = NULL;
    for (size_t i = 0; argc == 4 && i < sizeof ways / sizeof ways[0]; i++)
        if (strcmp(argv[1], ways[i].name) == 0)
            way = &ways[i];
    if (!way) {
        fprintf(stderr, "usage: client HOW HOST PORT\n");
        return 2;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    int gai = getaddrinfo(argv[2], argv[3], &hints, &list);
    if (gai != 0) {
        fprintf(stderr, "client: %s: %s\n", argv[2], gai_strerror(gai));
        return 1;
    }
    bool connected = false;
    for (struct addrinfo *at = list; at && !connected; at = at->ai_next)
        connected = attempt(way, at);
    freeaddrinfo(list);
    return !connected;
}
