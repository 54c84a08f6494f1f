/* SPDX-License-Identifier: MIT */
#include "tools/log/alive.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* Seconds since 1970 at which pid started; -1 where /proc does not say. *dead: it has ended, and
   only its parent has not noticed yet. */
static double started(long pid, bool *dead)
{
    char path[64];
    char text[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    /* The second field is the program's name and may hold anything; starttime is the 22nd. */
    char *at = strrchr(text, ')');
    *dead = at && (strncmp(at, ") Z", 3) == 0 || strncmp(at, ") X", 3) == 0);
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    struct timespec boot;
    struct timespec now;
    if (!at || clock_gettime(CLOCK_BOOTTIME, &boot) != 0 ||
        clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    double since_boot = strtod(at, NULL) / (double)sysconf(_SC_CLK_TCK);
    return (double)(now.tv_sec - boot.tv_sec) + since_boot;
}

bool alive(const char *host, long pid, const char *time)
{
    struct utsname here;
    struct tm when = {0};
    if (pid <= 0 || uname(&here) != 0 || strcmp(here.nodename, host) != 0)
        return false;
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return false;
    /* The number may be another process's by now: one that is younger than the record. */
    bool dead = false;
    double since = started(pid, &dead);
    if (since < 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return false; /* it has gone in between */
    if (dead || !strptime(time, "%Y-%m-%dT%H:%M:%S", &when))
        return !dead;
    return since <= (double)timegm(&when) + 2;
}
