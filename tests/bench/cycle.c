/* SPDX-License-Identifier: MIT */
/*
 * cycle WHAT COUNT [THREADS]: repeats one thing COUNT times in each thread and prints the
 * nanoseconds that one took, as a whole number. The listener is a thread of its own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in accepting;
static struct sockaddr_in refusing;
static long count;
static void (*what)(void);

static void die(const char *message)
{
    perror(message);
    exit(1);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int bound_socket(struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t length = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)address, &length) != 0)
        die("bind");
    return fd;
}

static void *accept_all(void *listener)
{
    for (;;) {
        int fd = accept(*(int *)listener, NULL, NULL);
        if (fd >= 0)
            close(fd);
    }
    return NULL;
}

/* A reset at close keeps the source ports out of TIME_WAIT, of which the machine has 28,000. */
static void close_at_once(int fd)
{
    struct linger none = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(fd);
}

static void blocking(const struct sockaddr_in *to)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (const struct sockaddr *)to, sizeof *to) != 0 && errno != ECONNREFUSED)
        die("connect");
    close_at_once(fd);
}

static void with_epoll(const struct sockaddr_in *to)
{
    static __thread int epoll = -1;
    if (epoll < 0)
        epoll = epoll_create1(EPOLL_CLOEXEC);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct epoll_event event = {.events = EPOLLOUT, .data.fd = fd};
    int error = 0;
    socklen_t length = sizeof error;
    if (connect(fd, (const struct sockaddr *)to, sizeof *to) != 0 && errno == EINPROGRESS) {
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        if (epoll_wait(epoll, &event, 1, 5000) != 1)
            die("epoll_wait");
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    }
    close_at_once(fd);
}

static void accepted(void)
{
    blocking(&accepting);
}

static void refused(void)
{
    blocking(&refusing);
}

static void accepted_epoll(void)
{
    with_epoll(&accepting);
}

static void refused_epoll(void)
{
    with_epoll(&refusing);
}

static void idle_poll(void)
{
    poll(NULL, 0, 0);
}

static void idle_close(void)
{
    close(-1);
}

static void idle_epoll_wait(void)
{
    struct epoll_event event;
    epoll_wait(-1, &event, 1, 0);
}

static void resolve_numeric(void)
{
    struct addrinfo *list;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    if (getaddrinfo("127.0.0.1", "80", &hints, &list) != 0)
        die("getaddrinfo");
    freeaddrinfo(list);
}

/* What a system call costs here, and the least that a log costs: one line appended to a file. */
static void system_call(void)
{
    syscall(SYS_getppid);
}

static void append(void)
{
    static char line[400];
    static _Atomic int file = -1;
    if (file < 0)
        file = open(getenv("CYCLE_FILE"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (write(file, line, sizeof line) != sizeof line)
        die("write");
}

static const struct {
    const char *name;
    void (*what)(void);
} table[] = {
    {"system-call", system_call},
    {"append", append},
    {"accepted", accepted},
    {"refused", refused},
    {"accepted-epoll", accepted_epoll},
    {"refused-epoll", refused_epoll},
    {"idle-poll", idle_poll},
    {"idle-close", idle_close},
    {"idle-epoll_wait", idle_epoll_wait},
    {"getaddrinfo", resolve_numeric},
};

static void *repeat(void *unused)
{
    (void)unused;
    for (long i = 0; i < count; i++)
        what();
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[64];
    pthread_t acceptor;
    static int listener;
    int width = argc > 3 ? atoi(argv[3]) : 1;
    count = argc > 2 ? atol(argv[2]) : 0;
    for (size_t i = 0; argc > 1 && i < sizeof table / sizeof table[0]; i++)
        if (strcmp(argv[1], table[i].name) == 0)
            what = table[i].what;
    if (!what || count < 1 || width < 1 || width > 64) {
        fprintf(stderr, "usage: cycle WHAT COUNT [THREADS]\n");
        return 2;
    }
    listener = bound_socket(&accepting);
    if (listen(listener, 4096) != 0)
        die("listen");
    bound_socket(&refusing); /* bound and not listening: nobody else can take the port */
    pthread_create(&acceptor, NULL, accept_all, &listener);
    int64_t begin = now();
    for (int i = 0; i < width; i++)
        pthread_create(&threads[i], NULL, repeat, NULL);
    for (int i = 0; i < width; i++)
        pthread_join(threads[i], NULL);
    printf("%lld\n", (long long)(now() - begin) / count / width);
    return 0;
}
