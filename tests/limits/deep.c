/* SPDX-License-Identifier: MIT */
/* A library that connects; opened by blind.c. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

void deep_connect(void);

void deep_connect(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(1)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)connect(fd, (struct sockaddr *)&address, sizeof address);
    close(fd);
}
