/* SPDX-License-Identifier: MIT */
/*
 * files SCENE: what happens to the log, and to the world around it, between two connects. Exits
 * with 0 bare and under the shim alike.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/shim/scene.h"

static struct sockaddr_in target;

static void refused_times(int times)
{
    for (int i = 0; i < times; i++) {
        int fd = tcp(0);
        CHECK(to(fd, &target) == -1 && errno == ECONNREFUSED);
        close(fd);
    }
}

/* The path of the log is looked at once a second. */
static void a_second_later(void)
{
    struct timespec second = {1, 100000000};
    nanosleep(&second, NULL);
}

/* A file system may be full, or a log have its limit, at any time. */
static void limited_later(void)
{
    struct rlimit none = {0, 0};
    refused_times(1);
    CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
    refused_times(3);
}

static void limit_reached(void)
{
    struct rlimit some = {20000, 20000};
    CHECK(setrlimit(RLIMIT_FSIZE, &some) == 0);
    refused_times(100);
}

static void elsewhere(void)
{
    refused_times(1);
    CHECK(mkdir("elsewhere", 0700) == 0 && chdir("elsewhere") == 0);
    a_second_later();
    refused_times(1);
    closefrom(3);
    target = refusing();
    refused_times(1);
    CHECK(access("log.jsonl", F_OK) == -1 && errno == ENOENT);
}

static void with_log(void (*change)(const char *path))
{
    const char *log = getenv("TCPDIAG_LOG");
    refused_times(1);
    if (log)
        change(log);
    a_second_later();
    refused_times(1);
}

static void delete_it(const char *path)
{
    CHECK(unlink(path) == 0);
}

static void truncate_it(const char *path)
{
    CHECK(truncate(path, 0) == 0);
}

static void make_folder(const char *path)
{
    CHECK(unlink(path) == 0 && mkdir(path, 0700) == 0);
}

static void make_link(const char *path)
{
    CHECK(unlink(path) == 0 && symlink("target", path) == 0);
}

static void make_fifo(const char *path)
{
    CHECK(unlink(path) == 0 && mkfifo(path, 0600) == 0);
}

static void log_deleted(void)
{
    with_log(delete_it);
}

static void log_truncated(void)
{
    with_log(truncate_it);
}

static void log_becomes_folder(void)
{
    with_log(make_folder);
}

static void log_becomes_link(void)
{
    with_log(make_link);
    CHECK(access("target", F_OK) == -1 && errno == ENOENT);
}

static void log_becomes_fifo(void)
{
    with_log(make_fifo);
}

/* A jail in which the path of the log exists as well: what is in it is not the user's log. */
static void jailed(void)
{
    char here[512];
    char inside[1100];
    CHECK(getcwd(here, sizeof here) != NULL);
    snprintf(inside, sizeof inside, "%s/jail", here);
    CHECK(mkdir(inside, 0700) == 0);
    for (char *at = here + 1;; at++)
        if (*at == '/' || *at == '\0') {
            char kept = *at;
            *at = '\0';
            snprintf(inside, sizeof inside, "jail%s", here);
            CHECK(mkdir(inside, 0700) == 0);
            *at = kept;
            if (!kept)
                break;
        }
    refused_times(1);
    CHECK(chroot("jail") == 0 && chdir("/") == 0);
    a_second_later();
    refused_times(1);
    closefrom(3);
    target = refusing();
    refused_times(1);
    snprintf(inside, sizeof inside, "%s/log.jsonl", here);
    CHECK(access(inside, F_OK) == -1 && errno == ENOENT);
}

/* New namespaces for everything that may be had; the old network's socket still connects. */
static void unshared(void)
{
    int old = open("/proc/self/ns/net", O_RDONLY);
    int before = tcp(0);
    refused_times(1);
    CHECK(unshare(CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWIPC | CLONE_FILES) == 0);
    CHECK(to(tcp(0), &target) == -1 && errno == ENETUNREACH); /* its loopback is down */
    CHECK(to(before, &target) == -1 && errno == ECONNREFUSED);
    CHECK(setns(old, CLONE_NEWNET) == 0);
    refused_times(1);
}

/* To a user who may not open the log. */
static void privileges_dropped(void)
{
    refused_times(1);
    if (setgroups(0, NULL) != 0 || setresgid(65534, 65534, 65534) != 0 ||
        setresuid(65534, 65534, 65534) != 0)
        exit(77);
    a_second_later();
    refused_times(1);
    closefrom(3);
    target = refusing();
    refused_times(1);
}

/* The folder "full" is a small file system that a stone fills half. */
static void full_and_free_again(void)
{
    char stone[512];
    int fd = open("full/stone", O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0);
    memset(stone, 's', sizeof stone);
    for (int i = 0; i < 64; i++)
        CHECK(write(fd, stone, sizeof stone) == sizeof stone);
    close(fd);
    refused_times(100);
    CHECK(unlink("full/stone") == 0);
    refused_times(10);
}

static void *refused_often(void *unused)
{
    (void)unused;
    refused_times(300);
    return NULL;
}

static void threads_refused(void)
{
    pthread_t ids[8];
    for (int i = 0; i < 8; i++)
        CHECK(pthread_create(&ids[i], NULL, refused_often, NULL) == 0);
    for (int i = 0; i < 8; i++)
        pthread_join(ids[i], NULL);
}

static void refused_once(void)
{
    refused_times(1);
}

/* err.txt was standard error; a data file gets its descriptor and, where the file system does so,
   its inode's number. */
static void standard_error_replaced(void)
{
    struct stat status;
    unlink("err.txt");
    close(STDERR_FILENO);
    int fd = open("data.db", O_CREAT | O_RDWR, 0600);
    CHECK(fd == STDERR_FILENO && write(fd, "DATA", 4) == 4);
    refused_once();
    CHECK(fstat(fd, &status) == 0);
    printf("%ld bytes\n", (long)status.st_size);
}

static const struct scene scenes[] = {
    SCENE(limited_later),    SCENE(limit_reached),      SCENE(elsewhere),
    SCENE(log_deleted),      SCENE(log_truncated),      SCENE(log_becomes_folder),
    SCENE(log_becomes_link), SCENE(log_becomes_fifo),   SCENE(jailed),
    SCENE(unshared),         SCENE(privileges_dropped), SCENE(full_and_free_again),
    SCENE(threads_refused),  SCENE(refused_once),       SCENE(standard_error_replaced),
};

int main(int argc, char **argv)
{
    target = refusing();
    return play(scenes, sizeof scenes / sizeof scenes[0], argc, argv);
}
