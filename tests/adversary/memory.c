/* SPDX-License-Identifier: MIT */
/*
 * memory HOOK STATE: calls one of the functions that are hooked, with each buffer at the very end
 * of a mapping, with null where the C library allows it and with addresses where there is nothing,
 * while a connect is in flight in this state. Prints what each call gave back: it must be the same
 * bare and under the shim.
 *
 * `memory hooks` prints the names, `memory SCENE` plays what is not one function's.
 */
#define _GNU_SOURCE
#include "tests/adversary/memory.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { PAGE = 4096 };

enum state state;
static const char *const states[] = {"idle", "pending", "failed", "established"};
static struct sockaddr_in addresses[4];
static int listener;

static void *mapping(void)
{
    char *start = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(start != MAP_FAILED && mprotect(start + PAGE, PAGE, PROT_NONE) == 0);
    return start;
}

void *at_end(size_t size)
{
    CHECK(size <= PAGE);
    return (char *)mapping() + PAGE - size;
}

void *copied(const void *bytes, size_t size)
{
    return memcpy(at_end(size), bytes, size);
}

void *nowhere(void)
{
    return (char *)mapping() + PAGE + 1024;
}

void say(const char *what, long result)
{
    int error = errno;
    printf("%s = %ld, errno %d\n", what, result, error);
}

void show(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        printf("%02x", ((const unsigned char *)bytes)[i]);
    printf("\n");
}

const struct sockaddr_in *address_for(enum state wanted)
{
    return &addresses[wanted];
}

/* By a bare system call, so that the library does not see what the program has been told. */
static void wait_unseen(int fd)
{
    struct pollfd one = {fd, POLLOUT, 0};
    struct timespec most = {20, 0};
    CHECK(syscall(SYS_ppoll, &one, 1, &most, NULL, 0) == 1);
}

static void begin(int fd)
{
    if (state == IDLE)
        return;
    CHECK(to(fd, &addresses[state]) == -1 && errno == EINPROGRESS);
    if (state != PENDING)
        wait_unseen(fd);
    if (state == ESTABLISHED)
        CHECK(syscall(SYS_accept4, listener, NULL, NULL, 0) >= 0);
}

int subject_at(int number)
{
    int fd = tcp(SOCK_NONBLOCK);
    CHECK(dup2(fd, number) == number && close(fd) == 0);
    begin(number);
    return number;
}

int subject(void)
{
    int fd = tcp(SOCK_NONBLOCK);
    begin(fd);
    return fd;
}

void finish(int fd)
{
    int error = -1;
    socklen_t length = sizeof error;
    long result = syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, &error, &length);
    printf("  left: %ld, error %d\n", result, error);
    close(fd);
}

int full_pipe(void)
{
    int ends[2];
    CHECK(pipe(ends) == 0 && write(ends[1], "abcdefgh", 8) == 8);
    return ends[0];
}

void unix_pair(int ends[2])
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
}

int with_rights(size_t length)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    char bytes[256];
    int ends[2];
    struct iovec part = {memset(bytes, 'A', sizeof bytes), length};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_LEN(sizeof(int))};
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS; /* standard output: the bytes are 0, but for the 1 */
    memcpy(CMSG_DATA(&control.header), &(int){1}, sizeof(int));
    unix_pair(ends);
    CHECK(length <= sizeof bytes && sendmsg(ends[1], &message, 0) == (ssize_t)length);
    return ends[0];
}

/* By its name in the C library, whatever the headers make of it; weak, since not each has all. */
#define HOOKS(X)                                                                                   \
    X(_Exit, play_exit, PLAIN)                                                                     \
    X(__poll_chk, play_poll, CHECKED)                                                              \
    X(__ppoll_chk, play_poll, MASKED)                                                              \
    X(__read_chk, play_read, CHECKED)                                                              \
    X(__recv_chk, play_recv, CHECKED)                                                              \
    X(__recvfrom_chk, play_recvfrom, CHECKED)                                                      \
    X(_exit, play_exit, PLAIN)                                                                     \
    X(abort, play_abort, PLAIN)                                                                    \
    X(close, play_close, PLAIN)                                                                    \
    X(close_range, play_close_range, PLAIN)                                                        \
    X(closefrom, play_close_range, WIDE)                                                           \
    X(connect, play_connect, PLAIN)                                                                \
    X(dup, play_dup, PLAIN)                                                                        \
    X(dup2, play_dup2, PLAIN)                                                                      \
    X(dup3, play_dup2, MASKED)                                                                     \
    X(epoll_ctl, play_epoll_ctl, PLAIN)                                                            \
    X(epoll_pwait, play_epoll_wait, MASKED)                                                        \
    X(epoll_pwait2, play_epoll_wait, WIDE_MASKED)                                                  \
    X(epoll_wait, play_epoll_wait, PLAIN)                                                          \
    X(execl, play_execl, PLAIN)                                                                    \
    X(execle, play_execl, WIDE)                                                                    \
    X(execlp, play_execl, PLAIN)                                                                   \
    X(execv, play_execve, PLAIN)                                                                   \
    X(execve, play_execve, WIDE)                                                                   \
    X(execvp, play_execve, PLAIN)                                                                  \
    X(execvpe, play_execve, WIDE)                                                                  \
    X(fcntl, play_fcntl, PLAIN)                                                                    \
    X(fcntl64, play_fcntl, PLAIN)                                                                  \
    X(fexecve, play_fexecve, PLAIN)                                                                \
    X(fork, play_fork, PLAIN)                                                                      \
    X(getaddrinfo, play_getaddrinfo, PLAIN)                                                        \
    X(getaddrinfo_a, play_getaddrinfo_a, PLAIN)                                                    \
    X(gethostbyname, play_gethostbyname, PLAIN)                                                    \
    X(gethostbyname2, play_gethostbyname2, PLAIN)                                                  \
    X(gethostbyname2_r, play_gethostbyname2_r, PLAIN)                                              \
    X(gethostbyname_r, play_gethostbyname_r, PLAIN)                                                \
    X(getpeername, play_getpeername, PLAIN)                                                        \
    X(getsockopt, play_getsockopt, PLAIN)                                                          \
    X(poll, play_poll, PLAIN)                                                                      \
    X(ppoll, play_poll, WIDE)                                                                      \
    X(prctl, play_prctl, PLAIN)                                                                    \
    X(pselect, play_select, MASKED)                                                                \
    X(quick_exit, play_exit, PLAIN)                                                                \
    X(read, play_read, PLAIN)                                                                      \
    X(readv, play_readv, PLAIN)                                                                    \
    X(recv, play_recv, PLAIN)                                                                      \
    X(recvfrom, play_recvfrom, PLAIN)                                                              \
    X(recvmsg, play_recvmsg, PLAIN)                                                                \
    X(select, play_select, PLAIN)                                                                  \
    X(send, play_send, PLAIN)                                                                      \
    X(sendmsg, play_sendmsg, PLAIN)                                                                \
    X(sendto, play_sendto, PLAIN)                                                                  \
    X(shutdown, play_shutdown, PLAIN)                                                              \
    X(syscall, play_syscall, PLAIN)                                                                \
    X(write, play_write, PLAIN)                                                                    \
    X(socket, play_socket, PLAIN)                                                                  \
    X(clone, play_clone, PLAIN)                                                                    \
    X(__clone, play_clone, PLAIN)                                                                  \
    X(__fork, play_fork, PLAIN)                                                                    \
    X(__libc_fork, play_fork, PLAIN)                                                               \
    X(unshare, play_unshare, PLAIN)                                                                \
    X(_Fork, play_fork, PLAIN)                                                                     \
    X(forkpty, play_forkpty, PLAIN)                                                                \
    X(popen, play_popen, PLAIN)                                                                    \
    X(posix_spawn, play_posix_spawn, PLAIN)                                                        \
    X(posix_spawnp, play_posix_spawn, PLAIN)                                                       \
    X(pthread_create, play_pthread_create, PLAIN)                                                  \
    X(recvmmsg, play_recvmmsg, PLAIN)                                                              \
    X(sendmmsg, play_sendmmsg, PLAIN)                                                              \
    X(system, play_system, PLAIN)                                                                  \
    X(thrd_create, play_thrd_create, PLAIN)                                                        \
    X(vfork, play_vfork, PLAIN)                                                                    \
    X(daemon, play_daemon, PLAIN)                                                                  \
    X(pidfd_getfd, play_pidfd_getfd, PLAIN)                                                        \
    X(__recvmmsg64, play_recvmmsg, PLAIN)                                                          \
    X(__recvmmsg_time64, play_recvmmsg, PLAIN)                                                     \
    X(writev, play_writev, PLAIN)                                                                  \
    X(__epoll_pwait2_time64, play_epoll_wait, WIDE_MASKED)                                         \
    X(__fcntl_time64, play_fcntl, PLAIN)                                                           \
    X(__getsockopt64, play_getsockopt, PLAIN)                                                      \
    X(__ppoll64, play_poll, WIDE)                                                                  \
    X(__ppoll_time64, play_poll, WIDE)                                                             \
    X(__pselect64, play_select, WIDE_MASKED)                                                       \
    X(__pselect_time64, play_select, WIDE_MASKED)                                                  \
    X(__recvmsg64, play_recvmsg, PLAIN)                                                            \
    X(__select64, play_select, WIDE)                                                               \
    X(__select_time64, play_select, WIDE)                                                          \
    X(__sendmsg64, play_sendmsg, PLAIN)

#define X(name, play, kind) extern char weak_##name[] __asm__(#name) __attribute__((weak));
HOOKS(X)
#undef X

#define X(name, play, kind) {#name, weak_##name, play, kind},
static const struct hook hooks[] = {HOOKS(X)};
#undef X
enum { COUNT = sizeof hooks / sizeof hooks[0] };

static void prepare(const char *name)
{
    for (state = ESTABLISHED; state != IDLE && strcmp(states[state], name) != 0;)
        state--;
    CHECK(strcmp(states[state], name) == 0);
    addresses[IDLE] = addresses[FAILED] = refusing();
    if (state == PENDING)
        addresses[PENDING] = silent();
    listener = bound(&addresses[ESTABLISHED], SOCK_STREAM);
    CHECK(listen(listener, 1024) == 0);
}

static int print_arguments(char **argv)
{
    const char *a = getenv("A");
    for (; *argv; argv++)
        printf("%s ", *argv);
    printf("A=%s\n", a ? a : "");
    return 0;
}

static const struct scene scenes[] = {
    SCENE(select_while_the_table_grows),
    SCENE(select_with_a_smaller_table),
    SCENE(select_with_a_short_set),
};

int main(int argc, char **argv)
{
    struct rlimit limit;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* what was printed before a crash says where it was */
    signal(SIGPIPE, SIG_IGN);
    if (argc >= 2 && strcmp(argv[1], "arguments") == 0)
        return print_arguments(argv + 1);
    if (argc == 2 && strcmp(argv[1], "hooks") == 0) {
        for (int i = 0; i < COUNT; i++)
            printf("%s\n", hooks[i].name);
        return 0;
    }
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max < 8192 ? limit.rlim_max : 8192;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (int i = 0; argc == 3 && i < COUNT; i++)
        if (strcmp(argv[1], hooks[i].name) == 0) {
            prepare(argv[2]);
            if (hooks[i].function)
                hooks[i].play(&hooks[i]);
            else
                printf("absent\n");
            return 0;
        }
    prepare("failed");
    return play(scenes, sizeof scenes / sizeof scenes[0], argc, argv);
}
