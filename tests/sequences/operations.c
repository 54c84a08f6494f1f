/* SPDX-License-Identifier: MIT */
/* The operations of a walk. Each prints all that a program can learn from its calls. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sequences/walk.h"

static const char *const target_names[] = {"accepting", "refusing", "silent"};

static int fd_of(const struct step *step)
{
    return LOWEST + (int)step->number;
}

/* What a call has just made; beyond the numbers of the walk nobody would find it again. */
static int keep(int fd)
{
    int saved = errno;
    if (fd >= LOWEST + NUMBERS)
        close(fd);
    errno = saved;
    return fd;
}

/* Where a socket is, by a system call that no library sees. */
static unsigned state_of(int fd)
{
    int saved = errno;
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    syscall(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, &info, &length);
    errno = saved;
    return info.tcpi_state;
}

/* After a connect: waits until the answer of a loopback peer is there, else what comes next would
   depend on how busy the machine is. The priority, which loopback does not heed, marks a socket
   that is pending at a silent peer, whoever has it. */
static void settle(int fd, unsigned target, unsigned state_before)
{
    int saved = errno;
    int silent = target == SILENT;
    socklen_t length = sizeof silent;
    time_t start = time(NULL);
    if (state_before != TCP_SYN_SENT)
        syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_PRIORITY, &silent, length);
    syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_PRIORITY, &silent, &length);
    while (!silent && state_of(fd) == TCP_SYN_SENT && time(NULL) - start < 3)
        sched_yield();
    errno = saved;
}

static unsigned domain_of(int fd)
{
    int saved = errno;
    int domain = AF_INET;
    socklen_t length = sizeof domain;
    syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &length);
    errno = saved;
    return domain == AF_INET6 ? IPV6 : IPV4;
}

/* The target's address of the socket's own family, or of the other one. */
static const struct sockaddr *address_of(const struct step *step, bool other, socklen_t *length)
{
    unsigned family = domain_of(fd_of(step)) ^ other;
    *length = family == IPV4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    return (const struct sockaddr *)&world.address[step->choice][family];
}

/* ---- the life of a socket ---- */

static void make_socket(const struct step *step, int flags)
{
    struct timeval limit = {0, 50000}; /* no call of a blocking socket waits for longer */
    int fd = socket(step->choice ? AF_INET6 : AF_INET, SOCK_STREAM | flags, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    }
    tell(step, keep(fd), "%s", step->choice ? "IPv6" : "IPv4");
}

static void nonblocking(const struct step *step)
{
    make_socket(step, SOCK_NONBLOCK);
}

static void blocking(const struct step *step)
{
    make_socket(step, 0);
}

static void bind_it(const struct step *step)
{
    struct sockaddr_in6 any = {.sin6_family = step->choice ? AF_INET6 : AF_INET};
    tell(step,
         bind(fd_of(step), (struct sockaddr *)&any,
              step->choice ? sizeof any : sizeof(struct sockaddr_in)),
         "%s", "");
}

static void connect_to(const struct step *step, bool other_family)
{
    socklen_t length;
    int fd = fd_of(step);
    const struct sockaddr *address = address_of(step, other_family, &length);
    unsigned state = state_of(fd);
    int result = connect(fd, address, length);
    settle(fd, step->choice, state);
    tell(step, result, "%s", target_names[step->choice]);
}

static void connect_it(const struct step *step)
{
    connect_to(step, false);
}

static void connect_foreign(const struct step *step)
{
    connect_to(step, true);
}

static void dissolve(const struct step *step)
{
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    tell(step, connect(fd_of(step), &none, step->choice ? sizeof none : sizeof none.sa_family),
         "%s", "");
}

static void shut_down(const struct step *step)
{
    tell(step, shutdown(fd_of(step), (int)step->choice), "%s", "");
}

static void close_it(const struct step *step)
{
    tell(step, close(fd_of(step)), "%s", "");
}

static void close_some(const struct step *step)
{
    static const unsigned flags[] = {0, CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_UNSHARE};
    unsigned first = (unsigned)fd_of(step);
    tell(step, close_range(first, first + step->variant, (int)flags[step->choice]), "%s", "");
}

static void close_from(const struct step *step)
{
    closefrom(fd_of(step));
    tell(step, 0, "%s", "");
}

/* The other end of the connection that has waited longest. */
static void answer(const struct step *step)
{
    static const char *const ends[] = {"a byte and the end", "a reset", "the end"};
    struct linger reset = {1, 0};
    int fd = accept4(world.listener[step->variant], NULL, NULL, SOCK_NONBLOCK);
    int error = errno;
    if (fd >= 0 && step->choice == 0)
        send(fd, "y", 1, MSG_NOSIGNAL);
    if (fd >= 0 && step->choice == 1)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (fd >= 0)
        close(fd);
    errno = error;
    tell(step, fd, "%s", ends[step->choice]);
}

/* ---- more numbers for one socket ---- */

static void dup_it(const struct step *step)
{
    tell(step, keep(dup(fd_of(step))), "%s", "");
}

static void dup_to(const struct step *step)
{
    int to = LOWEST + (int)step->choice;
    tell(step,
         step->variant == 0 ? dup2(fd_of(step), to)
                            : dup3(fd_of(step), to, step->variant == 1 ? 0 : O_CLOEXEC),
         "%s", "");
}

static void dup_by_fcntl(const struct step *step)
{
    int least = step->variant ? LOWEST + (int)step->variant : 0;
    tell(step, keep(fcntl(fd_of(step), step->choice ? F_DUPFD_CLOEXEC : F_DUPFD, least)), "%s", "");
}

static void set_flags(const struct step *step)
{
    int result = fcntl(fd_of(step), F_SETFL, step->choice ? O_NONBLOCK : 0);
    tell(step, result, "then %x", (unsigned)fcntl(fd_of(step), F_GETFL));
}

/* ---- to another process, or to this one by a way round ---- */

static void pass(const struct step *step)
{
    char byte = 'p';
    struct iovec part = {&byte, 1};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    int fd = fd_of(step);
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    tell(step, sendmsg(world.post[0], &message, MSG_DONTWAIT | MSG_NOSIGNAL), "%s", "");
}

static void receive(const struct step *step)
{
    char byte;
    int fd = -1;
    struct iovec part = {&byte, 1};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    long result =
        recvmsg(world.post[1], &message, MSG_DONTWAIT | (step->choice ? MSG_CMSG_CLOEXEC : 0));
    if (result > 0 && CMSG_FIRSTHDR(&message))
        memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    tell(step, result, "descriptor %d", keep(fd));
}

/* pidfd_getfd(2), by bare system calls: no library can know. */
static void grab(const struct step *step)
{
    int process = (int)syscall(SYS_pidfd_open, getpid(), 0);
    int fd = (int)syscall(SYS_pidfd_getfd, process, fd_of(step), 0);
    int saved = errno;
    if (process >= 0)
        close(process);
    errno = saved;
    tell(step, keep(fd), "%s", "");
}

/* ---- waiting ---- */

static void poll_it(const struct step *step)
{
    static const short events[] = {POLLOUT, POLLIN | POLLOUT, POLLIN | POLLPRI, 0};
    struct pollfd one = {fd_of(step), events[step->choice], 0};
    struct timespec moment = {0, (step->variant & 1) * 3000000};
    int result =
        step->variant < 2 ? poll(&one, 1, (int)step->variant * 3) : ppoll(&one, 1, &moment, NULL);
    tell(step, result, "revents %x", (unsigned)one.revents);
}

static void poll_all(const struct step *step)
{
    struct pollfd each[NUMBERS];
    unsigned long revents = 0;
    for (int i = 0; i < NUMBERS; i++)
        each[i] = (struct pollfd){LOWEST + i, step->choice ? POLLIN | POLLOUT : POLLOUT, 0};
    int result = poll(each, NUMBERS, 0);
    int saved = errno;
    for (int i = 0; i < NUMBERS; i++)
        revents = revents << 8 | (unsigned char)each[i].revents;
    errno = saved;
    tell(step, result, "revents %lx", revents);
}

static void select_it(const struct step *step)
{
    fd_set sets[3];
    int fd = fd_of(step);
    int count = step->choice ? FD_SETSIZE : fd + 1;
    struct timeval none = {0, 0};
    const struct timespec nothing = {0, 0};
    for (int i = 0; i < 3; i++) {
        FD_ZERO(&sets[i]);
        FD_SET(fd, &sets[i]);
    }
    int result = step->variant ? pselect(count, &sets[0], &sets[1], &sets[2], &nothing, NULL)
                               : select(count, &sets[0], &sets[1], &sets[2], &none);
    tell(step, result, "ready %d%d%d", !!FD_ISSET(fd, &sets[0]), !!FD_ISSET(fd, &sets[1]),
         !!FD_ISSET(fd, &sets[2]));
}

static void register_it(const struct step *step, int how)
{
    struct epoll_event event = {.events = EPOLLOUT | EPOLLIN};
    if (step->variant & 1)
        event.events |= EPOLLET;
    if (step->variant & 2)
        event.events |= EPOLLONESHOT;
    event.data.u64 = step->variant & 4 ? 7 : (uint64_t)fd_of(step);
    tell(step, epoll_ctl(world.epoll[step->choice], how, fd_of(step), &event), "%s", "");
}

static void epoll_add(const struct step *step)
{
    register_it(step, EPOLL_CTL_ADD);
}

static void epoll_mod(const struct step *step)
{
    register_it(step, EPOLL_CTL_MOD);
}

static void epoll_del(const struct step *step)
{
    register_it(step, EPOLL_CTL_DEL);
}

/* One epoll in the other. */
static void epoll_nest(const struct step *step)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 1000};
    tell(step, epoll_ctl(world.epoll[0], EPOLL_CTL_ADD, world.epoll[1], &event), "%s", "");
}

/* The order of what is ready is the kernel's affair: it is printed as a sum. */
static void epoll_get(const struct step *step)
{
    struct epoll_event events[2 * NUMBERS];
    int epoll = world.epoll[step->choice];
    int most = 2 * NUMBERS;
    const struct timespec nothing = {0, 0};
    uint64_t sum = 0;
    int result = step->variant == 0   ? epoll_wait(epoll, events, most, 0)
                 : step->variant == 1 ? epoll_pwait(epoll, events, most, 3, NULL)
                                      : epoll_pwait2(epoll, events, most, &nothing, NULL);
    for (int i = 0; i < result; i++)
        sum += (events[i].events + UINT64_C(1)) * (events[i].data.u64 + 1);
    tell(step, result, "sum %llx", (unsigned long long)sum);
}

/* ---- asking ---- */

static void ask_error(const struct step *step)
{
    static const socklen_t lengths[] = {4, 4, 4, 4, 0, 1, 3, 8};
    socklen_t length = lengths[step->choice];
    int64_t error = -1;
    int result = getsockopt(fd_of(step), SOL_SOCKET, SO_ERROR, &error, &length);
    tell(step, result, "error %llx, length %u", (unsigned long long)error, length);
}

static void ask_peer(const struct step *step)
{
    struct sockaddr_in6 peer = {0};
    socklen_t length = sizeof peer;
    unsigned target = TARGETS * FAMILIES;
    int result = getpeername(fd_of(step), (struct sockaddr *)&peer, &length);
    while (target-- > 0)
        if (result == 0 && world.address[target / FAMILIES][target % FAMILIES].sin6_port ==
                               peer.sin6_port) /* lies where sin_port does */
            break;
    tell(step, result, "length %u, target %d", length, (int)target);
}

/* ---- data ---- */

static ssize_t sent_by(const struct step *step, int fd)
{
    struct iovec part = {"xx", 1 + step->variant};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    switch (step->choice) {
    case 0:
        return write(fd, part.iov_base, part.iov_len);
    case 1:
        return writev(fd, &part, 1);
    case 2:
        return sendmsg(fd, &message, MSG_NOSIGNAL);
    case 3:
        return sendto(fd, part.iov_base, part.iov_len, MSG_NOSIGNAL, NULL, 0);
    default:
        return send(fd, part.iov_base, part.iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

static void send_it(const struct step *step)
{
    tell(step, sent_by(step, fd_of(step)), "%s", "");
}

static void receive_data(const struct step *step)
{
    char bytes[4] = "";
    struct iovec part = {bytes, 1 + step->variant};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    int fd = fd_of(step);
    ssize_t got;
    switch (step->choice) {
    case 0:
        got = read(fd, bytes, part.iov_len);
        break;
    case 1:
        got = readv(fd, &part, 1);
        break;
    case 2:
        got = recvmsg(fd, &message, 0);
        break;
    case 3:
        got = recvfrom(fd, bytes, part.iov_len, MSG_PEEK, NULL, NULL);
        break;
    default:
        got = recv(fd, bytes, part.iov_len, MSG_DONTWAIT);
    }
    tell(step, got, "%s", bytes);
}

static void fast_open(const struct step *step)
{
    socklen_t length;
    int fd = fd_of(step);
    const struct sockaddr *address = address_of(step, false, &length);
    struct iovec part = {"x", 1};
    struct msghdr message = {.msg_name = (void *)(uintptr_t)address,
                             .msg_namelen = length,
                             .msg_iov = &part,
                             .msg_iovlen = 1};
    int flags = MSG_FASTOPEN | MSG_NOSIGNAL | MSG_DONTWAIT;
    unsigned state = state_of(fd);
    ssize_t result =
        step->variant ? sendmsg(fd, &message, flags) : sendto(fd, "x", 1, flags, address, length);
    settle(fd, step->choice, state);
    tell(step, result, "%s", target_names[step->choice]);
}

/* A connect that waits for the first data, where the peer is known to answer them (tcp(7)). */
static void defer(const struct step *step)
{
    int on = 1;
    tell(step, setsockopt(fd_of(step), IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on), "%s",
         "");
}

/* ---- other programs ---- */

static char *const nothing_to_do[] = {"true", NULL};

static pid_t spawned(void)
{
    pid_t child = -1;
    int error = posix_spawn(&child, "/bin/true", NULL, NULL, nothing_to_do, environ);
    errno = error;
    return error ? -1 : child;
}

static pid_t vforked(const char *path)
{
    pid_t child = vfork();
    if (child == 0) {
        execv(path, nothing_to_do);
        _exit(7);
    }
    return child;
}

static pid_t forked(void)
{
    pid_t child = fork();
    if (child == 0) {
        execv("/bin/true", nothing_to_do);
        _exit(7);
    }
    return child;
}

static void run_program(const struct step *step)
{
    int status = -1;
    pid_t child = -1;
    if (step->choice == 0)
        child = spawned();
    else if (step->choice == 3)
        child = forked();
    else
        child = vforked(step->choice == 1 ? "/bin/true" : "/nonexistent/true");
    if (child > 0)
        waitpid(child, &status, 0);
    errno = 0; /* a vfork child's too */
    tell(step, child > 0, "status %x", (unsigned)status);
}

/* The process itself, which stays what it was. */
static void exec_fails(const struct step *step)
{
    tell(step, execv("/nonexistent/true", nothing_to_do), "%s", "");
}

const struct operation operations[] = {
    {"socket", PLAIN, 12, FAMILIES, 1, nonblocking},
    {"blocking-socket", BLOCKING, 4, FAMILIES, 1, blocking},
    {"bind", PLAIN, 1, FAMILIES, 1, bind_it},
    {"connect", PLAIN, 22, TARGETS, 1, connect_it},
    {"connect-foreign", FOREIGN, 3, TARGETS, 1, connect_foreign},
    {"dissolve", PLAIN, 3, 2, 1, dissolve},
    {"shutdown", PLAIN, 2, 4, 1, shut_down},
    {"close", PLAIN, 6, 1, 1, close_it},
    {"close-range", RANGES, 2, 3, 3, close_some},
    {"closefrom", RANGES, 1, 1, 1, close_from},
    {"answer", PLAIN, 3, 3, FAMILIES, answer},
    {"dup", DUP, 6, 1, 1, dup_it},
    {"dup-to", DUP, 6, NUMBERS, 3, dup_to},
    {"dup-by-fcntl", DUP, 3, 2, 3, dup_by_fcntl},
    {"set-flags", BLOCKING, 2, 2, 1, set_flags},
    {"pass", PASSING, 8, 1, 1, pass},
    {"receive", PASSING, 8, 2, 1, receive},
    {"grab", PASSING, 4, 1, 1, grab},
    {"poll", PLAIN, 8, 4, 4, poll_it},
    {"poll-all", PLAIN, 3, 2, 1, poll_all},
    {"select", PLAIN, 4, 2, 2, select_it},
    {"epoll-add", PLAIN, 6, 2, 8, epoll_add},
    {"epoll-mod", PLAIN, 2, 2, 8, epoll_mod},
    {"epoll-del", PLAIN, 2, 2, 1, epoll_del},
    {"epoll-nest", PLAIN, 1, 1, 1, epoll_nest},
    {"epoll-wait", PLAIN, 6, 2, 3, epoll_get},
    {"so-error", PLAIN, 10, 8, 1, ask_error},
    {"getpeername", PLAIN, 3, 1, 1, ask_peer},
    {"send", PLAIN, 4, 5, 2, send_it},
    {"recv", PLAIN, 4, 5, 2, receive_data},
    {"fastopen", FASTOPEN, 3, TARGETS, 2, fast_open},
    {"defer", FASTOPEN, 1, 1, 1, defer},
    {"run", EXEC, 3, 4, 1, run_program},
    {"exec-fails", EXEC, 1, 1, 1, exec_fails},
    {"fork", FORK, 6, 3, 2, NULL},
    {"thread", THREAD, 3, 1, 1, NULL},
    {"end", 0, 0, 1, 1, NULL},
};
const size_t operation_count = sizeof operations / sizeof *operations;
