/* SPDX-License-Identifier: MIT */
/*
 * processes SCENE: signals, threads, forks and limits in the middle of a connect. Exits with 0 bare
 * and under the shim alike; prints what it has counted, which must be the same as well.
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "tests/shim/scene.h"

static struct sockaddr_in target;

static void refused_once(void)
{
    int fd = tcp(0);
    CHECK(to(fd, &target) == -1 && errno == ECONNREFUSED);
    close(fd);
}

static void wait_for(pid_t child)
{
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

static void every(long microseconds, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    struct itimerval again = {{0, microseconds}, {0, microseconds}};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &again, NULL) == 0);
}

static void no_more(void)
{
    struct itimerval never = {{0, 0}, {0, 0}};
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
}

/* ---- cancellation ---- */

static _Atomic int cleaned;

static void clean(void *fd)
{
    close((int)(intptr_t)fd);
    cleaned++;
}

static void *connects_for_ever(void *unused)
{
    (void)unused;
    int fd = tcp(0);
    pthread_cleanup_push(clean, (void *)(intptr_t)fd);
    to(fd, &target);
    pthread_cleanup_pop(0);
    return NULL;
}

static void cancelled(void)
{
    target = silent();
    for (int i = 0; i < 50; i++) {
        pthread_t id;
        void *result;
        struct timespec moment = {0, i % 5 * 200000L};
        CHECK(pthread_create(&id, NULL, connects_for_ever, NULL) == 0);
        nanosleep(&moment, NULL);
        CHECK(pthread_cancel(id) == 0);
        CHECK(pthread_join(id, &result) == 0 && result == PTHREAD_CANCELED);
    }
    CHECK(cleaned == 50);
    target = refusing();
    refused_once();
}

/* ---- longjmp out of a handler ---- */

static sigjmp_buf back;

static void jump(int signal)
{
    (void)signal;
    siglongjmp(back, 1);
}

static void jumped_out_of_silence(void)
{
    volatile int jumps = 0;
    target = silent();
    while (jumps < 100) {
        int fd = tcp(0);
        if (sigsetjmp(back, 1) == 0) {
            every(2000, jump);
            to(fd, &target);
        }
        no_more();
        jumps++;
        close(fd);
    }
    target = refusing();
    refused_once();
}

/* The timer strikes anywhere in connect, the shim's part of it included. */
static __attribute__((noinline)) void struck_after(int fd, long microseconds)
{
    struct sigaction action = {.sa_handler = jump};
    struct itimerval once = {{0, 0}, {0, microseconds}};
    sigaction(SIGALRM, &action, NULL);
    if (sigsetjmp(back, 1) == 0) {
        setitimer(ITIMER_REAL, &once, NULL);
        for (int n = 0; n < 20; n++)
            to(fd, &target);
    }
    no_more();
}

static void jumped_anywhere(void)
{
    target = refusing();
    for (int i = 0; i < 4000; i++) {
        int fd = tcp(i % 2 ? SOCK_NONBLOCK : 0);
        struck_after(fd, 10 + i % 30);
        close(fd);
    }
    refused_once();
}

/* ---- a handler that connects ---- */

static volatile sig_atomic_t handled;

static void connect_too(int signal)
{
    (void)signal;
    int saved = errno;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (to(fd, &target) == -1 && errno == ECONNREFUSED)
        handled++;
    close(fd);
    errno = saved;
}

static void handler_connects(void)
{
    target = refusing();
    every(200, connect_too);
    for (int i = 0; i < 3000; i++) {
        int fd = tcp(i % 2 ? SOCK_NONBLOCK : 0);
        int result = to(fd, &target);
        CHECK(result == -1 && (errno == ECONNREFUSED || errno == EINPROGRESS || errno == EINTR));
        if (errno != ECONNREFUSED) {
            struct pollfd one = {fd, POLLOUT, 0};
            while (poll(&one, 1, 5000) < 0)
                CHECK(errno == EINTR);
            CHECK(so_error(fd) == ECONNREFUSED);
        }
        close(fd);
    }
    no_more();
    CHECK(handled > 0);
}

/* ---- fork and vfork ---- */

static _Atomic bool stop;

static void *connects_until_stopped(void *unused)
{
    (void)unused;
    while (!stop) {
        int fd = in_progress(&target);
        wait_writable(fd);
        CHECK(so_error(fd) == ECONNREFUSED);
        close(fd);
    }
    return NULL;
}

static void forked_while_threads_connect(void)
{
    pthread_t ids[4];
    target = refusing();
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&ids[i], NULL, connects_until_stopped, NULL) == 0);
    for (int i = 0; i < 200; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(20); /* a child that hangs on what another thread held */
            refused_once();
            _exit(0);
        }
        wait_for(child);
    }
    stop = true;
    for (int i = 0; i < 4; i++)
        pthread_join(ids[i], NULL);
}

static void vforked_child_connects(void)
{
    target = refusing();
    for (int i = 0; i < 20; i++) {
        pid_t child = vfork();
        if (child == 0) {
            int fd = socket(AF_INET, SOCK_STREAM | (i % 2 ? SOCK_NONBLOCK : 0), 0);
            int result = to(fd, &target);
            _exit(result == -1 && (errno == ECONNREFUSED || errno == EINPROGRESS) ? 0 : 1);
        }
        wait_for(child);
        refused_once();
    }
}

static void daemonized(void)
{
    int ends[2];
    char byte;
    target = refusing();
    CHECK(pipe(ends) == 0);
    refused_once();
    pid_t child = fork();
    if (child == 0) {
        CHECK(daemon(0, 0) == 0);
        pid_t again = fork(); /* twice, and every descriptor closed, as the books say */
        if (again != 0)
            _exit(0);
        dup2(ends[1], 3);
        closefrom(4);
        CHECK(open("/dev/null", O_RDONLY) == 4);
        refused_once();
        CHECK(socket(AF_INET, SOCK_STREAM, 0) == 5);
        CHECK(write(3, "x", 1) == 1);
        _exit(0);
    }
    wait_for(child);
    close(ends[1]);
    CHECK(read(ends[0], &byte, 1) == 1);
    CHECK(read(ends[0], &byte, 1) == 0); /* nobody else has kept it */
}

static void exec_here_and_there(void)
{
    char *arguments[] = {"processes", "connects_once", NULL};
    char *none[] = {NULL};
    extern char **environ;
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();
        if (child == 0) {
            execve("/proc/self/exe", arguments, i ? environ : none);
            _exit(127);
        }
        wait_for(child);
    }
}

static void connects_once(void)
{
    target = refusing();
    refused_once();
}

/* ---- limits ---- */

static void numbers_with_limit(rlim_t limit)
{
    struct rlimit few = {limit, limit};
    struct addrinfo *list;
    for (int fd = 3; fd < 20; fd++)
        close(fd);
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    for (int i = 0; i < 3; i++) {
        /* Nobody is asked for the address, and the service is what fails. */
        CHECK(getaddrinfo("127.0.0.1", "no-such-service", NULL, &list) == EAI_SERVICE);
        CHECK(socket(AF_INET, SOCK_STREAM, 0) == 3); /* the last number that it may have, or not */
        close(3);
    }
}

static void four_descriptors(void)
{
    numbers_with_limit(4);
}

static void eleven_descriptors(void)
{
    numbers_with_limit(11);
}

static void a_million_descriptors(void)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max > 1000000 ? 1000000 : limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    target = refusing();
    int high = (int)limit.rlim_cur - 1;
    int fd = in_progress(&target);
    CHECK(dup2(fd, high) == high);
    close(fd);
    wait_writable(high);
    CHECK(so_error(high) == ECONNREFUSED);
    close(high);
}

static void *on_a_small_stack(void *unused)
{
    (void)unused;
    int fd = in_progress(&target);
    wait_writable(fd);
    CHECK(so_error(fd) == ECONNREFUSED);
    close(fd);
    close(in_progress(&target));
    refused_once();
    return NULL;
}

static void sixteen_kib_in_flight(void)
{
    pthread_attr_t attributes;
    pthread_t id;
    target = refusing();
    pthread_attr_init(&attributes);
    CHECK(pthread_attr_setstacksize(&attributes, 16384) == 0);
    CHECK(pthread_create(&id, &attributes, on_a_small_stack, NULL) == 0);
    pthread_join(id, NULL);
}

/* ---- a clock that is not the machine's ---- */

static _Atomic int asked;

/* A test's mock, or a game's: steps back at each call, and counts who asks. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    (void)clock;
    now->tv_sec = 1000000 - ++asked;
    now->tv_nsec = 0;
    return 0;
}

static void own_clock(void)
{
    struct timespec now;
    target = refusing();
    refused_once();
    refused_once();
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("the clock was asked %d times\n", asked);
}

static const struct scene scenes[] = {
    SCENE(cancelled),
    SCENE(jumped_out_of_silence),
    SCENE(jumped_anywhere),
    SCENE(handler_connects),
    SCENE(forked_while_threads_connect),
    SCENE(vforked_child_connects),
    SCENE(daemonized),
    SCENE(exec_here_and_there),
    SCENE(connects_once),
    SCENE(four_descriptors),
    SCENE(eleven_descriptors),
    SCENE(a_million_descriptors),
    SCENE(sixteen_kib_in_flight),
    SCENE(own_clock),
};

int main(int argc, char **argv)
{
    return play(scenes, sizeof scenes / sizeof scenes[0], argc, argv);
}
