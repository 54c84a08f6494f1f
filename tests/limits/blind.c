/* SPDX-License-Identifier: MIT */
/* Does what docs/limits.md says that the library cannot see or tell, one scene a run. Exit status
   3: this machine does not let the scene be played. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <dlfcn.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT_PLAY = 3 };

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int tcp_socket(int flags)
{
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0);
    if (fd < 0)
        err(1, "socket");
    return fd;
}

/* A port on which nobody listens: bound, and so nobody else's, but not listening. */
static struct sockaddr_in closed_port(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    int fd = tcp_socket(0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        err(1, "bind");
    return address;
}

/* The given one, which a firewall rejects with an ICMP error; else one that answers with a reset.
 */
static int port;

static struct sockaddr_in rejecting_port(void)
{
    return port ? loopback((unsigned short)port) : closed_port();
}

/* A listener whose accept queue is full drops SYNs: as silent as a firewall's DROP, without one. */
static struct sockaddr_in silent_port(void)
{
    struct sockaddr_in address = closed_port();
    int listener = tcp_socket(0);
    int on = 1;
    address.sin_port = 0;
    socklen_t length = sizeof address;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        listen(listener, 0) != 0)
        err(1, "listen");
    /* Past the hooks, so that the log holds the scene alone. */
    for (int i = 0; i < 2; i++)
        syscall(SYS_connect, tcp_socket(SOCK_NONBLOCK), &address, sizeof address);
    return address;
}

static int try_connect(int fd, struct sockaddr_in address)
{
    return connect(fd, (struct sockaddr *)&address, sizeof address);
}

static void wait_for_end(int fd)
{
    struct pollfd one = {fd, POLLOUT, 0};
    poll(&one, 1, -1);
}

static void raw_syscall(void)
{
    struct sockaddr_in address = closed_port();
    syscall(SYS_connect, tcp_socket(0), &address, sizeof address);
}

static void plain_connect(void)
{
    try_connect(tcp_socket(0), closed_port());
}

/* A library opened with RTLD_DEEPBIND looks into its own dependencies, libc among them, first. */
static void deep_bound(void)
{
    void *library = dlopen("tests/limits/libdeep.so", RTLD_NOW | RTLD_DEEPBIND);
    void (*play)(void);
    if (!library)
        errx(1, "%s", dlerror());
    *(void **)&play = dlsym(library, "deep_connect");
    play();
}

/* The same library without it calls the hook: what makes the difference is the flag. */
static void not_deep_bound(void)
{
    void *library = dlopen("tests/limits/libdeep.so", RTLD_NOW);
    void (*play)(void);
    if (!library)
        errx(1, "%s", dlerror());
    *(void **)&play = dlsym(library, "deep_connect");
    play();
}

static void libc_by_handle(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW);
    int (*function)(int, const struct sockaddr *, socklen_t);
    struct sockaddr_in address = closed_port();
    *(void **)&function = dlsym(libc, "connect");
    function(tcp_socket(0), (struct sockaddr *)&address, sizeof address);
}

static void io_uring(void)
{
    struct io_uring_params params = {0};
    struct sockaddr_in address = closed_port();
    int ring = (int)syscall(SYS_io_uring_setup, 4, &params);
    if (ring < 0) {
        warn("io_uring_setup");
        exit(CANNOT_PLAY);
    }
    char *sq = mmap(NULL, params.sq_off.array + params.sq_entries * sizeof(unsigned),
                    PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    struct io_uring_sqe *entries = mmap(NULL, params.sq_entries * sizeof *entries,
                                        PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
    char *cq = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
                    PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
    if (sq == MAP_FAILED || cq == MAP_FAILED || entries == MAP_FAILED)
        err(1, "mmap");
    entries[0] = (struct io_uring_sqe){.opcode = IORING_OP_CONNECT,
                                       .fd = tcp_socket(0),
                                       .addr = (uintptr_t)&address,
                                       .off = sizeof address};
    ((unsigned *)(sq + params.sq_off.array))[0] = 0;
    __atomic_store_n((unsigned *)(sq + params.sq_off.tail), 1, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
        err(1, "io_uring_enter");
    struct io_uring_cqe *done = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
    if (done->res != -ECONNREFUSED)
        errx(1, "the ring's connect returned %d", done->res);
}

/* A namespace of the loader's own (dlmopen(3)): nothing is preloaded there. */
static void own_namespace(void)
{
    void *library = dlmopen(LM_ID_NEWLM, "tests/limits/libdeep.so", RTLD_NOW);
    void (*play)(void);
    if (!library)
        errx(1, "%s", dlerror());
    *(void **)&play = dlsym(library, "deep_connect");
    play();
}

/* Services by DNS (Kerberos, LDAP, XMPP, MongoDB) and mail servers are looked up so. */
static void service_records(void)
{
    unsigned char answer[512];
    res_query("_ldap._tcp.example.invalid", ns_c_in, ns_t_srv, answer, sizeof answer);
}

static void name_of_an_address(void)
{
    const struct in_addr address = {htonl(INADDR_LOOPBACK)};
    if (!gethostbyaddr(&address, sizeof address, AF_INET))
        errx(1, "127.0.0.1 has no name in /etc/hosts");
}

static void lookup_nowait(void)
{
    struct gaicb request = {.ar_name = "localhost"};
    struct gaicb *list[] = {&request};
    if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) != 0)
        errx(1, "getaddrinfo_a");
    while (gai_suspend((const struct gaicb *const *)list, 1, NULL) == EAI_INTR)
        ;
    if (gai_error(&request) != 0)
        errx(1, "localhost: %s", gai_strerror(gai_error(&request)));
}

/* RES_OPTIONS=use-vc makes glibc ask over TCP. */
static void resolver_over_tcp(void)
{
    struct addrinfo *answers;
    (void)getaddrinfo("db.staging.example", "80", NULL, &answers);
}

/* One SYN more, so that the kernel gives up after three seconds. */
static void silent(bool blocking)
{
    int once = 1;
    int fd = tcp_socket(blocking ? 0 : SOCK_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &once, sizeof once);
    try_connect(fd, silent_port());
    if (blocking)
        return;
    wait_for_end(fd);
    int error;
    socklen_t length = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
}

static void silent_blocking(void)
{
    silent(true);
}

static void silent_nonblocking(void)
{
    silent(false);
}

static void lost_race(void)
{
    int fd = tcp_socket(SOCK_NONBLOCK);
    try_connect(fd, silent_port());
    close(fd);
}

/* sendfile(2) is not hooked, and takes the error away. */
static void error_taken_by_sendfile(void)
{
    int fd = tcp_socket(SOCK_NONBLOCK);
    int file = open("/proc/self/exe", O_RDONLY);
    try_connect(fd, closed_port());
    wait_for_end(fd);
    if (sendfile(fd, file, NULL, 1) != -1 || errno != ECONNREFUSED)
        err(1, "sendfile");
    close(fd);
}

/* Two numbers of a socket are remembered. */
static void third_number(void)
{
    int error = 0;
    socklen_t length = sizeof error;
    int first = tcp_socket(SOCK_NONBLOCK);
    try_connect(first, silent_port());
    int second = dup(first);
    int third = dup(first);
    close(first);
    close(second);
    getsockopt(third, SOL_SOCKET, SO_ERROR, &error, &length);
    close(third);
}

static void passed_on(void)
{
    int pair[2];
    char byte = 'x';
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    int fd = tcp_socket(SOCK_NONBLOCK);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        err(1, "socketpair");
    try_connect(fd, rejecting_port());
    wait_for_end(fd);
    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    if (sendmsg(pair[0], &message, 0) != 1)
        err(1, "sendmsg");
    if (fork() == 0) {
        int error = 0;
        socklen_t length = sizeof error;
        close(fd);
        if (recvmsg(pair[1], &message, 0) != 1)
            _exit(2);
        memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
        _exit(error == ECONNREFUSED ? 0 : 1);
    }
    int status;
    wait(&status);
    if (status != 0)
        errx(1, "the receiver did not see ECONNREFUSED");
    close(fd);
}

/* More than the 4,096 that the table of attempts holds. */
static void many_in_flight(void)
{
    enum { COUNT = 4200 };
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < COUNT + 32) {
        warnx("no more than %lu descriptors allowed", (unsigned long)limit.rlim_cur);
        exit(CANNOT_PLAY);
    }
    struct sockaddr_in address = silent_port();
    for (int i = 0; i < COUNT; i++)
        try_connect(tcp_socket(SOCK_NONBLOCK), address);
}

/* More lookups than the 128 that the table of answers holds. */
/* Two names for one address: the later one is shown, whichever the program meant. */
static void two_names(void)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *first, *second;
    if (getaddrinfo("localhost", NULL, &hints, &first) != 0 ||
        getaddrinfo("LOCALHOST", NULL, &hints, &second) != 0)
        errx(1, "getaddrinfo");
    struct sockaddr_in address = closed_port();
    address.sin_addr = ((struct sockaddr_in *)first->ai_addr)->sin_addr;
    try_connect(tcp_socket(0), address);
}

static void datagram(void)
{
    struct sockaddr_in address = closed_port();
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    (void)connect(fd, (struct sockaddr *)&address, sizeof address);
}

/* argv[2]: a port of this machine. */

static void given_port(void)
{
    try_connect(tcp_socket(0), loopback(port));
}

/* An ICMP error in the socket's queue shows as POLLERR until somebody has read the queue. */
static void polled_after_failure(void)
{
    struct pollfd one = {.fd = tcp_socket(0)};
    try_connect(one.fd, loopback(port));
    if (poll(&one, 1, 0) < 0)
        err(1, "poll");
    puts(one.revents & POLLERR ? "POLLERR" : "no POLLERR");
}

static void given_port_ipv6(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                   .sin6_port = htons((uint16_t)port),
                                   .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    if (fd < 0)
        err(1, "socket");
    (void)connect(fd, (struct sockaddr *)&address, sizeof address);
}

#define SCENE(name)                                                                                \
    {                                                                                              \
#name, name                                                                                \
    }

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*play)(void);
    } scenes[] = {
        SCENE(plain_connect),
        SCENE(raw_syscall),
        SCENE(deep_bound),
        SCENE(not_deep_bound),
        SCENE(libc_by_handle),
        SCENE(io_uring),
        SCENE(own_namespace),
        SCENE(service_records),
        SCENE(name_of_an_address),
        SCENE(lookup_nowait),
        SCENE(resolver_over_tcp),
        SCENE(silent_blocking),
        SCENE(silent_nonblocking),
        SCENE(lost_race),
        SCENE(error_taken_by_sendfile),
        SCENE(third_number),
        SCENE(passed_on),
        SCENE(many_in_flight),
        SCENE(two_names),
        SCENE(datagram),
        SCENE(given_port),
        SCENE(polled_after_failure),
        SCENE(given_port_ipv6),
    };
    if (argc > 2)
        port = atoi(argv[2]);
    for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++)
        if (argc > 1 && strcmp(argv[1], scenes[i].name) == 0) {
            scenes[i].play();
            return 0;
        }
    errx(2, "no such scene");
}
