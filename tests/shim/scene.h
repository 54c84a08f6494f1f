/* SPDX-License-Identifier: MIT */
/* What the programs of the tests are made of: sockets on loopback, and checks of what they saw. */
#ifndef TCPDIAG_TESTS_SCENE_H
#define TCPDIAG_TESTS_SCENE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s: line %d: %s (errno %d)\n", __FILE__, __LINE__, #condition,        \
                    errno);                                                                        \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static inline struct sockaddr_in loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static inline int bound(struct sockaddr_in *address, int type)
{
    socklen_t length = sizeof *address;
    int fd = socket(AF_INET, type, 0);
    *address = loopback();
    CHECK(fd >= 0);
    CHECK(bind(fd, (struct sockaddr *)address, length) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)address, &length) == 0);
    return fd;
}

static inline struct sockaddr_in accepting(void)
{
    struct sockaddr_in address;
    CHECK(listen(bound(&address, SOCK_STREAM), 64) == 0);
    return address;
}

/* Bound and not listening: the port is closed, and nobody else can open it meanwhile. */
static inline struct sockaddr_in refusing(void)
{
    struct sockaddr_in address;
    bound(&address, SOCK_STREAM);
    return address;
}

static inline int tcp(int flags)
{
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0);
    CHECK(fd >= 0);
    return fd;
}

static inline int to(int fd, const struct sockaddr_in *address)
{
    return connect(fd, (const struct sockaddr *)address, sizeof *address);
}

/* A listener whose queue is full: the next SYN is dropped, as a firewall would. */
static inline struct sockaddr_in silent(void)
{
    struct sockaddr_in address;
    CHECK(listen(bound(&address, SOCK_STREAM), 0) == 0);
    for (int i = 0; i < 8; i++) {
        int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        syscall(SYS_connect, fd, &address, sizeof address);
        struct pollfd one = {fd, POLLOUT, 0};
        struct timespec moment = {0, 100000000};
        if (syscall(SYS_ppoll, &one, 1, &moment, NULL, 0) == 0)
            return address; /* this one waits: the queue is full */
    }
    CHECK(!"the queue never filled");
    return address;
}

static inline int so_error(int fd)
{
    int error = -1;
    socklen_t length = sizeof error;
    CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
    return error;
}

static inline int in_progress(const struct sockaddr_in *address)
{
    int fd = tcp(SOCK_NONBLOCK);
    CHECK(to(fd, address) == -1 && errno == EINPROGRESS);
    return fd;
}

static inline void wait_writable(int fd)
{
    struct pollfd one = {fd, POLLOUT, 0};
    CHECK(poll(&one, 1, 5000) == 1);
}

struct scene {
    const char *name;
    void (*play)(void);
};
#define SCENE(name)                                                                                \
    {                                                                                              \
#name, name                                                                                \
    }

/* A program's main: plays the scene that its first argument names. */
static inline int play(const struct scene *scenes, size_t count, int argc, char **argv)
{
    for (size_t i = 0; argc >= 2 && i < count; i++)
        if (strcmp(argv[1], scenes[i].name) == 0) {
            scenes[i].play();
            return 0;
        }
    fprintf(stderr, "usage: %s SCENE\n", argv[0]);
    return 2;
}

#endif
