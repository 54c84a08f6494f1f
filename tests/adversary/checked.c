/* SPDX-License-Identifier: MIT */
/*
 * A program without a fault, for valgrind's tools to find none in: four threads connect in all the
 * ways, and one of them on a number that another has just closed.
 */
#include <netdb.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/wait.h>

#include "tests/shim/scene.h"

enum { THREADS = 4, TIMES = 2 };

static struct sockaddr_in open_port, closed_port;

static void by_select(void)
{
    fd_set writable;
    int fd = in_progress(&closed_port);
    FD_ZERO(&writable);
    FD_SET(fd, &writable);
    CHECK(select(fd + 1, NULL, &writable, NULL, NULL) == 1);
    CHECK(so_error(fd) == ECONNREFUSED);
    close(fd);
}

static void by_epoll(void)
{
    struct epoll_event event = {.events = EPOLLOUT};
    int fd = in_progress(&open_port);
    int set = epoll_create1(0);
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
    CHECK(epoll_wait(set, &event, 1, 5000) == 1);
    CHECK(write(fd, "x", 1) == 1);
    close(set);
    close(fd);
}

static void unread(void)
{
    int fd = in_progress(&closed_port);
    int other = dup(fd);
    wait_writable(fd);
    close(fd);
    close(other);
}

static void look_up(void)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *answers;
    CHECK(getaddrinfo("127.0.0.1", "80", &hints, &answers) == 0);
    freeaddrinfo(answers);
}

static void *connects(void *unused)
{
    for (int i = 0; i < TIMES; i++) {
        int fd = tcp(0);
        CHECK(to(fd, &closed_port) == -1 && errno == ECONNREFUSED);
        close(fd);
        /* Only its first fields are set: the kernel reads no others. */
        struct sockaddr_in *address = malloc(sizeof *address);
        address->sin_family = AF_INET;
        address->sin_port = open_port.sin_port;
        address->sin_addr = open_port.sin_addr;
        CHECK(to(fd = tcp(0), address) == 0);
        close(fd);
        free(address);
        by_select();
        by_epoll();
        unread();
        look_up();
    }
    return unused;
}

static void threads(void)
{
    pthread_t all[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&all[i], NULL, connects, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(all[i], NULL) == 0);
}

static void child(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        connects(NULL);
        _exit(0);
    }
    connects(NULL);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static const struct scene scenes[] = {SCENE(threads), SCENE(child)};

int main(int argc, char **argv)
{
    open_port = accepting();
    closed_port = refusing();
    return play(scenes, sizeof scenes / sizeof scenes[0], argc, argv);
}
