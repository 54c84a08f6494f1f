/* SPDX-License-Identifier: MIT */
#include "tools/run/run.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/base/file.h"
#include "tools/base/util.h"
#include "tools/log/logpath.h"
#include "tools/run/elf.h"
#include "tools/run/preflight.h"
#include "tools/run/summary.h"

static const char usage[] =
    "usage: tcpdiag run [-l FILE] [-q] [--] COMMAND [ARGUMENTS]\n"
    "Runs COMMAND with libtcpdiag.so preloaded and says at its end what failed.\n"
    "\n"
    "  -l, --log FILE  a path (%p pid, %e executable, %h host, %% percent) or stderr\n"
    "  -q, --quiet     no summary at the end\n"
    "\n"
    "The library is the one next to this program; TCPDIAG_LIBRARY names another.\n"
    "Exit status: COMMAND's own; when a signal kills COMMAND, the same signal.\n"
    "125 tcpdiag itself failed, 126 COMMAND cannot be run, 127 no such command,\n"
    "2 wrong usage.\n";

/* What a person or a supervisor sends to the process that they started. */
static const int forwarded[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
                                SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH};
enum { FORWARDED = sizeof forwarded / sizeof forwarded[0] };

/* The loader itself only complains of a library that is none, once for each process. */
static char *named_library(const char *named)
{
    struct elf_facts facts;
    char *path = realpath(named, NULL);
    if (!path) {
        complain_errno("TCPDIAG_LIBRARY: %s", named);
        return NULL;
    }
    int fd = file_open(path, 0);
    bool is_elf = fd >= 0 && elf_read(fd, &facts);
    if (fd >= 0)
        close(fd);
    if (is_elf)
        return path;
    complain("TCPDIAG_LIBRARY: %s: no library that can be preloaded", named);
    free(path);
    return NULL;
}

static char *find_library(void)
{
    static const char *const places[] = {"../shim/libtcpdiag.so", "libtcpdiag.so",
                                         "../lib/libtcpdiag.so", "../lib/tcpdiag/libtcpdiag.so"};
    const char *named = getenv("TCPDIAG_LIBRARY");
    if (named && *named)
        return named_library(named);
    char *folder = own_folder();
    char *library = NULL;
    for (size_t i = 0; !library && i < sizeof places / sizeof places[0]; i++) {
        char *path = format("%s/%s", folder, places[i]);
        library = realpath(path, NULL);
        free(path);
    }
    if (!library)
        complain("libtcpdiag.so is not next to this program, in %s; TCPDIAG_LIBRARY may name it",
                 folder);
    free(folder);
    return library;
}

/* What is preloaded already, but for another copy of the library: two of them would write each
   record twice. ld.so(8): the list is parted by colons or blanks. */
static char *preloaded_without_us(void)
{
    const char *before = getenv("LD_PRELOAD");
    char *list = copy(before ? before : "");
    char *kept = copy("");
    char *rest = NULL;
    for (char *one = strtok_r(list, ": ", &rest); one; one = strtok_r(NULL, ": ", &rest)) {
        const char *slash = strrchr(one, '/');
        if (strcmp(slash ? slash + 1 : one, "libtcpdiag.so") == 0)
            continue;
        char *longer = format("%s:%s", kept, one);
        free(kept);
        kept = longer;
    }
    free(list);
    return kept;
}

/* In front of what is preloaded already, so that the program's calls reach our hooks first. warn:
   the library may say, once in a process, that it cannot write its log. */
static void set_environment(const char *library, const struct log_place *place, bool warn)
{
    char *before = preloaded_without_us();
    char *preload = format("%s%s", library, before);
    free(before);
    bool set =
        setenv("LD_PRELOAD", preload, 1) == 0 && (!warn || setenv("TCPDIAG_WARN", "1", 1) == 0);
    if (set && place->pattern && !place->default_place)
        set = setenv("TCPDIAG_LOG", place->pattern, 1) == 0;
    else if (set && !place->pattern)
        set = setenv("TCPDIAG_LOG", "stderr", 1) == 0;
    if (!set)
        need(NULL);
    free(preload);
}

/* AddressSanitizer's runtime ends a program in which it is not the first library. It works behind
   ours as well, whose calls reach it; what the user has said about the order stays. */
static void allow_second(void)
{
    static const char option[] = "verify_asan_link_order";
    const char *before = getenv("ASAN_OPTIONS");
    if (before && strstr(before, option))
        return;
    char *options = format("%s%s%s=0", before ? before : "", before && *before ? ":" : "", option);
    if (setenv("ASAN_OPTIONS", options, 1) != 0)
        need(NULL);
    free(options);
}

struct signals {
    sigset_t taken;
    sigset_t mask; /* this and the next two: as we found them, and as the program shall */
    struct sigaction child;
    struct sigaction pipe;
};

/* The signals are blocked and taken one by one, so each comes with its sender. SIGCHLD must not be
   ignored, or there would be no status to wait for; SIGPIPE must be, or a reader of our standard
   error that goes away would turn the program's status into our own death. */
static void take_signals(struct signals *signals)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    struct sigaction ignored = {.sa_handler = SIG_IGN};
    sigemptyset(&signals->taken);
    sigaddset(&signals->taken, SIGCHLD);
    for (size_t i = 0; i < FORWARDED; i++)
        sigaddset(&signals->taken, forwarded[i]);
    sigprocmask(SIG_BLOCK, &signals->taken, &signals->mask);
    sigaction(SIGCHLD, &standard, &signals->child);
    sigaction(SIGPIPE, &ignored, &signals->pipe);
}

/* A signal of the terminal (sent by the kernel) reaches the program by itself: it is in the same
   foreground group. So has one that the program sent to its whole group. */
static void forward(const siginfo_t *signal, pid_t child)
{
    if (signal->si_code <= 0 && signal->si_pid != child)
        kill(child, signal->si_signo);
}

static int wait_for(pid_t child, const sigset_t *taken)
{
    int status;
    for (;;) {
        siginfo_t signal;
        pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child)
            return status;
        if (ended < 0 && errno != EINTR)
            err(STATUS_BROKEN, "waitpid");
        if (sigwaitinfo(taken, &signal) > 0 && signal.si_signo != SIGCHLD)
            forward(&signal, child);
    }
}

/* Starts the command. -1 where it could not be run, errno says why: the pipe closes by itself when
   execvp succeeds. */
static pid_t start(char **command, const struct signals *signals)
{
    int failure[2];
    int error = 0;
    if (pipe2(failure, O_CLOEXEC) != 0)
        err(STATUS_BROKEN, "pipe");
    pid_t child = fork();
    if (child < 0)
        err(STATUS_BROKEN, "fork");
    if (child == 0) {
        sigaction(SIGCHLD, &signals->child, NULL);
        sigaction(SIGPIPE, &signals->pipe, NULL);
        sigprocmask(SIG_SETMASK, &signals->mask, NULL);
        execvp(command[0], command);
        error = errno;
        ssize_t written = write(failure[1], &error, sizeof error);
        _exit(written == sizeof error ? STATUS_CANNOT_RUN : STATUS_BROKEN);
    }
    close(failure[1]);
    ssize_t got;
    do
        got = read(failure[0], &error, sizeof error);
    while (got < 0 && errno == EINTR);
    close(failure[0]);
    if (got != sizeof error)
        return child;
    waitpid(child, NULL, 0);
    errno = error;
    return -1;
}

/* The shell is to see what it would have seen without us. */
static int end_like(int status, const sigset_t *before)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    int signal = WTERMSIG(status);
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t only;
    prctl(PR_SET_DUMPABLE, 0); /* the core is the program's to dump, not ours */
    sigprocmask(SIG_SETMASK, before, NULL);
    sigaction(signal, &standard, NULL);
    sigemptyset(&only);
    sigaddset(&only, signal);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    kill(getpid(), signal);
    return 128 + signal;
}

static int cannot_run(const char *command)
{
    int status = errno == ENOENT || errno == ENOTDIR ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN;
    if (errno == ENOENT && !strchr(command, '/'))
        complain("%s: command not found", command);
    else
        complain_errno("%s", command);
    return status;
}

static int run(char **command, char **library, const struct log_place *place, bool quiet)
{
    struct signals signals;
    take_signals(&signals);
    char *path = preflight_find(command[0]);
    if (!path)
        return cannot_run(command[0]);
    bool asan = false;
    char *executable = preflight_program(path, library, &asan);
    free(path);
    bool recording = preflight_log(place, executable);
    free(executable);
    struct summary *summary = quiet || !place->pattern ? NULL : summary_begin(place);
    const char *others = getenv("LD_PRELOAD");
    if (asan || (others && (strstr(others, "libasan.so") || strstr(others, "libclang_rt.asan"))))
        allow_second();
    set_environment(*library, place, recording);
    pid_t child = start(command, &signals);
    int status = child < 0 ? cannot_run(command[0]) : wait_for(child, &signals.taken);
    if (summary)
        summary_end(summary, child > 0);
    return child < 0 ? status : end_like(status, &signals.mask);
}

static int run_with_library(char **command, const char *log, bool quiet)
{
    char *library = find_library();
    if (!library)
        return STATUS_BROKEN;
    int status = STATUS_BROKEN;
    struct log_place place = log_place(log);
    if (strpbrk(library, " :"))
        complain("%s: ld.so cannot preload a path with a space or a colon in it", library);
    else
        status = run(command, &library, &place, quiet);
    free(place.pattern);
    free(library);
    return status;
}

int tcpdiag_run(int argc, char **argv)
{
    static const struct option options[] = {{"log", required_argument, NULL, 'l'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *log = NULL;
    bool quiet = false;
    for (int option; (option = getopt_long(argc, argv, "+l:qh", options, NULL)) != -1;)
        switch (option) {
        case 'l':
            log = optarg;
            break;
        case 'q':
            quiet = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return finish_output(0);
        default:
            return STATUS_USAGE;
        }
    if (log && !*log) {
        complain("--log wants a file");
        return STATUS_USAGE;
    }
    if (optind == argc) {
        complain("run: no command; tcpdiag run --help says more");
        return STATUS_USAGE;
    }
    return run_with_library(argv + optind, log, quiet);
}
