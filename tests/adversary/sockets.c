/* SPDX-License-Identifier: MIT */
/*
 * sockets SCENE: programs that learn of a failed connect late, in a roundabout way, or through
 * another descriptor than the one that connected. SO_ERROR gives an error once (socket(7)): each
 * scene checks that it was left for the program. Exits with 0 bare and under the shim alike.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tests/shim/scene.h"

extern char **environ;

/* A connect that has failed, and nobody has asked why. */
static int failed(void)
{
    struct sockaddr_in address = refusing();
    int fd = in_progress(&address);
    wait_writable(fd);
    return fd;
}

static int dissolve(int fd, socklen_t length)
{
    struct sockaddr_in none = {.sin_family = AF_UNSPEC};
    return connect(fd, (struct sockaddr *)&none, length);
}

static void shutdown_failed(void)
{
    int fd = failed();
    CHECK(shutdown(fd, SHUT_RDWR) == -1 && errno == ENOTCONN);
    CHECK(so_error(fd) == ECONNREFUSED);
}

static void dissolved_failed(void)
{
    int fd = failed();
    CHECK(dissolve(fd, sizeof(struct sockaddr_in)) == 0);
    CHECK(so_error(fd) == ECONNREFUSED);
}

/* The family alone is enough for the kernel. */
static void dissolved_pending(void)
{
    struct sockaddr_in silent_one = silent();
    struct sockaddr_in good = accepting();
    for (socklen_t length = 2; length <= 16; length += 14) {
        int fd = in_progress(&silent_one);
        CHECK(dissolve(fd, length) == 0);
        so_error(fd); /* what it is depends on the kernel's age */
        CHECK(to(fd, &good) == -1 && errno == EINPROGRESS);
        wait_writable(fd);
        CHECK(so_error(fd) == 0);
        close(fd);
    }
}

static void failed_exec(void)
{
    int fd = failed();
    CHECK(execl("/nonexistent/program", "program", (char *)NULL) == -1 && errno == ENOENT);
    CHECK(so_error(fd) == ECONNREFUSED);
}

/* After an exec that kept it: descriptor 9 still has its error. */
static void read_error_of_9(void)
{
    char go;
    if (read(8, &go, 1) < 0) /* until the parent has closed its own, where there is a parent */
        CHECK(errno == EBADF);
    CHECK(so_error(9) == ECONNREFUSED);
}

static void exec_keeps_it(void)
{
    int fd = failed();
    CHECK(dup2(fd, 9) == 9);
    close(8);
    execl("/proc/self/exe", "sockets", "read_error_of_9", (char *)NULL);
    CHECK(!"exec");
}

static void wait_for(pid_t child)
{
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void spawned_child_has_it(void)
{
    char *arguments[] = {"sockets", "read_error_of_9", NULL};
    int ends[2];
    int fd = failed();
    pid_t child;
    posix_spawn_file_actions_t actions;
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], 8);
    posix_spawn_file_actions_adddup2(&actions, fd, 9);
    CHECK(posix_spawn(&child, "/proc/self/exe", &actions, NULL, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(fd);
    CHECK(write(ends[1], "g", 1) == 1);
    wait_for(child);
}

static void vforked_child_has_it(void)
{
    int ends[2];
    int fd = failed();
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    pid_t child = vfork();
    if (child == 0) {
        dup2(ends[0], 8);
        dup2(fd, 9);
        execl("/proc/self/exe", "sockets", "read_error_of_9", (char *)NULL);
        _exit(127);
    }
    close(fd);
    CHECK(write(ends[1], "g", 1) == 1);
    wait_for(child);
}

static int one_pair[2];

static void send_descriptor(int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char byte = 'x';
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    CHECK(sendmsg(one_pair[0], &message, 0) == 1);
}

static int receive_descriptor(void)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char byte;
    struct iovec part = {&byte, 1};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &part,
                                          .msg_iovlen = 1,
                                          .msg_control = &control,
                                          .msg_controllen = sizeof control}};
    int fd;
    CHECK(recvmmsg(one_pair[1], &message, 1, 0, NULL) == 1);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message.msg_hdr)), sizeof fd);
    return fd;
}

static void passed_on(void)
{
    int fd = failed();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, one_pair) == 0);
    send_descriptor(fd);
    close(fd);
    CHECK(so_error(receive_descriptor()) == ECONNREFUSED);
}

static void fails_on(int fd)
{
    struct sockaddr_in address = refusing();
    CHECK(to(fd, &address) == -1 && errno == EINPROGRESS);
    wait_writable(fd);
}

/* The other holder is there before the connect. */
static void passed_before(void)
{
    int fd = tcp(SOCK_NONBLOCK);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, one_pair) == 0);
    send_descriptor(fd);
    fails_on(fd);
    close(fd);
    CHECK(so_error(receive_descriptor()) == ECONNREFUSED);
}

/* A number that was the program's own socket's before, and now is one that somebody gave it. */
static void received_and_sent_back(void)
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, one_pair) == 0);
    int fd = tcp(SOCK_NONBLOCK);
    int kept = fcntl(fd, F_DUPFD, 100);
    send_descriptor(fd);
    syscall(SYS_close, fd);
    int number = tcp(SOCK_NONBLOCK); /* stamped as this process's own */
    syscall(SYS_close, number);
    fd = receive_descriptor();
    CHECK(fd == number);
    fails_on(fd);
    close(fd);
    CHECK(so_error(kept) == ECONNREFUSED);
}

static void dup_before(void)
{
    int fd = tcp(SOCK_NONBLOCK);
    int other = dup(fd);
    fails_on(fd);
    close(fd);
    CHECK(so_error(other) == ECONNREFUSED);
}

static void dup_and_close_before(void)
{
    int fd = tcp(SOCK_NONBLOCK);
    int other = fcntl(fd, F_DUPFD_CLOEXEC, 50);
    fails_on(other);
    CHECK(dup2(STDIN_FILENO, other) == other);
    CHECK(so_error(fd) == ECONNREFUSED);
}

static void ends_without_asking(int fd)
{
    (void)fd;
}

static void closes(int fd)
{
    CHECK(close(fd) == 0);
}

static void closes_all(int fd)
{
    if (close_range((unsigned)fd, (unsigned)fd, 0) != 0)
        close(fd);
}

/* The child connects its parent's socket and gives it up; the parent asks. */
static void child_connects(void (*give_up)(int))
{
    int fd = tcp(SOCK_NONBLOCK);
    pid_t child = fork();
    if (child == 0) {
        fails_on(fd);
        give_up(fd);
        _exit(0);
    }
    wait_for(child);
    CHECK(so_error(fd) == ECONNREFUSED);
}

static void child_connects_parents_socket(void)
{
    child_connects(ends_without_asking);
    child_connects(closes);
    child_connects(closes_all);
}

/* The other way round: the child asks what its parent has given up. */
static void parent_closes_childs_socket(void)
{
    int ends[2];
    int fd = tcp(SOCK_NONBLOCK);
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        CHECK(read(ends[0], &byte, 1) == 1);
        _exit(so_error(fd) == ECONNREFUSED ? 0 : 1);
    }
    fails_on(fd);
    close(fd);
    CHECK(write(ends[1], "g", 1) == 1);
    wait_for(child);
}

/* An image that has inherited the socket. */
static void connect_9_and_exit(void)
{
    fails_on(9);
    close(9);
}

static void inherited_by_exec(void)
{
    int fd = tcp(SOCK_NONBLOCK);
    pid_t child = fork();
    if (child == 0) {
        dup2(fd, 9);
        execl("/proc/self/exe", "sockets", "connect_9_and_exit", (char *)NULL);
        _exit(127);
    }
    wait_for(child);
    CHECK(so_error(fd) == ECONNREFUSED);
}

/* Still there when the program that started it has ended, as a background job of a shell's. */
static void grandchild_has_it(void)
{
    int ends[2];
    char program[256] = "";
    char command[512];
    int fd = tcp(SOCK_NONBLOCK);
    CHECK(pipe(ends) == 0);
    CHECK(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
    snprintf(command, sizeof command,
             "exec 9>&%d; (read x <&%d; exec '%s' read_so_error_of_9) & exit 0", fd, ends[0],
             program);
    CHECK(system(command) == 0);
    fails_on(fd);
    close(fd);
    CHECK(write(ends[1], "g\n", 2) == 2);
    close(ends[1]);
}

/* Prints, since nobody waits for it. */
static void read_so_error_of_9(void)
{
    printf("%s\n", strerror(so_error(9)));
}

/* A thread with descriptors of its own has the socket too. */
static int meeting[2][2];

static void *parts(void *fd)
{
    char byte = 'g';
    CHECK(unshare(CLONE_FILES) == 0);
    CHECK(write(meeting[0][1], &byte, 1) == 1);
    CHECK(read(meeting[1][0], &byte, 1) == 1);
    CHECK(so_error((int)(intptr_t)fd) == ECONNREFUSED);
    return NULL;
}

static void thread_with_its_own_descriptors(void)
{
    pthread_t id;
    char byte = 'g';
    int fd = tcp(SOCK_NONBLOCK);
    CHECK(pipe(meeting[0]) == 0 && pipe(meeting[1]) == 0);
    CHECK(pthread_create(&id, NULL, parts, (void *)(intptr_t)fd) == 0);
    CHECK(read(meeting[0][0], &byte, 1) == 1);
    fails_on(fd);
    close(fd);
    CHECK(write(meeting[1][1], &byte, 1) == 1);
    CHECK(pthread_join(id, NULL) == 0);
}

/* By libc's syscall(2), and by a name of glibc's own. */
static void holder_by_syscall(void)
{
    int fd = tcp(SOCK_NONBLOCK);
    int other = (int)syscall(SYS_dup, fd);
    fails_on(fd);
    close(fd);
    CHECK(so_error(other) == ECONNREFUSED);
    fd = tcp(SOCK_NONBLOCK);
    other = (int)syscall(SYS_fcntl, fd, F_DUPFD, 100);
    fails_on(fd);
    close(fd);
    CHECK(so_error(other) == ECONNREFUSED);
}

static void child_by_another_name(void)
{
    pid_t (*forks)(void) = (pid_t(*)(void))dlsym(RTLD_DEFAULT, "__fork");
    int ends[2];
    int fd = tcp(SOCK_NONBLOCK);
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    pid_t child = forks ? forks() : fork();
    if (child == 0) {
        char byte;
        CHECK(read(ends[0], &byte, 1) == 1);
        _exit(so_error(fd) == ECONNREFUSED ? 0 : 1);
    }
    fails_on(fd);
    close(fd);
    CHECK(write(ends[1], "g", 1) == 1);
    wait_for(child);
}

/* docs/limits.md: this holder cannot be seen. It gets the number of a socket that was made after
 * it. */
static void taken_by_pidfd(void)
{
    int ends[2];
    int answer[2];
    char byte = 'g';
    CHECK(pipe2(ends, O_CLOEXEC) == 0 && pipe2(answer, O_CLOEXEC) == 0);
    pid_t child = fork();
    if (child == 0) {
        int number;
        CHECK(read(ends[0], &number, sizeof number) == sizeof number);
        int parent = (int)syscall(SYS_pidfd_open, getppid(), 0);
        int fd = (int)syscall(SYS_pidfd_getfd, parent, number, 0);
        CHECK(fd >= 0 && write(answer[1], &byte, 1) == 1);
        CHECK(read(ends[0], &byte, 1) == 1);
        printf("%s\n", strerror(so_error(fd)));
        exit(0);
    }
    int fd = tcp(SOCK_NONBLOCK);
    CHECK(write(ends[1], &fd, sizeof fd) == sizeof fd && read(answer[0], &byte, 1) == 1);
    fails_on(fd);
    close(fd);
    CHECK(write(ends[1], &byte, 1) == 1);
    wait_for(child);
}

static void dup_twice(void)
{
    int fd = failed();
    int second = dup(fd);
    int third = dup(fd);
    close(fd);
    close(second);
    CHECK(so_error(third) == ECONNREFUSED);
}

static void dup_by_fcntl(void)
{
    int fd = failed();
    int second = fcntl(fd, F_DUPFD_CLOEXEC, 20);
    CHECK(second >= 20);
    close(fd);
    CHECK(so_error(second) == ECONNREFUSED);
}

static void close_range_refused(void)
{
    int fd = failed();
    CHECK(syscall(SYS_close_range, ~0U, ~0U, 64) == -1);
    int expected = errno; /* EINVAL; ENOSYS before Linux 5.9 */
    CHECK(close_range((unsigned)fd, (unsigned)fd, 64) == -1 && errno == expected);
    CHECK(so_error(fd) == ECONNREFUSED);
}

/* A transfer that fails for a reason of its own. */
static void transfer_refused(void)
{
    static struct iovec parts[2000];
    int fd = failed();
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2000};
    CHECK(sendmsg(fd, &message, 0) == -1 && errno == EMSGSIZE);
    CHECK(so_error(fd) == ECONNREFUSED);
}

static void one_byte_of_error(void)
{
    int fd = failed();
    int error = 0;
    socklen_t length = 1;
    CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
    CHECK(error == ECONNREFUSED && length == 1); /* little-endian, and it fits */
    CHECK(so_error(fd) == 0);
    close(fd);
}

static void poisoned(void)
{
    struct sockaddr_in good = accepting();
    struct iovec part = {"x", 1};
    struct msghdr message = {
        .msg_name = &good, .msg_namelen = sizeof good, .msg_iov = &part, .msg_iovlen = 1};
    int epoll = epoll_create1(0);
    errno = 4242;
    CHECK(sendmsg(tcp(0), &message, MSG_FASTOPEN) == 1 && errno == 4242);
    CHECK(sendto(tcp(0), "x", 1, MSG_FASTOPEN, (struct sockaddr *)&good, sizeof good) == 1);
    CHECK(errno == 4242);
    CHECK(to(tcp(0), &good) == 0 && errno == 4242);
    int fd = in_progress(&good);
    struct epoll_event event = {.events = EPOLLOUT, .data.fd = fd};
    errno = 4242;
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 && errno == 4242);
    CHECK(epoll_wait(epoll, &event, 1, -1) == 1 && errno == 4242);
    wait_writable(fd);
    CHECK(errno == 4242 && so_error(fd) == 0 && errno == 4242);
    CHECK(send(fd, "x", 1, 0) == 1 && errno == 4242);
    int other = dup(fd);
    CHECK(other >= 0 && dup2(fd, other) == other && errno == 4242);
    CHECK(shutdown(fd, SHUT_WR) == 0 && close(fd) == 0 && errno == 4242);
    fd = failed();
    errno = 4242;
    CHECK(close(fd) == 0 && errno == 4242);
}

/* Two epolls know one socket under different data; one of them lies in the other. */
static void nested_epolls(void)
{
    struct sockaddr_in bad = refusing();
    int inner = epoll_create1(0);
    int outer = epoll_create1(0);
    int fd = in_progress(&bad);
    struct epoll_event event = {.events = EPOLLOUT | EPOLLET | EPOLLONESHOT, .data.u64 = 7};
    CHECK(epoll_ctl(inner, EPOLL_CTL_ADD, fd, &event) == 0);
    event = (struct epoll_event){.events = EPOLLIN, .data.u64 = 7};
    CHECK(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event) == 0);
    CHECK(epoll_wait(outer, &event, 1, 5000) == 1 && event.data.u64 == 7);
    CHECK(epoll_wait(inner, &event, 1, 5000) == 1 && event.data.u64 == 7);
    CHECK(epoll_wait(inner, &event, 1, 0) == 0);
    CHECK(epoll_ctl(inner, EPOLL_CTL_DEL, fd, NULL) == 0);
    CHECK(so_error(fd) == ECONNREFUSED);
    close(fd);
}

static int taken_over = -1;

static void *take_over(void *good)
{
    struct timespec moment = {0, 50000000};
    nanosleep(&moment, NULL); /* the other thread is waiting inside connect by then, or as good */
    int fd = tcp(0);
    CHECK(to(fd, good) == 0);
    CHECK(dup2(fd, taken_over) == taken_over);
    return NULL;
}

/* While one thread waits in connect, another makes the number a different socket, whose handshake
   is no answer to the first. */
static void number_reused_in_connect(void)
{
    struct sockaddr_in bad = silent();
    struct sockaddr_in good = accepting();
    struct timeval limit = {0, 300000};
    pthread_t id;
    taken_over = tcp(0);
    CHECK(setsockopt(taken_over, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
    CHECK(pthread_create(&id, NULL, take_over, &good) == 0);
    CHECK(to(taken_over, &bad) == -1 && errno == EINPROGRESS);
    pthread_join(id, NULL);
}

/* Eight threads close, reopen and connect the same few descriptors: any call may hit any socket. */
static struct sockaddr_in shared_good, shared_bad;
static int shared[4];

static void *churn(void *seed)
{
    unsigned state = (unsigned)(uintptr_t)seed;
    for (int i = 0; i < 3000; i++) {
        int *place = &shared[rand_r(&state) % 4];
        int fd = __atomic_load_n(place, __ATOMIC_RELAXED);
        struct pollfd one = {fd, POLLOUT, 0};
        int error;
        socklen_t length = sizeof error;
        switch (rand_r(&state) % 5) {
        case 0:
            close(__atomic_exchange_n(place, tcp(SOCK_NONBLOCK), __ATOMIC_RELAXED));
            break;
        case 1:
            to(fd, &shared_good);
            break;
        case 2:
            to(fd, &shared_bad);
            break;
        case 3:
            poll(&one, 1, 1);
            break;
        default:
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
        }
    }
    return NULL;
}

static void churned_by_threads(void)
{
    pthread_t ids[8];
    shared_good = accepting();
    shared_bad = refusing();
    for (int i = 0; i < 4; i++)
        shared[i] = tcp(SOCK_NONBLOCK);
    for (uintptr_t i = 0; i < 8; i++)
        CHECK(pthread_create(&ids[i], NULL, churn, (void *)(i + 1)) == 0);
    for (int i = 0; i < 8; i++)
        pthread_join(ids[i], NULL);
}

/* Other kinds of sockets, and the ways to connect them twice. */
static void no_tcp(void)
{
    struct sockaddr_in udp;
    struct sockaddr_in good = accepting();
    int to_udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    bound(&udp, SOCK_DGRAM);
    CHECK(to(to_udp, &udp) == 0 && to(to_udp, &udp) == 0);
    CHECK(dissolve(to_udp, sizeof udp) == 0);
    CHECK(to(to_udp, &good) == 0 && send(to_udp, "x", 1, 0) == 1);
    struct pollfd one = {to_udp, POLLIN, 0};
    CHECK(poll(&one, 1, 5000) == 1 && so_error(to_udp) == ECONNREFUSED); /* nobody is bound there */
    int raw_like[] = {IPPROTO_SCTP, 136 /* UDP-Lite */, 262 /* MPTCP */};
    for (int i = 0; i < 3; i++) {
        int fd = socket(AF_INET, i == 1 ? SOCK_DGRAM : SOCK_STREAM, raw_like[i]);
        if (fd >= 0) /* not every kernel has them */
            CHECK(to(fd, &good) == 0 || errno == ECONNREFUSED);
    }
    struct sockaddr_in any = good;
    any.sin_addr.s_addr = 0; /* 0.0.0.0 is this machine (ip(7)) */
    CHECK(to(tcp(0), &any) == 0);
    int listener = tcp(SOCK_NONBLOCK);
    CHECK(listen(listener, 1) == 0);
    CHECK(to(listener, &good) == -1 && errno == EISCONN);
}

static const struct scene scenes[] = {
    SCENE(shutdown_failed),
    SCENE(dissolved_failed),
    SCENE(dissolved_pending),
    SCENE(failed_exec),
    SCENE(read_error_of_9),
    SCENE(exec_keeps_it),
    SCENE(spawned_child_has_it),
    SCENE(vforked_child_has_it),
    SCENE(passed_on),
    SCENE(passed_before),
    SCENE(received_and_sent_back),
    SCENE(dup_before),
    SCENE(dup_and_close_before),
    SCENE(child_connects_parents_socket),
    SCENE(parent_closes_childs_socket),
    SCENE(inherited_by_exec),
    SCENE(connect_9_and_exit),
    SCENE(grandchild_has_it),
    SCENE(read_so_error_of_9),
    SCENE(taken_by_pidfd),
    SCENE(thread_with_its_own_descriptors),
    SCENE(holder_by_syscall),
    SCENE(child_by_another_name),
    SCENE(dup_twice),
    SCENE(dup_by_fcntl),
    SCENE(close_range_refused),
    SCENE(transfer_refused),
    SCENE(one_byte_of_error),
    SCENE(poisoned),
    SCENE(nested_epolls),
    SCENE(number_reused_in_connect),
    SCENE(churned_by_threads),
    SCENE(no_tcp),
};

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    return play(scenes, sizeof scenes / sizeof scenes[0], argc, argv);
}
