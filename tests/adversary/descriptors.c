/* SPDX-License-Identifier: MIT */
/*
 * descriptors SCENE: programs that rely on open(2) giving the lowest free number, and on a number
 * being theirs until they close it (open(2), dup(2)), while other threads only connect sockets that
 * are there already. Exits with 0 bare and under the shim alike.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/shim/scene.h"

enum { THREADS = 2, ROUNDS = 4000, PROCESSES = 300 };

static struct sockaddr_in target;
static _Atomic int stop;

static void *connects_again_and_again(void *fd)
{
    while (!stop)
        to((int)(intptr_t)fd, &target);
    return NULL;
}

/* Returns the lowest number that is free while they run. */
static int start(pthread_t *ids)
{
    int lowest = 0;
    target = refusing();
    for (int i = 0; i < THREADS; i++) {
        lowest = tcp(0) + 1;
        CHECK(pthread_create(&ids[i], NULL, connects_again_and_again,
                             (void *)(intptr_t)(lowest - 1)) == 0);
    }
    return lowest;
}

static void end(pthread_t *ids)
{
    stop = 1;
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(ids[i], NULL) == 0);
}

static void opens(int lowest)
{
    int fd = open("/dev/null", O_RDONLY);
    CHECK(fd == lowest);
    CHECK(close(fd) == 0);
}

/* The idiom of every daemon. */
static void replaces_stdin(int lowest)
{
    (void)lowest;
    CHECK(close(0) == 0);
    CHECK(open("/dev/null", O_RDONLY) == 0);
}

static void puts_there(int number)
{
    CHECK(dup2(0, number) == number);
    for (int i = 0; i < 20; i++)
        CHECK(fcntl(number, F_GETFD) >= 0);
    CHECK(close(number) == 0);
}

static void in_child(int lowest)
{
    static int round;
    int status;
    if (round++ % 32 != 0)
        return;
    pid_t child = fork();
    if (child == 0)
        _exit(open("/dev/null", O_RDONLY) == lowest ? 0 : 1);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void while_threads_connect(void (*use)(int), int number)
{
    pthread_t ids[THREADS];
    int lowest = start(ids);
    for (int i = 0; i < ROUNDS; i++)
        use(number > 0 ? number : lowest);
    end(ids);
}

static void lowest_opened(void)
{
    while_threads_connect(opens, 0);
}

static void stdin_replaced(void)
{
    while_threads_connect(replaces_stdin, 0);
}

static void number_chosen(void)
{
    while_threads_connect(puts_there, 0);
}

static void child_opens(void)
{
    while_threads_connect(in_child, 0);
}

/* Above where the log lies. */
static void high_number_chosen(void)
{
    while_threads_connect(puts_there, 1001);
}

static void allow(rlim_t descriptors)
{
    struct rlimit limit = {descriptors, descriptors};
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void with_two_hundred(void)
{
    allow(200);
    while_threads_connect(opens, 0);
}

/* Sockets whose connect has failed and was not asked about are closed meanwhile. */
static void *closes_failed_ones(void *unused)
{
    (void)unused;
    while (!stop) {
        int fd = tcp(SOCK_NONBLOCK);
        to(fd, &target);
        wait_writable(fd);
        close(fd);
    }
    return NULL;
}

static void high_number_while_failures_close(void)
{
    pthread_t id;
    target = refusing();
    CHECK(pthread_create(&id, NULL, closes_failed_ones, NULL) == 0);
    for (int i = 0; i < ROUNDS; i++)
        puts_there(1001 + i % 2);
    stop = 1;
    CHECK(pthread_join(id, NULL) == 0);
}

/* ---- the very first connect, by a thread however made, in many processes ---- */

static _Atomic int phase;

static int connects_once(void *fd)
{
    while (phase == 0)
        ;
    to((int)(intptr_t)fd, &target);
    phase = 2;
    return 0;
}

static void *posix_start(void *fd)
{
    connects_once(fd);
    return NULL;
}

static void by_pthread(int fd)
{
    pthread_t id;
    CHECK(pthread_create(&id, NULL, posix_start, (void *)(intptr_t)fd) == 0);
}

/* A thread of no library's: it shares everything, thread-local storage too. */
static void by_clone(int fd)
{
    enum { SIZE = 65536 };
    char *stack =
        mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    CHECK(stack != MAP_FAILED);
    CHECK(clone(connects_once, stack + SIZE,
                CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
                (void *)(intptr_t)fd) > 0);
}

/* Nor by a function of any library's. */
static void by_instruction(int fd)
{
#if defined(__x86_64__)
    enum { SIZE = 65536 };
    char *stack =
        mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    CHECK(stack != MAP_FAILED);
    void **top = (void **)(stack + SIZE);
    *--top = (void *)(intptr_t)fd;
    *--top = (void *)connects_once;
    long result;
    __asm__ volatile("movq %[flags], %%rdi\n\t"
                     "movq %[top], %%rsi\n\t"
                     "xorl %%edx, %%edx\n\t"
                     "xorl %%r10d, %%r10d\n\t"
                     "xorl %%r8d, %%r8d\n\t"
                     "movl %[clone], %%eax\n\t"
                     "syscall\n\t"
                     "testq %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "popq %%rax\n\t"
                     "popq %%rdi\n\t"
                     "call *%%rax\n\t"
                     "xorl %%edi, %%edi\n\t"
                     "movl %[exit], %%eax\n\t"
                     "syscall\n\t"
                     "1:"
                     : "=a"(result)
                     : [flags] "r"((long)(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
                                          CLONE_THREAD | CLONE_SYSVSEM)),
                       [top] "r"(top), [clone] "i"(SYS_clone), [exit] "i"(SYS_exit)
                     : "rdi", "rsi", "rdx", "r10", "r8", "rcx", "r11", "memory");
    CHECK(result > 0);
#else
    by_clone(fd);
#endif
}

/* The same by libc's syscall(2), whose child must have a stack with the caller's frames: here it
   has the whole memory to itself, but not the descriptors. */
static void shares_descriptors(int fd)
{
    if (syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL) == 0) {
        to(fd, &target);
        syscall(SYS_exit_group, 0);
    }
}

static void first(void (*make)(int))
{
    target = refusing();
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            int fd = tcp(0);
            make(fd);
            for (phase = 1; phase != 2;)
                opens(fd + 1);
            _exit(0);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
}

static void first_by_thread(void)
{
    first(by_pthread);
}

static void first_by_clone(void)
{
    first(by_clone);
}

static void first_by_instruction(void)
{
    first(by_instruction);
}

/* Another process with the same descriptors: it connects, and what it opens is seen here. */
static void first_by_sharing(void)
{
    target = refusing();
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        int fd = tcp(0);
        shares_descriptors(fd);
        do
            opens(fd + 1);
        while (waitpid(-1, &status, WNOHANG) == 0);
        CHECK(status == 0);
        CHECK(close(fd) == 0);
    }
}

/* ---- where the log lies ---- */

static void next_after(int count)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    target = refusing();
    while (open("/dev/null", O_RDONLY) < count)
        ;
    int fd = tcp(0);
    CHECK(to(fd, &target) == -1 && errno == ECONNREFUSED);
    opens(fd + 1);
}

static void three_hundred_open(void)
{
    next_after(300);
}

static void nearly_all_open(void)
{
    allow(300);
    next_after(280);
}

/* The log is renamed again and again; each time a number of the shim's may be seen once (and once
   more where the thread that opens it is preempted in between). */
static void rotated_among_threads(void)
{
    enum { ROTATIONS = 4 };
    const char *log = getenv("TCPDIAG_LOG");
    pthread_t ids[THREADS];
    int times = 0; /* that it was seen, however often while it was there */
    char old[4096];
    int lowest = start(ids);
    int before = lowest;
    for (int i = 0; log && i < ROTATIONS; i++) {
        while (access(log, F_OK) != 0) {
            int fd = open("/dev/null", O_RDONLY);
            if (fd != lowest && before == lowest)
                times++;
            before = fd;
            close(fd);
        }
        snprintf(old, sizeof old, "%s.%d", log, i + 1);
        CHECK(rename(log, old) == 0);
    }
    end(ids);
    CHECK(times <= ROTATIONS * 2);
}

/* A vfork child lets go of its own standard error, and then the program of its. What is left of the
   terminal is counted by what its descriptors are. */
static void *does_nothing(void *unused)
{
    return unused;
}

static void stderr_let_go_after_vfork(void)
{
    pthread_t id;
    int status;
    int left = 0;
    struct stat terminal;
    struct stat other;
    CHECK(fstat(STDERR_FILENO, &terminal) == 0);
    CHECK(pthread_create(&id, NULL, does_nothing, NULL) == 0 && pthread_join(id, NULL) == 0);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t child = vfork();
    if (child == 0) {
        dup2(null, STDERR_FILENO);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(dup2(null, STDERR_FILENO) == STDERR_FILENO);
    for (int fd = 0; fd < 1100; fd++)
        left +=
            fstat(fd, &other) == 0 && other.st_rdev == terminal.st_rdev && S_ISCHR(other.st_mode);
    exit(left == 0 ? 0 : 3);
}

/* How many more may be opened after a record. */
static void emfile(void)
{
    int count = 0;
    allow(1024);
    target = refusing();
    int fd = tcp(0);
    CHECK(to(fd, &target) == -1 && errno == ECONNREFUSED);
    while (open("/dev/null", O_RDONLY) >= 0)
        count++;
    CHECK(errno == EMFILE);
    printf("%d more\n", count);
}

static const struct scene scenes[] = {
    SCENE(first_by_instruction),
    SCENE(first_by_sharing),
    SCENE(rotated_among_threads),
    SCENE(emfile),
    SCENE(stderr_let_go_after_vfork),
    SCENE(lowest_opened),
    SCENE(stdin_replaced),
    SCENE(number_chosen),
    SCENE(child_opens),
    SCENE(high_number_chosen),
    SCENE(high_number_while_failures_close),
    SCENE(with_two_hundred),
    SCENE(first_by_thread),
    SCENE(first_by_clone),
    SCENE(three_hundred_open),
    SCENE(nearly_all_open),
};

int main(int argc, char **argv)
{
    return play(scenes, sizeof scenes / sizeof scenes[0], argc, argv);
}
