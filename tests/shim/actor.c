/* SPDX-License-Identifier: MIT */
/*
 * actor SCENE [ARGUMENT]: a program as strangers write them. Each scene does one thing with sockets
 * on loopback and checks by itself what a program can see: results, errno, data, descriptors. It
 * exits with 0 where all is as the kernel says, and has to do so bare and under the shim alike.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/shim/scene.h"

static void blocking_accepted(void)
{
    struct sockaddr_in address = accepting();
    int fd = tcp(0);
    errno = 4242;
    CHECK(to(fd, &address) == 0);
    CHECK(errno == 4242);
    CHECK(write(fd, "x", 1) == 1);
    close(fd);
}

static void blocking_refused(void)
{
    struct sockaddr_in address = refusing();
    CHECK(to(tcp(0), &address) == -1 && errno == ECONNREFUSED);
}

static void poll_refused(void)
{
    struct sockaddr_in address = refusing();
    int fd = in_progress(&address);
    wait_writable(fd);
    CHECK(so_error(fd) == ECONNREFUSED);
    CHECK(so_error(fd) == 0);
    close(fd);
}

static void poll_accepted(void)
{
    struct sockaddr_in address = accepting();
    int fd = in_progress(&address);
    wait_writable(fd);
    CHECK(so_error(fd) == 0);
    close(fd);
}

/* Nobody asks for SO_ERROR: the write tells. */
static void write_refused(void)
{
    struct sockaddr_in address = refusing();
    int fd = in_progress(&address);
    wait_writable(fd);
    CHECK(write(fd, "x", 1) == -1 && errno == ECONNREFUSED);
    pause(); /* the end must be there without a close */
}

static void close_unread(void)
{
    struct sockaddr_in address = refusing();
    int fd = in_progress(&address);
    wait_writable(fd);
    close(fd);
}

static void epoll_pointer(void)
{
    struct sockaddr_in address = refusing();
    static int somewhere;
    int epoll = epoll_create1(0);
    int fd = tcp(SOCK_NONBLOCK);
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = &somewhere};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0); /* before connect, as some do */
    CHECK(to(fd, &address) == -1 && errno == EINPROGRESS);
    CHECK(epoll_wait(epoll, &event, 1, 5000) == 1);
    CHECK(event.data.ptr == &somewhere);
    CHECK(so_error(fd) == ECONNREFUSED);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL) == 0);
    close(fd);
}

/* Never asks for anything: an epoll without SO_ERROR, and then data. */
static void epoll_accepted(void)
{
    struct sockaddr_in address = accepting();
    static int somewhere;
    int epoll = epoll_create1(0);
    int fd = in_progress(&address);
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = &somewhere};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    CHECK(epoll_wait(epoll, &event, 1, 5000) == 1);
    pause();
}

static void select_accepted(void)
{
    struct sockaddr_in address = accepting();
    int fd = in_progress(&address);
    fd_set out;
    FD_ZERO(&out);
    FD_SET(fd, &out);
    CHECK(select(fd + 1, NULL, &out, NULL, NULL) == 1);
    pause();
}

static void second_connect(void)
{
    struct sockaddr_in good = accepting();
    struct sockaddr_in bad = refusing();
    int fd = in_progress(&good);
    wait_writable(fd);
    CHECK(to(fd, &good) == 0 || errno == EISCONN);
    int other = in_progress(&bad);
    wait_writable(other);
    CHECK(to(other, &bad) == -1 && errno == ECONNREFUSED);
}

static void closed_pending(void)
{
    struct sockaddr_in address = silent();
    close(in_progress(&address));
}

static void shutdown_pending(void)
{
    struct sockaddr_in address = silent();
    int fd = in_progress(&address);
    shutdown(fd, SHUT_RDWR);
    pause();
}

static void replaced_pending(void)
{
    struct sockaddr_in address = silent();
    int fd = in_progress(&address);
    CHECK(dup2(STDIN_FILENO, fd) == fd);
    pause();
}

/* By name: older C libraries and musl have none, and then the program closes them itself. */
static void close_from(int first)
{
    void (*from)(int) = dlsym(RTLD_DEFAULT, "closefrom");
    if (from)
        from(first);
    else
        for (int fd = first; fd < 1024; fd++)
            close(fd);
}

static void closefrom_pending(void)
{
    struct sockaddr_in address = silent();
    int fd = in_progress(&address);
    close_from(fd);
    pause();
}

static void exit_pending(void)
{
    struct sockaddr_in address = silent();
    in_progress(&address);
}

static void quick_exit_pending(void)
{
    struct sockaddr_in address = silent();
    in_progress(&address);
    _exit(0);
}

static void exec_pending(void)
{
    struct sockaddr_in address = silent();
    in_progress(&address);
    execl("/bin/true", "true", (char *)NULL);
}

/* One number goes, the socket stays. */
static void dup_pending(void)
{
    struct sockaddr_in address = silent();
    int fd = in_progress(&address);
    int other = dup(fd);
    close(fd);
    CHECK(other >= 0);
    struct pollfd one = {other, POLLOUT, 0};
    CHECK(poll(&one, 1, 0) == 0);
    close(other);
}

/* The child closes its copies; the attempt is the parent's. */
static void fork_pending(void)
{
    struct sockaddr_in address = refusing();
    int fd = in_progress(&address);
    pid_t child = fork();
    if (child == 0) {
        close(fd);
        exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    wait_writable(fd);
    CHECK(so_error(fd) == ECONNREFUSED);
}

static void vfork_pending(void)
{
    struct sockaddr_in address = refusing();
    int fd = in_progress(&address);
    pid_t child = vfork();
    if (child == 0) {
        close(fd);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    wait_writable(fd);
    CHECK(so_error(fd) == ECONNREFUSED);
}

static void killed_in_connect(void)
{
    struct sockaddr_in address = silent();
    to(tcp(0), &address);
}

static void send_time_limit(void)
{
    struct sockaddr_in address = silent();
    int fd = tcp(0);
    struct timeval limit = {0, 50000};
    CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
    CHECK(to(fd, &address) == -1 && errno == EINPROGRESS);
}

static void nothing(int signal)
{
    (void)signal;
}

/* The connect goes on after the limit, and the program asks how it went. */
static void send_time_limit_and_wait(void)
{
    struct sockaddr_in address = silent();
    struct timeval limit = {0, 200000};
    struct linger gone = {1, 0};
    int fd = tcp(0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
    CHECK(to(fd, &address) == -1 && errno == EINPROGRESS);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &gone, sizeof gone) == 0);
    struct pollfd one = {fd, POLLOUT, 0};
    CHECK(poll(&one, 1, 0) == 0);
    struct sockaddr_in unspecified = {.sin_family = AF_UNSPEC};
    CHECK(to(fd, &unspecified) == 0); /* dissolves it: not a timeout that the program waited for */
    close(fd);
}

/* As libuv does. */
static void closed_by_system_call(void)
{
    struct sockaddr_in address = silent();
    int fd = in_progress(&address);
    syscall(SYS_close, fd);
    pause(); /* its end is written before the process ends */
}

static void interrupted(void)
{
    struct sockaddr_in address = silent();
    struct sigaction action = {.sa_handler = nothing};
    struct itimerval soon = {{0, 50000}, {0, 50000}}; /* again, should the first come too early */
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    int fd = tcp(0);
    CHECK(to(fd, &address) == -1 && errno == EINTR);
    close(fd);
}

static void not_tcp(void)
{
    struct sockaddr_in address;
    bound(&address, SOCK_DGRAM);
    CHECK(to(socket(AF_INET, SOCK_DGRAM, 0), &address) == 0);
    struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/nonexistent/socket"};
    CHECK(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&path, sizeof path) == -1 &&
          errno == ENOENT);
    CHECK(to(-1, &address) == -1 && errno == EBADF);
    CHECK(to(STDIN_FILENO, &address) == -1 && errno == ENOTSOCK);
}

static void bad_addresses(void)
{
    struct sockaddr_in address = accepting();
    char large[600] = {0};
    memcpy(large, &address, sizeof address);
    const struct sockaddr *none = NULL;
    CHECK(connect(tcp(0), none, sizeof address) == -1 && errno == EFAULT);
    CHECK(connect(tcp(0), (struct sockaddr *)1, sizeof address) == -1 && errno == EFAULT);
    CHECK(connect(tcp(0), (struct sockaddr *)&address, 2) == -1 && errno == EINVAL);
    CHECK(connect(tcp(0), (struct sockaddr *)large, 512) == -1 && errno == EINVAL);
    CHECK(connect(tcp(0), (struct sockaddr *)&address, (socklen_t)-1) == -1 && errno == EINVAL);
    /* Half of it on a page that cannot be read. */
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED && mprotect(pages + 4096, 4096, PROT_NONE) == 0);
    memcpy(pages + 4096 - 8, &address, 8);
    CHECK(connect(tcp(0), (struct sockaddr *)(pages + 4096 - 8), sizeof address) == -1 &&
          errno == EFAULT);
}

/* OpenSSH's sequence: close everything, then use the numbers. */
static void reuse_numbers(void)
{
    struct sockaddr_in address = refusing();
    char name[] = "/tmp/tcpdiag-actor-XXXXXX";
    int file = mkstemp(name);
    CHECK(file >= 0);
    unlink(name);
    CHECK(to(tcp(0), &address) == -1);
    dup2(file, 3);
    close_from(4);
    for (int fd = 4; fd < 1010; fd++)
        if (dup2(3, fd) != fd)
            break;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        CHECK(errno == EMFILE);
    else
        CHECK(to(fd, &address) == -1 && errno == ECONNREFUSED);
    struct stat status;
    CHECK(fstat(3, &status) == 0 && status.st_size == 0);
}

static void twice(void)
{
    struct sockaddr_in address = refusing();
    CHECK(to(tcp(0), &address) == -1 && errno == ECONNREFUSED);
    const char *log = getenv("TCPDIAG_LOG");
    if (log) {
        char moved[512];
        snprintf(moved, sizeof moved, "%s.1", log);
        rename(log, moved);
    }
    struct timespec second = {1, 100000000}; /* the path is looked at once a second */
    nanosleep(&second, NULL);
    CHECK(to(tcp(0), &address) == -1 && errno == ECONNREFUSED);
}

static void file_size_limit(void)
{
    struct sockaddr_in address = refusing();
    struct rlimit none = {0, 0};
    CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
    CHECK(to(tcp(0), &address) == -1 && errno == ECONNREFUSED);
    CHECK(to(tcp(0), &address) == -1 && errno == ECONNREFUSED);
}

static void few_descriptors(void)
{
    struct sockaddr_in address = refusing();
    int fd = tcp(0);
    struct rlimit few = {(rlim_t)fd + 1, (rlim_t)fd + 1};
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK(to(fd, &address) == -1 && errno == ECONNREFUSED);
}

static void many_in_flight(void)
{
    struct sockaddr_in address = refusing();
    int fds[200];
    for (int i = 0; i < 200; i++)
        fds[i] = in_progress(&address);
    for (int i = 0; i < 200; i++) {
        wait_writable(fds[i]);
        CHECK(so_error(fds[i]) == ECONNREFUSED);
        close(fds[i]);
    }
}

static struct sockaddr_in shared_address;

static void *connect_a_lot(void *unused)
{
    (void)unused;
    for (int i = 0; i < 200; i++) {
        int fd = in_progress(&shared_address);
        wait_writable(fd);
        CHECK(so_error(fd) == ECONNREFUSED);
        close(fd);
    }
    return NULL;
}

static void threads(void)
{
    pthread_t ids[8];
    shared_address = refusing();
    for (int i = 0; i < 8; i++)
        CHECK(pthread_create(&ids[i], NULL, connect_a_lot, NULL) == 0);
    for (int i = 0; i < 8; i++)
        pthread_join(ids[i], NULL);
}

static pthread_barrier_t all_ready;

static void *connect_with_the_others(void *address)
{
    pthread_barrier_wait(&all_ready);
    CHECK(to(tcp(0), address) == -1 && errno == ECONNREFUSED);
    return NULL;
}

/* How many descriptors of this process are the log; 0 without one. */
static int descriptors_of_log(void)
{
    const char *log = getenv("TCPDIAG_LOG");
    struct stat named, status;
    int count = 0;
    if (log && stat(log, &named) == 0)
        for (int fd = 0; fd < 4096; fd++)
            count += fstat(fd, &status) == 0 && status.st_ino == named.st_ino &&
                     status.st_dev == named.st_dev;
    return count;
}

/* The log has to be opened, and 8 threads come at once. */
static void first_at_once(void)
{
    struct sockaddr_in address = refusing();
    for (int i = 0; i < 50; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            pthread_t ids[8];
            pthread_barrier_init(&all_ready, NULL, 8);
            for (int n = 0; n < 8; n++)
                CHECK(pthread_create(&ids[n], NULL, connect_with_the_others, &address) == 0);
            for (int n = 0; n < 8; n++)
                pthread_join(ids[n], NULL);
            CHECK(descriptors_of_log() <= 1);
            exit(0);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
}

/* The child goes on with what its parent had, the log among it. */
static void fork_after_record(void)
{
    struct sockaddr_in address = refusing();
    int status;
    CHECK(to(tcp(0), &address) == -1 && errno == ECONNREFUSED);
    pid_t child = fork();
    if (child == 0) {
        CHECK(to(tcp(0), &address) == -1 && errno == ECONNREFUSED);
        CHECK(descriptors_of_log() <= 1);
        exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* syscall(2) and prctl(2), whose lists have up to seven and five members. */
static void direct_calls(void)
{
#ifdef SYS_mmap2
    const long number = SYS_mmap2;
#else
    const long number = SYS_mmap;
#endif
    char name[16] = "";
    char *page = (char *)syscall(number, NULL, 4096, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    page[4095] = 1;
    CHECK(syscall(SYS_getpid) == getpid());
    CHECK(syscall(-1) == -1 && errno == ENOSYS);
    CHECK(syscall(SYS_prctl, PR_SET_NAME, "direct", 0, 0, 0) == 0);
    CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "direct") == 0);
    CHECK(prctl(PR_SET_SECCOMP, 12345) == -1 && errno == EINVAL);
    CHECK(prctl(PR_SET_SECCOMP, 2 /* SECCOMP_MODE_FILTER */, 1) == -1);
    struct sockaddr_in address = refusing();
    CHECK(to(tcp(0), &address) == -1 && errno == ECONNREFUSED); /* no filter came of it */
}

/* Whatever the program transfers with may be what tells it of the refusal. */
static void each_transfer(void)
{
    struct sockaddr_in address = refusing();
    char byte = 0;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    for (int i = 0; i < 9; i++) {
        int fd = in_progress(&address);
        ssize_t result = 0;
        wait_writable(fd);
        switch (i) {
        case 0:
            result = read(fd, &byte, 1);
            break;
        case 1:
            result = readv(fd, &part, 1);
            break;
        case 2:
            result = recv(fd, &byte, 1, 0);
            break;
        case 3:
            result = recvfrom(fd, &byte, 1, 0, NULL, NULL);
            break;
        case 4:
            result = recvmsg(fd, &message, 0);
            break;
        case 5:
            result = writev(fd, &part, 1);
            break;
        case 6:
            result = send(fd, &byte, 1, MSG_NOSIGNAL);
            break;
        case 7:
            result = sendto(fd, &byte, 1, MSG_NOSIGNAL, NULL, 0);
            break;
        default:
            result = sendmsg(fd, &message, MSG_NOSIGNAL);
        }
        CHECK(result == -1 && errno == ECONNREFUSED);
        close(fd);
    }
}

/* Whatever the program waits with may be all that tells it of success. */
static void each_wait(void)
{
    struct sockaddr_in address = accepting();
    struct timespec limit = {5, 0};
    for (int i = 0; i < 3; i++) {
        int fd = in_progress(&address);
        int epoll = epoll_create1(0);
        struct pollfd one = {fd, POLLOUT, 0};
        struct epoll_event event = {.events = EPOLLOUT};
        fd_set out;
        FD_ZERO(&out);
        FD_SET(fd, &out);
        CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
        if (i == 0)
            CHECK(ppoll(&one, 1, &limit, NULL) == 1);
        else if (i == 1)
            CHECK(pselect(fd + 1, NULL, &out, NULL, &limit, NULL) == 1);
        else
            CHECK(epoll_pwait(epoll, &event, 1, 5000, NULL) == 1);
        struct sockaddr_in peer;
        socklen_t length = sizeof peer;
        CHECK(getpeername(fd, (struct sockaddr *)&peer, &length) == 0);
        CHECK(peer.sin_port == address.sin_port);
        int third = dup(STDIN_FILENO);
        CHECK(dup3(fd, third, O_CLOEXEC) == third);
        close(third);
        close(fd);
    }
}

static void each_lookup(void)
{
    struct hostent host, *answer = NULL;
    char room[2048];
    int error = 0;
    CHECK(gethostbyname("localhost") != NULL);
    CHECK(gethostbyname2("localhost", AF_INET) != NULL);
    CHECK(gethostbyname_r("localhost", &host, room, sizeof room, &answer, &error) == 0);
    CHECK(answer == &host);
    CHECK(gethostbyname2_r("localhost", AF_INET, &host, room, sizeof room, &answer, &error) == 0);
    CHECK(answer == &host);
}

/* A buffer that is too small: the program asks again, and that is one lookup. */
static void lookup_with_more_room(void)
{
    struct hostent host, *answer = NULL;
    char room[2048];
    int error = 0;
    CHECK(gethostbyname_r("localhost", &host, room, 1, &answer, &error) == ERANGE);
    CHECK(gethostbyname_r("localhost", &host, room, 8, &answer, &error) == ERANGE);
    CHECK(gethostbyname_r("localhost", &host, room, sizeof room, &answer, &error) == 0);
    CHECK(answer == &host);
}

static void lookup_without_more_room(void)
{
    struct hostent host, *answer = NULL;
    char room[1];
    int error = 0;
    CHECK(gethostbyname_r("localhost", &host, room, sizeof room, &answer, &error) == ERANGE);
}

/* What is neither an address nor a name is asked for all the same. */
static void lookup_of_nonsense(void)
{
    struct addrinfo *list = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    CHECK(getaddrinfo("[::1]", "80", &hints, &list) != 0);
    CHECK(getaddrinfo("http://localhost/", "80", &hints, &list) != 0);
}

/* Programs ask so whether a word is an address: nobody is asked for the name. */
static void looks_for_an_address(void)
{
    struct addrinfo *list = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    CHECK(getaddrinfo("localhost", "80", &hints, &list) == EAI_NONAME);
    CHECK(getaddrinfo("127.0.0.1", "80", &hints, &list) == 0);
    freeaddrinfo(list);
}

static void service_by_number_only(void)
{
    struct addrinfo *list = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    CHECK(getaddrinfo("localhost", "http", &hints, &list) == EAI_NONAME);
}

static void scope_of_no_interface(void)
{
    struct addrinfo *list = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    CHECK(getaddrinfo("fe80::1%nosuch0", "80", &hints, &list) != 0);
}

static void address_of_the_wrong_family(void)
{
    struct addrinfo *list = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET};
    CHECK(getaddrinfo("::1", "80", &hints, &list) != 0);
}

static void *connects_for_ever(void *address)
{
    to(tcp(0), address);
    return NULL;
}

/* The program ends while a thread is inside a connect. */
static void connect_outlived_by_exit(void)
{
    static struct sockaddr_in address;
    pthread_t thread;
    address = silent();
    CHECK(pthread_create(&thread, NULL, connects_for_ever, &address) == 0);
    struct timespec moment = {1, 200000000}; /* more than a SYN's time */
    nanosleep(&moment, NULL);
}

/* Nobody knows when it was left. */
static void connect_cancelled(void)
{
    static struct sockaddr_in address;
    pthread_t thread;
    address = silent();
    CHECK(pthread_create(&thread, NULL, connects_for_ever, &address) == 0);
    struct timespec moment = {0, 200000000};
    nanosleep(&moment, NULL);
    CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, NULL) == 0);
}

static sigjmp_buf away;

static void jump_away(int signal)
{
    siglongjmp(away, signal);
}

/* An alarm ends a connect by a jump, as in old network programs; then the program tries another. */
static void connect_left_by_a_jump(void)
{
    struct sockaddr_in silence = silent();
    struct sockaddr_in closed = refusing();
    struct itimerval soon = {{0, 0}, {0, 200000}};
    signal(SIGALRM, jump_away);
    if (sigsetjmp(away, 1) == 0) {
        CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
        to(tcp(0), &silence);
        CHECK(!"it returned");
    }
    CHECK(to(tcp(0), &closed) == -1 && errno == ECONNREFUSED);
}

static void numeric_lookup(void)
{
    struct addrinfo *list = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    CHECK(getaddrinfo("127.0.0.1", "80", &hints, &list) == 0);
    freeaddrinfo(list);
    CHECK(getaddrinfo("127.0.0.1", "no-such-service", &hints, &list) == EAI_SERVICE);
    CHECK(getaddrinfo("localhost", NULL, &hints, &list) == 0);
    freeaddrinfo(list);
    CHECK(gethostbyname("127.0.0.1") != NULL);
}

static void asynchronous_lookup(void)
{
#ifdef GAI_WAIT
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct gaicb one = {.ar_name = "localhost", .ar_request = &hints};
    struct gaicb *all[] = {&one, NULL};
    CHECK(getaddrinfo_a(GAI_WAIT, all, 2, NULL) == 0);
    freeaddrinfo(one.ar_result);
#else
    CHECK(!"glibc's alone");
#endif
}

/* Functions that not every C library has, looked for as careful programs do. A library in front
   makes each of them appear; where there is none behind it, it has to say so in the kernel's way.
 */
/* What the loader said last is the program's to ask, also where it has asked for nothing yet. */
static void loader_error(void)
{
    struct sockaddr_in address = refusing();
    CHECK(dlerror() == NULL);
    CHECK(to(tcp(0), &address) == -1 && errno == ECONNREFUSED);
    CHECK(dlerror() == NULL);
    int (*lookups)(int, void **, int, void *) = dlsym(RTLD_DEFAULT, "getaddrinfo_a");
    dlerror();
    CHECK(!dlsym(RTLD_DEFAULT, "tcpdiag_is_nowhere"));
    if (lookups)
        lookups(0, NULL, 0, NULL);
    CHECK(dlerror() != NULL);
    if (lookups)
        lookups(0, NULL, 0, NULL);
    CHECK(dlerror() == NULL);
}

static void perhaps_missing(void)
{
    struct pollfd one = {STDIN_FILENO, POLLIN, 0};
    struct epoll_event event;
    struct timespec none = {0, 0};
    char byte;
    int result;
    int (*range)(unsigned, unsigned, int) = dlsym(RTLD_DEFAULT, "close_range");
    void (*from)(int) = dlsym(RTLD_DEFAULT, "closefrom");
    int (*wait2)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *) =
        dlsym(RTLD_DEFAULT, "epoll_pwait2");
    int (*poll_chk)(struct pollfd *, nfds_t, int, size_t) = dlsym(RTLD_DEFAULT, "__poll_chk");
    ssize_t (*read_chk)(int, void *, size_t, size_t) = dlsym(RTLD_DEFAULT, "__read_chk");
    int (*lookups)(int, void **, int, void *) = dlsym(RTLD_DEFAULT, "getaddrinfo_a");
    if (range) {
        CHECK(dup2(STDIN_FILENO, 900) == 900);
        CHECK(range(900, 901, 0) == 0 || errno == ENOSYS);
    }
    if (from) {
        CHECK(dup2(STDIN_FILENO, 900) == 900);
        from(900);
        CHECK(fcntl(900, F_GETFD) == -1 && errno == EBADF);
    }
    if (wait2) {
        result = wait2(epoll_create1(0), &event, 1, &none, NULL);
        CHECK(result == 0 || (result == -1 && errno == ENOSYS));
    }
    if (poll_chk)
        CHECK(poll_chk(&one, 1, 0, sizeof one) == 1 || errno == ENOSYS);
    if (read_chk)
        CHECK(read_chk(STDIN_FILENO, &byte, 1, 1) == 0 || errno == ENOSYS);
    if (lookups) {
        result = lookups(0, NULL, 0, NULL);
        CHECK(result == 0 || (result == EAI_SYSTEM && errno == ENOSYS));
    }
}

static void named_connect(void)
{
    struct sockaddr_in address = refusing();
    struct addrinfo *list = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET};
    char port[8];
    snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
    CHECK(getaddrinfo("localhost", port, &hints, &list) == 0);
    CHECK(connect(tcp(0), list->ai_addr, list->ai_addrlen) == -1 && errno == ECONNREFUSED);
    freeaddrinfo(list);
}

static void own_recverr(void)
{
    struct sockaddr_in address = refusing();
    int fd = tcp(0);
    int on = 1;
    setsockopt(fd, IPPROTO_IP, 11 /* IP_RECVERR */, &on, sizeof on);
    CHECK(to(fd, &address) == -1 && errno == ECONNREFUSED);
}

static void *small_stack(void *address)
{
    CHECK(to(tcp(0), address) == -1 && errno == ECONNREFUSED);
    return NULL;
}

static void sixteen_kib(void)
{
    struct sockaddr_in address = refusing();
    pthread_attr_t attributes;
    pthread_t id;
    pthread_attr_init(&attributes);
    CHECK(pthread_attr_setstacksize(&attributes, 16384) == 0 ||
          pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN)) == 0);
    CHECK(pthread_create(&id, &attributes, small_stack, &address) == 0);
    pthread_join(id, NULL);
}

static const struct scene scenes[] = {
    SCENE(blocking_accepted),
    SCENE(blocking_refused),
    SCENE(poll_refused),
    SCENE(poll_accepted),
    SCENE(write_refused),
    SCENE(close_unread),
    SCENE(epoll_pointer),
    SCENE(epoll_accepted),
    SCENE(select_accepted),
    SCENE(second_connect),
    SCENE(closed_pending),
    SCENE(shutdown_pending),
    SCENE(replaced_pending),
    SCENE(closefrom_pending),
    SCENE(exit_pending),
    SCENE(quick_exit_pending),
    SCENE(exec_pending),
    SCENE(dup_pending),
    SCENE(fork_pending),
    SCENE(vfork_pending),
    SCENE(killed_in_connect),
    SCENE(send_time_limit),
    SCENE(send_time_limit_and_wait),
    SCENE(closed_by_system_call),
    SCENE(interrupted),
    SCENE(not_tcp),
    SCENE(bad_addresses),
    SCENE(reuse_numbers),
    SCENE(twice),
    SCENE(file_size_limit),
    SCENE(few_descriptors),
    SCENE(many_in_flight),
    SCENE(threads),
    SCENE(first_at_once),
    SCENE(fork_after_record),
    SCENE(direct_calls),
    SCENE(each_transfer),
    SCENE(each_wait),
    SCENE(each_lookup),
    SCENE(numeric_lookup),
    SCENE(asynchronous_lookup),
    SCENE(lookup_with_more_room),
    SCENE(lookup_without_more_room),
    SCENE(lookup_of_nonsense),
    SCENE(looks_for_an_address),
    SCENE(service_by_number_only),
    SCENE(scope_of_no_interface),
    SCENE(address_of_the_wrong_family),
    SCENE(connect_outlived_by_exit),
    SCENE(connect_cancelled),
    SCENE(connect_left_by_a_jump),
    SCENE(loader_error),
    SCENE(perhaps_missing),
    SCENE(named_connect),
    SCENE(own_recverr),
    SCENE(sixteen_kib),
};

int main(int argc, char **argv)
{
    return play(scenes, sizeof scenes / sizeof scenes[0], argc, argv);
}
