/* SPDX-License-Identifier: MIT */
/*
 * witness FILE PROGRAM [ARGUMENT]...: runs the program and adds to FILE, for it and for each
 * process that it has made, which descriptors it has open at the moment of its end, one a line: the
 * process's name, the descriptor's number and what it is. Ends as the program ends.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static FILE *out;

/* A thread has its process's descriptors; they are looked at when the process's first thread ends.
 */
static int is_process(const char *status)
{
    char line[256];
    int tgid = 0;
    int pid = -1;
    FILE *in = fopen(status, "r");
    while (in && fgets(line, sizeof line, in)) {
        sscanf(line, "Tgid: %d", &tgid);
        sscanf(line, "Pid: %d", &pid);
    }
    if (in)
        fclose(in);
    return tgid == pid;
}

static void write_descriptors(pid_t pid)
{
    char path[300];
    char name[32] = "?";
    char target[512];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    if (!is_process(path))
        return;
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    FILE *comm = fopen(path, "r");
    if (comm && fgets(name, sizeof name, comm))
        name[strcspn(name, "\n")] = '\0';
    if (comm)
        fclose(comm);
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/fd/%s", (int)pid, entry->d_name);
        ssize_t length = readlink(path, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        fprintf(out, "%s %s %s\n", name, entry->d_name, target);
    }
    if (folder)
        closedir(folder);
    fflush(out);
}

/* A stop of one of them: looks, and lets it go on. */
static void go_on(pid_t pid, int status)
{
    int signal = WSTOPSIG(status);
    int event = status >> 16;
    if (event == PTRACE_EVENT_EXIT)
        write_descriptors(pid);
    if (event == PTRACE_EVENT_STOP && (signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU))
        ptrace(PTRACE_LISTEN, pid, 0, 0); /* a job was stopped, and stays so */
    else
        ptrace(PTRACE_CONT, pid, 0, event ? 0 : signal);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: witness FILE PROGRAM [ARGUMENT]...\n");
        return 2;
    }
    pid_t child = fork();
    if (child == 0) {
        const char *preload = getenv("WITNESS_PRELOAD"); /* for the program, not for us */
        if (preload)
            setenv("LD_PRELOAD", preload, 1);
        unsetenv("WITNESS_PRELOAD");
        raise(SIGSTOP);
        execvp(argv[2], argv + 2);
        err(127, "%s", argv[2]);
    }
    int status;
    out = fopen(argv[1], "a");
    if (!out)
        err(2, "%s", argv[1]);
    if (waitpid(child, &status, WUNTRACED) != child)
        err(2, "waitpid");
    if (ptrace(PTRACE_SEIZE, child, 0,
               PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                   PTRACE_O_TRACECLONE) != 0)
        err(2, "ptrace");
    kill(child, SIGCONT);
    /* To the end of the program; daemons that it leaves behind go on without us. */
    for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFSTOPPED(status))
            go_on(pid, status);
        else if (pid == child)
            break;
    }
    if (WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        kill(getpid(), WTERMSIG(status));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
