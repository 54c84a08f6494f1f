/* SPDX-License-Identifier: MIT */
/*
 * kills COUNT SURVIVORS SEED
 *
 * COUNT children connect until they are killed, each after a random moment; SURVIVORS children do
 * so to the end. A survivor prints its process number and how many attempts it has made, one that
 * was killed its process number.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "tests/shim/scene.h"

enum { AT_ONCE = 6, MOST_SURVIVORS = 16 };

static struct sockaddr_in target;
static volatile sig_atomic_t over;

static void on_term(int signal)
{
    (void)signal;
    over = 1;
}

static long connect_until_over(void)
{
    long attempts = 0;
    for (; !over; attempts++) {
        int fd = tcp(0);
        CHECK(to(fd, &target) == -1 && errno == ECONNREFUSED);
        close(fd);
    }
    return attempts;
}

static pid_t start(bool survives)
{
    struct sigaction on = {.sa_handler = on_term, .sa_flags = SA_RESTART};
    CHECK(!survives ||
          sigaction(SIGTERM, &on, NULL) == 0); /* before the fork: it may come at once */
    pid_t child = fork();
    CHECK(child >= 0);
    if (child != 0)
        return child;
    alarm(600);
    long attempts = connect_until_over();
    dprintf(STDOUT_FILENO, "%d %ld\n", (int)getpid(), attempts);
    _exit(0);
}

static void kill_after(pid_t child, long microseconds)
{
    struct timespec moment = {0, microseconds * 1000};
    nanosleep(&moment, NULL);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    dprintf(STDOUT_FILENO, "%d\n", (int)child);
}

static void end(pid_t survivor)
{
    int status;
    CHECK(kill(survivor, SIGTERM) == 0);
    CHECK(waitpid(survivor, &status, 0) == survivor && status == 0);
}

int main(int argc, char **argv)
{
    pid_t survivors[MOST_SURVIVORS] = {0};
    pid_t victims[AT_ONCE];
    int count = argc == 4 ? atoi(argv[2]) : -1;
    if (count < 0 || count > MOST_SURVIVORS) {
        fprintf(stderr, "usage: kills COUNT SURVIVORS SEED\n");
        return 2;
    }
    srandom((unsigned)atoi(argv[3]));
    target = refusing();
    for (int i = 0; i < count; i++)
        survivors[i] = start(true);
    for (int left = atoi(argv[1]); left > 0; left -= AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++)
            victims[i] = start(false);
        for (int i = 0; i < AT_ONCE; i++)
            kill_after(victims[i], random() % 2000);
    }
    for (int i = 0; i < count; i++)
        end(survivors[i]);
    return 0;
}
