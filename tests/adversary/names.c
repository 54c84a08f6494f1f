/* SPDX-License-Identifier: MIT */
/* names HOW: connects, and ends or goes on HOW; the functions of strangers.c are its own. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

extern int strangers_calls;
extern const char *strangers_name;

static struct sockaddr_in refusing(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        abort();
    return address;
}

static int begin(const struct sockaddr_in *address, int flags)
{
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0);
    int result = connect(fd, (const struct sockaddr *)address, sizeof *address);
    printf("connect: %d, errno %d\n", result, errno);
    return fd;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = refusing();
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *answers;
    char how = argc > 1 ? argv[1][0] : '?';
    begin(&address, 0);
    /* A name would be looked up by modules that may be other libraries, and call what they like. */
    printf("getaddrinfo: %d\n", getaddrinfo("127.0.0.1", "80", &hints, &answers));
    struct pollfd one = {begin(&address, SOCK_NONBLOCK), POLLOUT, 0};
    printf("poll: %d\n", poll(&one, 1, 5000));
    if (how == 'l') /* it fails, and the program goes on */
        printf("execl: %d\n", execl("/nonexistent", "x", (char *)NULL));
    if (how == 'p')
        printf("execlp: %d\n", execlp("/nonexistent", "x", (char *)NULL));
    if (how == 'e')
        printf("execle: %d\n", execle("/nonexistent", "x", (char *)NULL, argv));
    printf("own functions called: %d (%s)\n", strangers_calls, strangers_name);
    fflush(stdout);
    if (how == 'E')
        _Exit(strangers_calls);
    return strangers_calls;
}
