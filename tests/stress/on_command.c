/* SPDX-License-Identifier: MIT */
/* Reads numbers, one in a line; makes so many connects that are refused, and answers each line with
   its process number and how many it has made in all. */
#include "tests/shim/scene.h"

int main(void)
{
    char line[32];
    long made = 0;
    struct sockaddr_in target = refusing();
    while (fgets(line, sizeof line, stdin)) {
        for (long wanted = made + atol(line); made < wanted; made++) {
            int fd = tcp(0);
            CHECK(to(fd, &target) == -1 && errno == ECONNREFUSED);
            close(fd);
        }
        printf("%d %ld\n", (int)getpid(), made);
        fflush(stdout);
    }
    return 0;
}
