/* SPDX-License-Identifier: MIT */
/* The scenes of `memory` for what is done with one socket: addresses, options, transfers. */
#define _GNU_SOURCE
#include <sys/uio.h>

#include "tests/adversary/memory.h"

#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define CONNECT(hook) AS(int, (int, const void *, socklen_t), hook)

/* An address of each length, of which no byte more can be read. */
static const void *address_of(int family, socklen_t length)
{
    struct sockaddr_storage whole = {0};
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&whole;
    memcpy(&whole, address_for(state), sizeof(struct sockaddr_in));
    whole.ss_family = (sa_family_t)family;
    if (family == AF_INET6) {
        in6->sin6_flowinfo = 0;
        in6->sin6_addr = in6addr_loopback;
    }
    return copied(&whole, length < sizeof whole ? length : sizeof whole);
}

static int fresh(int family)
{
    int fd = socket(family == AF_INET6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    if (state == PENDING || state == ESTABLISHED)
        CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    return fd;
}

static void connect_lengths(const struct hook *hook, int family)
{
    int busy = subject();
    printf("family %d\n", family);
    for (socklen_t length = 0; length <= 130; length++) {
        int fd = fresh(family);
        const void *address = address_of(family, length);
        SAY(CONNECT(hook)(fd, address, length));
        close(fd);
    }
    finish(busy);
}

static void connect_again(const struct hook *hook, int family, socklen_t length)
{
    int fd = subject();
    const void *address = address_of(family, length);
    printf("family %d, length %u\n", family, (unsigned)length);
    SAY(CONNECT(hook)(fd, address, length));
    finish(fd);
}

void play_connect(const struct hook *hook)
{
    const socklen_t lengths[] = {0, 1, 2, 3, 4, 6, 7, 8, 9, 15, 16, 17, 127, 128, 129};
    const int families[] = {AF_INET, AF_INET6, AF_UNSPEC, AF_UNIX};
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        connect_lengths(hook, families[i]);
        for (size_t j = 0; j < sizeof lengths / sizeof lengths[0]; j++)
            connect_again(hook, families[i], lengths[j]);
    }
    int fd = subject();
    const void *short_one = address_of(AF_INET, 12);
    SAY(CONNECT(hook)(fd, NULL, 0));
    SAY(CONNECT(hook)(fd, NULL, 16));
    SAY(CONNECT(hook)(fd, nowhere(), 16));
    SAY(CONNECT(hook)(fd, nowhere(), 2));
    SAY(CONNECT(hook)(fd, (void *)-1, 16));
    SAY(CONNECT(hook)(fd, (void *)-8, 16));
    SAY(CONNECT(hook)(fd, short_one, 16));
    SAY(CONNECT(hook)(fd, short_one, 128));
    SAY(CONNECT(hook)(fd, short_one, (socklen_t)-1));
    finish(fd);
}

#define SENDTO(hook) AS(ssize_t, (int, const void *, size_t, int, const void *, socklen_t), hook)

/* Data and address at the end of a mapping. Where the SYN carries no data, which a machine may be
   set to, MSG_FASTOPEN connects all the same. */
static void sendto_lengths(const struct hook *hook, int family)
{
    int busy = subject();
    for (socklen_t length = 0; length <= 130; length++) {
        int fd = fresh(family);
        const void *address = address_of(family, length);
        const int flags = MSG_FASTOPEN | MSG_DONTWAIT;
        SAY(SENDTO(hook)(fd, TEXT("x"), 2, flags, address, length));
        close(fd);
    }
    finish(busy);
}

void play_sendto(const struct hook *hook)
{
    int fd = subject();
    sendto_lengths(hook, AF_INET);
    sendto_lengths(hook, AF_INET6);
    SAY(SENDTO(hook)(fd, NULL, 0, 0, NULL, 0));
    SAY(SENDTO(hook)(fd, TEXT("x"), 2, MSG_DONTWAIT, nowhere(), 16));
    SAY(SENDTO(hook)(fd, TEXT("x"), 2, MSG_FASTOPEN, nowhere(), 16));
    SAY(SENDTO(hook)(fd, TEXT("x"), 2, MSG_FASTOPEN, NULL, 16));
    SAY(SENDTO(hook)(fd, TEXT("x"), 2, MSG_FASTOPEN, NULL, 0));
    SAY(SENDTO(hook)(fd, nowhere(), 2, 0, NULL, 0));
    finish(fd);
}

#define SENDMSG(hook) AS(ssize_t, (int, const struct msghdr *, int), hook)

/* By sendmmsg it is the only one. */
static ssize_t sent(const struct hook *hook, int fd, struct msghdr message, int flags)
{
    if (strcmp(hook->name, "sendmmsg") != 0)
        return SENDMSG(hook)(fd, COPY(message), flags);
    struct mmsghdr *only = COPY((struct mmsghdr){.msg_hdr = message});
    return AS(int, (int, struct mmsghdr *, unsigned, int), hook)(fd, only, 1, flags);
}

/* One header that says so many bytes of itself, in so many bytes of control data, of which one
   descriptor is there. */
static void control(const struct hook *hook, int fd, int passed, size_t says, size_t length)
{
    const int descriptors[] = {passed, passed};
    struct cmsghdr header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    char whole[CMSG_LEN(sizeof descriptors)];
    struct iovec *part = COPY((struct iovec){TEXT("x"), 2});
    struct msghdr message = {.msg_iov = part, .msg_iovlen = 1};
    header.cmsg_len = (__typeof__(header.cmsg_len))says;
    memcpy(whole, &header, sizeof header);
    memcpy(whole + sizeof header, descriptors, sizeof descriptors);
    message.msg_control = copied(whole, length < sizeof whole ? length : sizeof whole);
    message.msg_controllen = (__typeof__(message.msg_controllen))length;
    printf("cmsg_len %zx, controllen %zx: ", says, length);
    SAY(sent(hook, fd, message, MSG_DONTWAIT));
}

static void controls(const struct hook *hook, int fd, const char *what)
{
    const size_t lies[] = {
        0,  1,    CMSG_LEN(0) - 1, CMSG_LEN(0), CMSG_LEN(4), CMSG_LEN(8), 64,
        96, 4096, 0x10000,         0x7fffffff,  (size_t)-1,  -8u,         (size_t)-16};
    const size_t lengths[] = {0, 1, CMSG_LEN(0), CMSG_LEN(4), CMSG_LEN(8), 4000, 0x80000000u};
    int passed = subject();
    printf("%s\n", what);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++)
        for (size_t j = 0; j < sizeof lengths / sizeof lengths[0]; j++)
            control(hook, fd, passed, lies[i], lengths[j]);
    finish(passed);
}

/* Kinds of sockets that look at control data each in its own way, or not at all. */
void message_controls(const struct hook *hook)
{
    struct sockaddr_in udp;
    int ends[2];
    unix_pair(ends);
    controls(hook, ends[0], "unix");
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    close(bound(&udp, SOCK_DGRAM));
    controls(hook, fd, "udp, no address");
    int listening = bound(&udp, SOCK_STREAM);
    CHECK(listen(listening, 8) == 0);
    const int protocols[] = {IPPROTO_TCP, IPPROTO_MPTCP};
    for (int i = 0; i < 2; i++) {
        fd = socket(AF_INET, SOCK_STREAM, protocols[i]);
        if (fd >= 0 && to(fd, &udp) == 0) /* not each kernel has MPTCP */
            controls(hook, fd, i == 0 ? "tcp" : "mptcp");
    }
    int busy = subject();
    struct msghdr message = {.msg_control = nowhere(), .msg_controllen = 0};
#if defined(__GLIBC__) /* musl's copies message and control data before the kernel looks at them   \
                        */
    message.msg_controllen = CMSG_LEN(4);
    SAY(sent(hook, ends[0], message, MSG_DONTWAIT));
    message.msg_control = NULL;
    SAY(sent(hook, ends[0], message, MSG_DONTWAIT));
    message = (struct msghdr){.msg_control = nowhere()};
#endif
    SAY(sent(hook, ends[0], message, MSG_DONTWAIT));
    finish(busy);
}

void message_names(const struct hook *hook)
{
    const int flags = MSG_FASTOPEN | MSG_DONTWAIT;
    int busy = subject();
    struct iovec *part = COPY((struct iovec){TEXT("x"), 2});
    for (socklen_t length = 0; length <= 132; length++) {
        int fd = fresh(AF_INET);
        const struct msghdr message = {.msg_name = (void *)address_of(AF_INET, length),
                                       .msg_namelen = length,
                                       .msg_iov = part,
                                       .msg_iovlen = 1};
        SAY(sent(hook, fd, message, flags));
        close(fd);
    }
    finish(busy);
}

void play_sendmsg(const struct hook *hook)
{
    message_names(hook);
    message_controls(hook);
#if defined(__GLIBC__)
    const int flags[] = {0, MSG_FASTOPEN};
    for (int i = 0; i < 2; i++) {
        int fd = subject();
        SAY(SENDMSG(hook)(fd, NULL, flags[i] | MSG_DONTWAIT));
        SAY(SENDMSG(hook)(fd, nowhere(), flags[i] | MSG_DONTWAIT));
        for (size_t size = 1; size < sizeof(struct msghdr); size++)
            SAY(SENDMSG(hook)(fd, at_end(size), flags[i] | MSG_DONTWAIT));
        finish(fd);
    }
#endif
    struct msghdr wild = {.msg_name = nowhere(), .msg_namelen = 16};
    int fd = subject();
    SAY(SENDMSG(hook)(fd, COPY(wild), MSG_FASTOPEN | MSG_DONTWAIT));
    wild = (struct msghdr){.msg_iov = nowhere(), .msg_iovlen = 1};
    SAY(SENDMSG(hook)(fd, COPY(wild), MSG_DONTWAIT));
    finish(fd);
}

#define SEND(hook) AS(ssize_t, (int, const void *, size_t, int), hook)

void play_send(const struct hook *hook)
{
    int ends[2];
    unix_pair(ends);
    int fd = subject();
    SAY(SEND(hook)(ends[0], TEXT("abc"), 4, 0));
    SAY(SEND(hook)(ends[0], NULL, 0, 0));
    SAY(SEND(hook)(ends[0], NULL, 1, 0));
    SAY(SEND(hook)(ends[0], nowhere(), 1, 0));
    SAY(SEND(hook)(ends[0], TEXT("abc"), 5, 0));
    SAY(SEND(hook)(fd, nowhere(), 1, MSG_DONTWAIT));
    finish(fd);
    fd = subject();
    SAY(SEND(hook)(fd, TEXT("abc"), 4, MSG_DONTWAIT));
    finish(fd);
}

#define WRITE(hook) AS(ssize_t, (int, const void *, size_t), hook)

void play_write(const struct hook *hook)
{
    int ends[2];
    unix_pair(ends);
    int fd = subject();
    SAY(WRITE(hook)(ends[0], TEXT("abc"), 4));
    SAY(WRITE(hook)(ends[0], NULL, 0));
    SAY(WRITE(hook)(ends[0], NULL, 1));
    SAY(WRITE(hook)(ends[0], nowhere(), 1));
    SAY(WRITE(hook)(ends[0], TEXT("abc"), 5));
    SAY(WRITE(hook)(fd, nowhere(), 1));
    finish(fd);
    fd = subject();
    SAY(WRITE(hook)(fd, TEXT("abc"), 4));
    finish(fd);
}

#define VECTOR(hook) AS(ssize_t, (int, const struct iovec *, int), hook)

static void vectors(const struct hook *hook, int other)
{
    const struct iovec parts[] = {{TEXT("ab"), 2}, {NULL, 0}, {TEXT("cd"), 2}};
    int fd = subject();
    SAY(VECTOR(hook)(other, COPY(parts), 3));
    SAY(VECTOR(hook)(other, NULL, 0));
    SAY(VECTOR(hook)(other, NULL, 1));
    SAY(VECTOR(hook)(other, nowhere(), 1));
    SAY(VECTOR(hook)(other, COPY(parts), 4));
    SAY(VECTOR(hook)(other, COPY(parts), -1));
    SAY(VECTOR(hook)(other, COPY((struct iovec){nowhere(), 1}), 1));
    SAY(VECTOR(hook)(fd, COPY(parts), 3));
    finish(fd);
}

void play_writev(const struct hook *hook)
{
    int ends[2];
    unix_pair(ends);
    vectors(hook, ends[0]);
}

void play_readv(const struct hook *hook)
{
    vectors(hook, full_pipe());
}

static ssize_t read_by(const struct hook *hook, int fd, void *bytes, size_t length)
{
    if (hook->kind == CHECKED)
        return AS(ssize_t, (int, void *, size_t, size_t), hook)(fd, bytes, length, length);
    return AS(ssize_t, (int, void *, size_t), hook)(fd, bytes, length);
}

void play_read(const struct hook *hook)
{
    int other = full_pipe();
    int fd = subject();
    char *bytes = at_end(3);
    SAY(read_by(hook, other, bytes, 3));
    show(bytes, 3);
    SAY(read_by(hook, other, NULL, 0));
    SAY(read_by(hook, other, NULL, 1));
    SAY(read_by(hook, other, nowhere(), 1));
    SAY(read_by(hook, fd, nowhere(), 1));
    finish(fd);
    fd = subject();
    SAY(read_by(hook, fd, bytes, 3));
    finish(fd);
}

static ssize_t recv_by(const struct hook *hook, int fd, void *bytes, size_t length, int flags)
{
    if (hook->kind == CHECKED)
        return AS(ssize_t, (int, void *, size_t, size_t, int), hook)(fd, bytes, length, length,
                                                                     flags);
    return AS(ssize_t, (int, void *, size_t, int), hook)(fd, bytes, length, flags);
}

static int full_socket(void)
{
    int ends[2];
    unix_pair(ends);
    CHECK(send(ends[1], "abcdefgh", 8, 0) == 8);
    return ends[0];
}

void play_recv(const struct hook *hook)
{
    int other = full_socket();
    int fd = subject();
    char *bytes = at_end(3);
    SAY(recv_by(hook, other, bytes, 3, 0));
    show(bytes, 3);
    SAY(recv_by(hook, other, NULL, 0, 0));
    SAY(recv_by(hook, other, NULL, 1, MSG_PEEK));
    SAY(recv_by(hook, other, nowhere(), 1, MSG_PEEK));
    SAY(recv_by(hook, fd, nowhere(), 1, MSG_DONTWAIT));
    finish(fd);
    fd = subject();
    SAY(recv_by(hook, fd, bytes, 3, MSG_DONTWAIT));
    finish(fd);
}

static ssize_t recvfrom_by(const struct hook *hook, int fd, void *bytes, size_t length,
                           void *address, socklen_t *address_length)
{
    if (hook->kind == CHECKED)
        return AS(ssize_t, (int, void *, size_t, size_t, int, void *, socklen_t *), hook)(
            fd, bytes, length, length, MSG_PEEK | MSG_DONTWAIT, address, address_length);
    return AS(ssize_t, (int, void *, size_t, int, void *, socklen_t *),
              hook)(fd, bytes, length, MSG_PEEK | MSG_DONTWAIT, address, address_length);
}

void play_recvfrom(const struct hook *hook)
{
    struct sockaddr_in here;
    int other = bound(&here, SOCK_DGRAM);
    int fd = subject();
    char *bytes = at_end(3);
    CHECK(sendto(other, "abc", 3, 0, (struct sockaddr *)&here, sizeof here) == 3);
    for (socklen_t size = 0; size <= 130; size++) {
        socklen_t *length = COPY(size);
        void *address = at_end(size < 16 ? size : 16);
        SAY(recvfrom_by(hook, other, bytes, 3, address, length));
        printf("length %u\n", (unsigned)*length);
    }
    SAY(recvfrom_by(hook, other, bytes, 3, NULL, NULL));
    SAY(recvfrom_by(hook, other, bytes, 3, NULL, nowhere()));
    SAY(recvfrom_by(hook, other, bytes, 3, at_end(16), NULL));
    SAY(recvfrom_by(hook, other, bytes, 3, at_end(16), nowhere()));
    SAY(recvfrom_by(hook, other, bytes, 3, nowhere(), COPY((socklen_t){16})));
    SAY(recvfrom_by(hook, fd, bytes, 3, nowhere(), nowhere()));
    finish(fd);
}

#define RECVMSG(hook) AS(ssize_t, (int, struct msghdr *, int), hook)

/* What has come lies over the message, whose pointers the kernel had read before. */
static void recvmsg_over_itself(const struct hook *hook)
{
    struct msghdr *at = at_end(sizeof *at);
    int other = with_rights(sizeof *at);
    *at = (struct msghdr){.msg_iov = COPY((struct iovec){at, sizeof *at}),
                          .msg_iovlen = 1,
                          .msg_control = at_end(CMSG_SPACE(sizeof(int))),
                          .msg_controllen = CMSG_SPACE(sizeof(int))};
    SAY(RECVMSG(hook)(other, at, MSG_DONTWAIT));
    show(at, sizeof *at);
}

void play_recvmsg(const struct hook *hook)
{
    const int flags = MSG_PEEK | MSG_DONTWAIT;
    int other = full_socket();
    int fd = subject();
    struct iovec *part = COPY((struct iovec){at_end(3), 3});
    struct msghdr message = {.msg_iov = part, .msg_iovlen = 1};
    for (size_t length = 0; length <= 40; length++) {
        message.msg_control = at_end(length);
        message.msg_controllen = (__typeof__(message.msg_controllen))length;
        struct msghdr *at = COPY(message);
        SAY(RECVMSG(hook)(other, at, flags));
        show(&at->msg_controllen, sizeof(socklen_t));
    }
    message.msg_control = nowhere();
    SAY(RECVMSG(hook)(other, COPY(message), flags));
    message = (struct msghdr){.msg_iov = nowhere(), .msg_iovlen = 1};
    SAY(RECVMSG(hook)(other, COPY(message), flags));
    SAY(RECVMSG(hook)(fd, COPY(message), flags));
#if defined(__GLIBC__)
    if (strcmp(hook->name, "recvmsg") == 0) { /* __recvmsg64 looks into the message itself */
        SAY(RECVMSG(hook)(other, NULL, flags));
        SAY(RECVMSG(hook)(other, nowhere(), flags));
        SAY(RECVMSG(hook)(other, at_end(sizeof message - 1), flags));
        recvmsg_over_itself(hook);
    }
#endif
    finish(fd);
    fd = subject();
    message = (struct msghdr){.msg_iov = part, .msg_iovlen = 1};
    SAY(RECVMSG(hook)(fd, COPY(message), flags));
    finish(fd);
}

#define GETSOCKOPT(hook) AS(int, (int, int, int, void *, socklen_t *), hook)

static void error_of(const struct hook *hook, int level, int option, socklen_t size)
{
    int fd = subject();
    socklen_t *length = COPY(size);
    void *value = at_end(size < 8 ? size : 8);
    SAY(GETSOCKOPT(hook)(fd, level, option, value, length));
    printf("length %u ", (unsigned)*length);
    show(value, size < 8 ? size : 8);
    finish(fd);
}

void play_getsockopt(const struct hook *hook)
{
    const socklen_t sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 128, 0x7fffffff, (socklen_t)-1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        error_of(hook, SOL_SOCKET, SO_ERROR, sizes[i]);
        error_of(hook, SOL_SOCKET, SO_TYPE, sizes[i]);
        error_of(hook, IPPROTO_TCP, SO_ERROR, sizes[i]);
    }
    int fd = subject();
    SAY(GETSOCKOPT(hook)(fd, SOL_SOCKET, SO_ERROR, at_end(4), NULL));
    SAY(GETSOCKOPT(hook)(fd, SOL_SOCKET, SO_ERROR, at_end(4), nowhere()));
    SAY(GETSOCKOPT(hook)(fd, SOL_SOCKET, SO_ERROR, at_end(4), at_end(3)));
    SAY(GETSOCKOPT(hook)(fd, SOL_SOCKET, SO_ERROR, NULL, COPY((socklen_t){0})));
    finish(fd);
    fd = subject();
    SAY(GETSOCKOPT(hook)(fd, SOL_SOCKET, SO_ERROR, NULL, COPY((socklen_t){4})));
    finish(fd);
    fd = subject();
    SAY(GETSOCKOPT(hook)(fd, SOL_SOCKET, SO_ERROR, at_end(2), COPY((socklen_t){4})));
    finish(fd);
    fd = subject();
    SAY(GETSOCKOPT(hook)(fd, SOL_SOCKET, SO_ERROR, nowhere(), COPY((socklen_t){1})));
    finish(fd);
}

#define GETPEERNAME(hook) AS(int, (int, void *, socklen_t *), hook)

void play_getpeername(const struct hook *hook)
{
    int fd = subject();
    for (socklen_t size = 0; size <= 130; size++) {
        socklen_t *length = COPY(size);
        void *address = at_end(size < 16 ? size : 16);
        SAY(GETPEERNAME(hook)(fd, address, length));
        printf("length %u\n", (unsigned)*length);
    }
    SAY(GETPEERNAME(hook)(fd, NULL, COPY((socklen_t){16})));
    SAY(GETPEERNAME(hook)(fd, NULL, COPY((socklen_t){0})));
    SAY(GETPEERNAME(hook)(fd, at_end(16), NULL));
    SAY(GETPEERNAME(hook)(fd, NULL, NULL));
    SAY(GETPEERNAME(hook)(fd, nowhere(), nowhere()));
    SAY(GETPEERNAME(hook)(fd, at_end(8), COPY((socklen_t){16})));
    finish(fd);
}
