/* SPDX-License-Identifier: MIT */
/* The scenes of `memory` for descriptors, processes and filters. */
#define _GNU_SOURCE
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/adversary/memory.h"

/* Of the kernel's headers, which musl's compiler does not find. */
struct filter_line {
    unsigned short code;
    unsigned char yes, no;
    unsigned k;
};
struct filter {
    unsigned short count;
    struct filter_line *lines;
};
enum { LOAD_WORD = 0x20, RETURN = 0x06, ALLOW = 0x7fff0000, MODE_FILTER = 2, SET_FILTER = 1 };

/* ---- exec: nothing after the list's null may be read ---- */

static int exec_by(const struct hook *hook, const char *path, char **arguments, char **environment)
{
    fflush(stdout);
    if (hook->kind == WIDE)
        return AS(int, (const char *, char **, char **), hook)(path, arguments, environment);
    return AS(int, (const char *, char **), hook)(path, arguments);
}

#define ARGUMENTS                                                                                  \
    {                                                                                              \
        TEXT("memory"), TEXT("arguments"), TEXT("x"), TEXT(""), NULL                               \
    }

void play_execve(const struct hook *hook)
{
    char *arguments[] = ARGUMENTS;
    char *environment[] = {TEXT("A=b"), NULL};
    int fd = subject();
    SAY(exec_by(hook, TEXT("/nonexistent/x"), COPY(arguments), COPY(environment)));
    SAY(exec_by(hook, TEXT("/nonexistent/x"), COPY(arguments), NULL));
    SAY(exec_by(hook, TEXT("/nonexistent/x"), NULL, NULL));
    SAY(exec_by(hook, TEXT("/proc/self/exe"), nowhere(), NULL));
    SAY(exec_by(hook, TEXT("/proc/self/exe"), copied(arguments, 2 * sizeof(char *)), NULL));
    SAY(exec_by(hook, TEXT(""), COPY(arguments), COPY(environment)));
    if (strlen(hook->name) <= strlen("execve") && !strchr(hook->name, 'p')) {
        SAY(exec_by(hook, nowhere(), COPY(arguments), COPY(environment)));
        SAY(exec_by(hook, NULL, COPY(arguments), COPY(environment)));
        SAY(exec_by(hook, UNTERMINATED("/x"), COPY(arguments), COPY(environment)));
    }
    finish(fd);
    subject();
    exec_by(hook, TEXT("/proc/self/exe"), COPY(arguments), COPY(environment));
    CHECK(!"exec");
}

void play_execl(const struct hook *hook)
{
    int fd = subject();
    char *environment[] = {TEXT("A=b"), NULL};
    char **at = COPY(environment);
    int (*call)(const char *, const char *, ...) = (__typeof__(call))hook->function;
    SAY(call(TEXT("/nonexistent/x"), TEXT("x"), (char *)NULL, at));
    SAY(call(TEXT("/nonexistent/x"), TEXT("x"), TEXT("y"), TEXT("z"), (char *)NULL, NULL));
    SAY(call(TEXT("/proc/self/exe"), nowhere(), (char *)NULL, at));
    finish(fd);
    subject();
    fflush(stdout);
    call(TEXT("/proc/self/exe"), TEXT("memory"), TEXT("arguments"), TEXT("1"), TEXT("2"), TEXT("3"),
         TEXT("4"), TEXT("5"), TEXT("6"), TEXT("7"), (char *)NULL, at);
    CHECK(!"exec");
}

void play_fexecve(const struct hook *hook)
{
    int fd = subject();
    char *arguments[] = ARGUMENTS;
    char *environment[] = {TEXT("A=b"), NULL};
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    SAY(AS(int, (int, char **, char **), hook)(file, nowhere(), COPY(environment)));
    SAY(AS(int, (int, char **, char **), hook)(file, COPY(arguments), nowhere()));
    SAY(AS(int, (int, char **, char **), hook)(-1, COPY(arguments), COPY(environment)));
    finish(fd);
    subject();
    fflush(stdout);
    AS(int, (int, char **, char **), hook)(file, COPY(arguments), COPY(environment));
    CHECK(!"fexecve");
}

void play_fork(const struct hook *hook)
{
    int status;
    int fd = subject();
    pid_t child = AS(pid_t, (void), hook)();
    if (child == 0) {
        finish(fd);
        fflush(stdout);
        _exit(3);
    }
    CHECK(waitpid(child, &status, 0) == child);
    printf("status %x\n", (unsigned)status);
    finish(fd);
}

void play_exit(const struct hook *hook)
{
    subject();
    printf("ends here\n");
    fflush(stdout);
    AS(void, (int), hook)(0);
    CHECK(!"exit");
}

static void leave_in_handler(int signal)
{
    (void)signal;
    _exit(0);
}

void play_abort(const struct hook *hook)
{
    subject();
    printf("ends here\n");
    fflush(stdout);
    signal(SIGABRT, leave_in_handler);
    AS(void, (void), hook)();
    CHECK(!"abort");
}

/* ---- filters: a program for the kernel, at the end of a mapping ---- */

#define PRCTL(hook) AS(int, (int, unsigned long, void *, unsigned long, unsigned long), hook)

static struct filter *program(unsigned short says, size_t there)
{
    const struct filter_line allow[] = {{LOAD_WORD, 0, 0, 0}, {RETURN, 0, 0, ALLOW}};
    const struct filter whole = {says, copied(allow, there * sizeof allow[0])};
    return COPY(whole);
}

void play_prctl(const struct hook *hook)
{
    char *name = at_end(16);
    int fd = subject();
    SAY(PRCTL(hook)(PR_SET_NAME, (unsigned long)TEXT("x"), NULL, 0, 0));
    SAY(PRCTL(hook)(PR_GET_NAME, (unsigned long)name, NULL, 0, 0));
    show(name, 16);
    SAY(PRCTL(hook)(PR_SET_NAME, (unsigned long)nowhere(), NULL, 0, 0));
    CHECK(PRCTL(hook)(PR_SET_NO_NEW_PRIVS, 1, NULL, 0, 0) == 0);
    SAY(PRCTL(hook)(PR_SET_SECCOMP, MODE_FILTER, NULL, 0, 0));
    SAY(PRCTL(hook)(PR_SET_SECCOMP, MODE_FILTER, nowhere(), 0, 0));
    SAY(PRCTL(hook)(PR_SET_SECCOMP, MODE_FILTER, at_end(7), 0, 0));
    SAY(PRCTL(hook)(PR_SET_SECCOMP, 77, nowhere(), 0, 0));
    SAY(PRCTL(hook)(PR_SET_SECCOMP, MODE_FILTER, program(0, 2), 0, 0));
    SAY(PRCTL(hook)(PR_SET_SECCOMP, MODE_FILTER, program(3, 2), 0, 0));
    SAY(PRCTL(hook)(PR_SET_SECCOMP, MODE_FILTER, program(2, 0), 0, 0));
    SAY(PRCTL(hook)(PR_SET_SECCOMP, MODE_FILTER, program(0xffff, 2), 0, 0));
    SAY(PRCTL(hook)(PR_SET_SECCOMP, MODE_FILTER, program(2, 2), 0, 0));
    finish(fd);
}

#define SYSCALL(hook) AS(long, (long, ...), hook)

void play_syscall(const struct hook *hook)
{
    int fd = subject();
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    SAY(SYSCALL(hook)(SYS_write, 1, nowhere(), 1L));
    SAY(SYSCALL(hook)(SYS_seccomp, SET_FILTER, 0L, NULL));
    SAY(SYSCALL(hook)(SYS_seccomp, SET_FILTER, 0L, nowhere()));
    SAY(SYSCALL(hook)(SYS_seccomp, SET_FILTER, 0L, at_end(7)));
    SAY(SYSCALL(hook)(SYS_seccomp, SET_FILTER, 0L, program(3, 2)));
    SAY(SYSCALL(hook)(SYS_seccomp, 0L, 1L, nowhere()));
    SAY(SYSCALL(hook)(SYS_prctl, PR_SET_SECCOMP, MODE_FILTER, nowhere()));
    SAY(SYSCALL(hook)(SYS_seccomp, SET_FILTER, 0L, program(2, 2)));
    finish(fd);
}

/* ---- descriptors: numbers, and an argument that may be a pointer ---- */

void play_close(const struct hook *hook)
{
    int fd = subject();
    SAY(AS(int, (int), hook)(fd));
    SAY(AS(int, (int), hook)(fd));
    SAY(AS(int, (int), hook)(-1));
}

void play_close_range(const struct hook *hook)
{
    int fd = subject_at(300);
    int other = subject_at(301);
    errno = 77;
    if (hook->kind == WIDE) {
        AS(void, (int), hook)(301);
        say("closefrom", 0);
    } else {
        SAY(AS(int, (unsigned, unsigned, int), hook)(301, ~0U, 0));
        SAY(AS(int, (unsigned, unsigned, int), hook)(301, 1, 0));
    }
    finish(other);
    finish(fd);
}

void play_shutdown(const struct hook *hook)
{
    for (int how = -1; how <= 3; how++) {
        int fd = subject();
        SAY(AS(int, (int, int), hook)(fd, how));
        finish(fd);
    }
}

void play_dup(const struct hook *hook)
{
    int fd = subject();
    int second = AS(int, (int), hook)(fd);
    SAY(AS(int, (int), hook)(-1));
    finish(fd);
    finish(second);
}

static int dup2_by(const struct hook *hook, int fd, int number)
{
    if (hook->kind == MASKED)
        return AS(int, (int, int, int), hook)(fd, number, 0);
    return AS(int, (int, int), hook)(fd, number);
}

void play_dup2(const struct hook *hook)
{
    int fd = subject();
    int other = subject();
    SAY(dup2_by(hook, fd, 333));
    SAY(dup2_by(hook, fd, -1));
    SAY(dup2_by(hook, -1, other));
    SAY(dup2_by(hook, fd, 1 << 30));
    SAY(dup2_by(hook, other, 333) == 333);
    finish(fd);
    finish(other);
    finish(333);
}

#define FCNTL(hook) AS(int, (int, int, ...), hook)

void play_fcntl(const struct hook *hook)
{
    int fd = subject();
    FILE *file = tmpfile();
    const struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    CHECK(file);
    SAY(FCNTL(hook)(fileno(file), F_SETLK, COPY(lock)));
    SAY(FCNTL(hook)(fileno(file), F_GETLK, COPY(lock)));
    SAY(FCNTL(hook)(fileno(file), F_GETLK, NULL));
    SAY(FCNTL(hook)(fileno(file), F_GETLK, nowhere()));
    SAY(FCNTL(hook)(fd, F_GETOWN_EX, at_end(8)));
    SAY(FCNTL(hook)(fd, F_GETOWN_EX, at_end(7)));
    SAY(FCNTL(hook)(fd, F_GETFD));
    SAY(FCNTL(hook)(fd, F_DUPFD, 400));
    SAY(FCNTL(hook)(fd, F_DUPFD_CLOEXEC, nowhere()));
    SAY(FCNTL(hook)(fd, 9999, nowhere()));
    finish(fd);
    finish(400);
}
