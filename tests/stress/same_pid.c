/* SPDX-License-Identifier: MIT */
/*
 * same_pid CHILDREN
 *
 * Children one after the other, all with the same process number, which the kernel is asked for by
 * /proc/sys/kernel/ns_last_pid: this is the first process of a namespace of its own. Each begins
 * one connect to a silent port, every second ends by a signal, the others by exit. Exit status 3
 * where the kernel is not to be asked.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "tests/shim/scene.h"

enum { WANTED = 1000 };

static bool next_pid(int pid)
{
    int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && dprintf(fd, "%d", pid - 1) > 0;
    if (fd >= 0)
        close(fd);
    return written;
}

int main(int argc, char **argv)
{
    struct sockaddr_in target = silent();
    int status;
    if (argc != 2 || getpid() != 1 || !next_pid(WANTED))
        return 3;
    for (int i = 0; i < atoi(argv[1]); i++) {
        CHECK(next_pid(WANTED));
        pid_t child = fork();
        if (child == 0) {
            in_progress(&target);
            if (i % 2)
                raise(SIGKILL);
            _exit(0);
        }
        CHECK(child == WANTED && waitpid(child, &status, 0) == child);
    }
    return 0;
}
