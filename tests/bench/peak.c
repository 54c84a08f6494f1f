/* SPDX-License-Identifier: MIT */
/*
 * Runs a command and writes "SECONDS KIB" into a file: how long it took, and the most memory that
 * it had. A process inherits the peak of the one that forked it (getrusage(2), ru_maxrss), so who
 * wants to know it has to be small: this is.
 *
 *     peak FILE COMMAND...
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct timespec begin;
    struct timespec end;
    struct rusage usage;
    if (argc < 3)
        return 2;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    if (child < 0 || wait4(child, NULL, 0, &usage) != child)
        return 1;
    clock_gettime(CLOCK_MONOTONIC, &end);
    FILE *out = fopen(argv[1], "w");
    if (!out)
        return 1;
    fprintf(out, "%.6f %ld\n",
            (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
            usage.ru_maxrss);
    return fclose(out) == 0 ? 0 : 1;
}
