/* SPDX-License-Identifier: MIT */
/* The scenes of `memory` for what makes sockets, processes and threads, and for many messages. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>

#include "tests/adversary/memory.h"

static void say_child(const char *what, pid_t child)
{
    int status = -1;
    bool waited = child > 0 && waitpid(child, &status, 0) == child;
    printf("%s: %s, status %x\n", what, waited ? "a child" : "none", (unsigned)status);
}

void play_socket(const struct hook *hook)
{
    int fd = subject();
    const int families[] = {AF_INET, AF_INET6, AF_UNIX, -1, 4242};
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        SAY(AS(int, (int, int, int), hook)(families[i], SOCK_STREAM, 0));
    finish(fd);
}

void play_forkpty(const struct hook *hook)
{
    int *terminal = COPY((int){-1});
    const struct termios settings = {.c_cflag = CS8 | CREAD};
    const struct winsize size = {.ws_row = 24, .ws_col = 80};
    int fd = subject();
    for (int i = 0; i < 2; i++) {
        fflush(stdout);
        pid_t child = AS(pid_t, (int *, char *, const void *, const void *), hook)(
            terminal, i ? at_end(32) : NULL, i ? COPY(settings) : NULL, i ? COPY(size) : NULL);
        if (child == 0)
            _exit(5);
        say_child("forkpty", child);
    }
    finish(fd);
}

void play_daemon(const struct hook *hook)
{
    int status;
    int fd = subject();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) { /* the scene's process may not go into the background */
        int result = AS(int, (int, int), hook)(1, 1);
        syscall(SYS_exit_group, result);
    }
    CHECK(waitpid(child, &status, 0) == child);
    printf("status %x\n", (unsigned)status);
    finish(fd);
}

void play_system(const struct hook *hook)
{
    int fd = subject();
    fflush(stdout);
    unsetenv("LD_PRELOAD"); /* the shell may be of another machine than the library */
    SAY(AS(int, (const char *), hook)(NULL) != 0);
    SAY(AS(int, (const char *), hook)(TEXT("exit 3")));
    SAY(AS(int, (const char *), hook)(UNTERMINATED("exit 3"))); /* for execve(2) to refuse */
    SAY(AS(int, (const char *), hook)(nowhere()));
    finish(fd);
}

void play_popen(const struct hook *hook)
{
    int fd = subject();
    char line[16] = "";
    unsetenv("LD_PRELOAD"); /* as above */
    FILE *stream = AS(FILE *, (const char *, const char *), hook)(TEXT("echo x"), TEXT("r"));
    CHECK(stream && fgets(line, sizeof line, stream));
    printf("%s", line);
    SAY(pclose(stream));
    stream = AS(FILE *, (const char *, const char *), hook)(nowhere(), TEXT("r"));
    printf("%s\n", stream ? "a stream" : "none");
    if (stream)
        SAY(pclose(stream));
    SAY(AS(FILE *, (const char *, const char *), hook)(TEXT("x"), TEXT("q")) != NULL);
    finish(fd);
}

/* The child, whose number nobody was told, when it has ended. */
static pid_t waited_first(void)
{
    siginfo_t info = {0};
    CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0);
    return info.si_pid;
}

void play_posix_spawn(const struct hook *hook)
{
    pid_t *child = COPY((pid_t){0});
    char *arguments[] = {TEXT("memory"), TEXT("arguments"), NULL};
    char *environment[] = {TEXT("A=b"), NULL};
    int fd = subject();
    fflush(stdout);
    __typeof__(posix_spawn) *call = (__typeof__(posix_spawn) *)hook->function;
    SAY(call(child, TEXT("/nonexistent/x"), NULL, NULL, COPY(arguments), COPY(environment)));
    int result =
        call(child, TEXT("/proc/self/exe"), NULL, NULL, COPY(arguments), COPY(environment));
    say_child("spawned", *child); /* whose own line comes before */
    say("spawn", result);
    SAY(call(NULL, TEXT("/nonexistent/x"), NULL, NULL, COPY(arguments), NULL));
    posix_spawn_file_actions_t *actions = at_end(sizeof *actions);
    posix_spawnattr_t *attributes = at_end(sizeof *attributes);
    CHECK(posix_spawn_file_actions_init(actions) == 0 && posix_spawnattr_init(attributes) == 0);
    result =
        call(NULL, TEXT("/proc/self/exe"), actions, attributes, COPY(arguments), COPY(environment));
    say_child("spawned", result == 0 ? waited_first() : -1);
    say("spawn", result);
    if (strcmp(hook->name, "posix_spawn") == 0) /* the other looks for a slash in it */
        SAY(call(child, nowhere(), NULL, NULL, COPY(arguments), COPY(environment)));
    finish(fd);
}

static void *thread(void *argument)
{
    return argument;
}

void play_pthread_create(const struct hook *hook)
{
    pthread_t *id = at_end(sizeof *id);
    void *result = NULL;
    int fd = subject();
    __typeof__(pthread_create) *call = (__typeof__(pthread_create) *)hook->function;
    pthread_attr_t *attributes = at_end(sizeof *attributes);
    CHECK(pthread_attr_init(attributes) == 0);
    SAY(call(id, NULL, thread, TEXT("x")));
    SAY(pthread_join(*id, &result));
    SAY(call(id, attributes, thread, NULL));
    SAY(pthread_join(*id, &result));
    finish(fd);
}

static int c11_thread(void *argument)
{
    return argument != NULL;
}

/* thrd_t is a pthread_t, in glibc and in musl. */
void play_thrd_create(const struct hook *hook)
{
    pthread_t *id = at_end(sizeof *id);
    int fd = subject();
    SAY(AS(int, (pthread_t *, int (*)(void *), void *), hook)(id, c11_thread, TEXT("x")));
    SAY(pthread_join(*id, NULL));
    finish(fd);
}

void play_clone(const struct hook *hook)
{
    enum { SIZE = 65536 };
    char *stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*call)(int (*)(void *), void *, int, void *, ...) = (__typeof__(call))hook->function;
    int fd = subject();
    const int flags[] = {0, CLONE_FILES, CLONE_FS, CLONE_VM | CLONE_VFORK};
    CHECK(stack != MAP_FAILED);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        fflush(stdout);
        say_child("cloned", call(c11_thread, stack + SIZE, flags[i] | SIGCHLD, TEXT("x")));
    }
    pid_t *told = at_end(sizeof *told);
    const int tells = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
    fflush(stdout);
    pid_t child = call(c11_thread, stack + SIZE, tells, TEXT("x"), told, NULL, told);
    printf("told: %d\n", *told == child);
    say_child("cloned", child);
    fflush(stdout); /* what cannot be told is not told */
    say_child("cloned", call(c11_thread, stack + SIZE, tells, NULL, nowhere(), NULL, nowhere()));
#if defined(__GLIBC__)
    SAY(call(NULL, stack + SIZE, SIGCHLD, NULL));
    SAY(call(c11_thread, NULL, SIGCHLD, NULL));
#endif
    finish(fd);
}

void play_unshare(const struct hook *hook)
{
    int fd = subject();
    SAY(AS(int, (int), hook)(CLONE_FILES));
    SAY(AS(int, (int), hook)(0));
    finish(fd);
}

void play_vfork(const struct hook *hook)
{
    int fd = subject();
    fflush(stdout);
    pid_t child = AS(pid_t, (void), hook)();
    if (child == 0)
        _exit(4);
    say_child("vforked", child);
    finish(fd);
}

void play_pidfd_getfd(const struct hook *hook)
{
    int fd = subject();
    int own = (int)syscall(SYS_pidfd_open, getpid(), 0);
    int taken = AS(int, (int, int, unsigned), hook)(own, fd, 0);
    printf("%s\n", taken >= 0 ? "taken" : strerror(errno));
    SAY(AS(int, (int, int, unsigned), hook)(-1, fd, 0));
    SAY(AS(int, (int, int, unsigned), hook)(own, fd, 99));
    finish(fd);
}

/* ---- many messages: of those that were not handled nothing is read ---- */

#define SENDMMSG(hook) AS(int, (int, struct mmsghdr *, unsigned, int), hook)
#define RECVMMSG(hook) AS(int, (int, struct mmsghdr *, unsigned, int, void *), hook)

static struct mmsghdr one_message(void)
{
    struct mmsghdr message = {
        .msg_hdr = {.msg_iov = COPY((struct iovec){TEXT("ab"), 3}), .msg_iovlen = 1}};
    return message;
}

/* The second cannot be sent; its address and control data are nowhere. */
static void sendmmsg_beyond(const struct hook *hook, int fd, int flags)
{
    struct mmsghdr messages[] = {one_message(), one_message()};
    messages[1].msg_hdr.msg_name = nowhere();
    messages[1].msg_hdr.msg_namelen = 16;
    messages[1].msg_hdr.msg_control = nowhere();
    messages[1].msg_hdr.msg_controllen = 64;
    SAY(SENDMMSG(hook)(fd, COPY(messages), 2, flags));
}

void play_sendmmsg(const struct hook *hook)
{
    message_names(hook);
    message_controls(hook);
    const int flags[] = {MSG_DONTWAIT, MSG_DONTWAIT | MSG_FASTOPEN};
    int ends[2];
    unix_pair(ends);
    struct mmsghdr message = one_message();
    for (int i = 0; i < 2; i++) {
        int fd = subject();
        SAY(SENDMMSG(hook)(ends[0], COPY(message), 1, flags[i]));
        SAY(SENDMMSG(hook)(ends[0], NULL, 0, flags[i]));
#if defined(__GLIBC__) /* musl's looks into the messages itself */
        SAY(SENDMMSG(hook)(ends[0], COPY(message), 2, flags[i]));
        sendmmsg_beyond(hook, ends[0], flags[i]);
        sendmmsg_beyond(hook, fd, flags[i]);
        SAY(SENDMMSG(hook)(ends[0], NULL, 1, flags[i]));
        SAY(SENDMMSG(hook)(ends[0], nowhere(), 1, flags[i]));
        SAY(SENDMMSG(hook)(fd, nowhere(), 1, flags[i]));
        SAY(SENDMMSG(hook)(fd, at_end(8), 1, flags[i]));
#endif
        SAY(SENDMMSG(hook)(fd, COPY(message), 1, flags[i]));
        finish(fd);
    }
    int fd = subject();
    int other = tcp(SOCK_NONBLOCK);
    struct mmsghdr named = message;
    named.msg_hdr.msg_name = (void *)address_for(FAILED);
    named.msg_hdr.msg_namelen = sizeof(struct sockaddr_in);
    SAY(SENDMMSG(hook)(other, COPY(named), 1, flags[1]));
    named.msg_hdr.msg_name = nowhere();
    SAY(SENDMMSG(hook)(other, COPY(named), 1, flags[1]));
    finish(fd);
}

/* Two came for three: the third message is as it was, and so is what it points to. */
static void recvmmsg_beyond(const struct hook *hook)
{
    int ends[2];
    struct mmsghdr messages[3];
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
    CHECK(write(ends[1], "ab", 2) == 2 && write(ends[1], "cd", 2) == 2);
    for (int i = 0; i < 3; i++)
        messages[i] = (struct mmsghdr){
            .msg_hdr = {.msg_iov = COPY((struct iovec){at_end(2), 2}), .msg_iovlen = 1}};
    messages[2].msg_hdr.msg_control = nowhere();
    messages[2].msg_hdr.msg_controllen = 64;
    struct mmsghdr *at = COPY(messages);
    SAY(RECVMMSG(hook)(ends[0], at, 3, MSG_DONTWAIT, NULL));
    for (int i = 0; i < 3; i++)
        printf("%u, controllen %lx\n", at[i].msg_len, (unsigned long)at[i].msg_hdr.msg_controllen);
}

/* As in recvmsg_over_itself; the message is the first of two. */
static void recvmmsg_over_itself(const struct hook *hook)
{
    struct mmsghdr *at = at_end(2 * sizeof *at);
    int other = with_rights(sizeof at->msg_hdr);
    memset(at, 0, 2 * sizeof *at);
    at->msg_hdr = (struct msghdr){.msg_iov = COPY((struct iovec){at, sizeof at->msg_hdr}),
                                  .msg_iovlen = 1,
                                  .msg_control = at_end(CMSG_SPACE(sizeof(int))),
                                  .msg_controllen = CMSG_SPACE(sizeof(int))};
    SAY(RECVMMSG(hook)(other, at, 2, MSG_DONTWAIT, NULL));
    show(at, 2 * sizeof *at);
}

/* A descriptor comes, and of its control data there is room for so much. */
static void recvmmsg_controls(const struct hook *hook)
{
    for (size_t length = 0; length <= 40; length++) {
        struct mmsghdr message = {.msg_hdr = {.msg_iov = COPY((struct iovec){at_end(1), 1}),
                                              .msg_iovlen = 1,
                                              .msg_control = at_end(length)}};
        message.msg_hdr.msg_controllen = (__typeof__(message.msg_hdr.msg_controllen))length;
        struct mmsghdr *at = COPY(message);
        SAY(RECVMMSG(hook)(with_rights(1), at, 1, MSG_DONTWAIT, NULL));
        printf("controllen %lx, flags %x\n", (unsigned long)at->msg_hdr.msg_controllen,
               (unsigned)at->msg_hdr.msg_flags);
    }
}

static void recvmmsg_timeouts(const struct hook *hook)
{
    const long seconds[] = {20, 0};
    const int64_t wide[] = {20, 0};
    bool is_wide = strcmp(hook->name, "recvmmsg") != 0;
    struct mmsghdr message = {
        .msg_hdr = {.msg_iov = COPY((struct iovec){at_end(1), 1}), .msg_iovlen = 1}};
    void *timeout = is_wide ? COPY(wide) : COPY(seconds);
    SAY(RECVMMSG(hook)(with_rights(1), COPY(message), 1, MSG_DONTWAIT, timeout));
#if defined(__GLIBC__)
    if (!is_wide && sizeof(long) == 8) { /* where the kernel's type is not libc's, libc reads it */
        SAY(RECVMMSG(hook)(with_rights(1), COPY(message), 1, MSG_DONTWAIT, nowhere()));
        SAY(RECVMMSG(hook)(with_rights(1), COPY(message), 1, MSG_DONTWAIT, at_end(15)));
    }
#endif
}

void play_recvmmsg(const struct hook *hook)
{
    int ends[2];
    int fd = subject();
    unix_pair(ends);
    CHECK(write(ends[1], "abcdefgh", 8) == 8);
    struct mmsghdr message = {
        .msg_hdr = {.msg_iov = COPY((struct iovec){at_end(2), 2}), .msg_iovlen = 1}};
    SAY(RECVMMSG(hook)(ends[0], COPY(message), 1, MSG_DONTWAIT, NULL));
    SAY(RECVMMSG(hook)(ends[0], NULL, 0, MSG_DONTWAIT, NULL));
#if defined(__GLIBC__)
    if (strcmp(hook->name, "recvmmsg") == 0) { /* __recvmmsg64 looks into the messages itself */
        SAY(RECVMMSG(hook)(ends[0], COPY(message), 2, MSG_DONTWAIT, NULL));
        SAY(RECVMMSG(hook)(ends[0], nowhere(), 1, MSG_DONTWAIT, NULL));
        SAY(RECVMMSG(hook)(ends[0], NULL, 1, MSG_DONTWAIT, NULL));
        recvmmsg_beyond(hook);
        recvmmsg_over_itself(hook);
    }
#endif
    recvmmsg_controls(hook);
    recvmmsg_timeouts(hook);
    SAY(RECVMMSG(hook)(fd, COPY(message), 1, MSG_DONTWAIT, NULL));
    finish(fd);
}
