/* SPDX-License-Identifier: MIT */
#include "tools/run/preflight.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "shim/diagnosis/log_path.h"
#include "tools/base/file.h"
#include "tools/base/util.h"
#include "tools/run/elf.h"

static bool runnable(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return false;
    if (S_ISREG(status.st_mode) && eaccess(path, X_OK) == 0)
        return true;
    errno = EACCES;
    return false;
}

/* The search of execvp(3): an empty element is the current folder, and a file that may not be run
   is remembered while the search goes on. */
char *preflight_find(const char *command)
{
    const char *at = getenv("PATH");
    int error = ENOENT;
    if (strchr(command, '/'))
        return runnable(command) ? copy(command) : NULL;
    if (!at)
        at = "/bin:/usr/bin";
    while (*command) {
        int length = (int)strcspn(at, ":");
        char *file = length ? format("%.*s/%s", length, at, command) : format("./%s", command);
        if (runnable(file))
            return file;
        if (errno == EACCES)
            error = EACCES;
        free(file);
        if (!at[length])
            break;
        at += length + 1;
    }
    errno = error;
    return NULL;
}

/* The interpreter that a #! line names, by the rules of execve(2); /bin/sh for a file without a
   form of its own, as execvp(3) has it. */
static char *interpreter_of(int fd)
{
    char line[256];
    ssize_t length = pread(fd, line, sizeof line - 1, 0);
    line[length > 0 ? length : 0] = '\0';
    if (strncmp(line, "#!", 2) != 0)
        return copy("/bin/sh");
    char *name = line + 2 + strspn(line + 2, " \t");
    name[strcspn(name, " \t\n")] = '\0';
    /* env(1) starts what it is asked to: that is the program that runs in the end. */
    char *argument = name + strlen(name) + 1;
    const char *base = strrchr(name, '/');
    if (base && strcmp(base, "/env") == 0 && argument < line + length) {
        argument += strspn(argument, " \t");
        argument[strcspn(argument, " \t\n")] = '\0';
        char *found = *argument && *argument != '-' ? preflight_find(argument) : NULL;
        if (found)
            return found;
    }
    return copy(name);
}

static void warn_of_privilege(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return;
    bool user = status.st_mode & S_ISUID && status.st_uid != geteuid();
    bool group =
        (status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && status.st_gid != getegid();
    if (user || group)
        complain("%s is set-%s-ID: the loader drops the preload, and nothing of it is seen", path,
                 user ? "user" : "group");
    else if (geteuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0)
        complain(
            "%s has file capabilities: the loader drops the preload, and nothing of it is seen",
            path);
}

/* Whether the loader of such a program takes the library; true where it cannot be told. */
static bool fits(const char *library, const struct elf_facts *program)
{
    struct elf_facts own;
    int fd = file_open(library, 0);
    bool known = fd >= 0 && elf_read(fd, &own);
    if (fd >= 0)
        close(fd);
    return !known || (own.class == program->class && own.data == program->data &&
                      own.machine == program->machine);
}

/* MACHINE/libtcpdiag.so in the library's folder, as //shim:MACHINE builds it; NULL without one. */
static char *library_for(const struct elf_facts *program, const char *library)
{
    static const struct {
        unsigned machine;
        const char *name;
    } machines[] = {
        {EM_386, "i386"}, {EM_AARCH64, "aarch64"}, {EM_RISCV, "riscv64"}, {EM_X86_64, "x86_64"}};
    const char *slash = strrchr(library, '/');
    for (size_t i = 0; slash && i < sizeof machines / sizeof machines[0]; i++) {
        if (machines[i].machine != program->machine)
            continue;
        char *path =
            format("%.*s/%s/libtcpdiag.so", (int)(slash - library), library, machines[i].name);
        if (access(path, R_OK) == 0 && fits(path, program))
            return path;
        free(path);
    }
    return NULL;
}

static void choose_library(const char *path, const struct elf_facts *program, char **library)
{
    char *other = fits(*library, program) ? NULL : library_for(program, *library);
    if (other) {
        free(*library);
        *library = other;
    } else if (!fits(*library, program)) {
        complain(
            "%s is of another architecture than %s: the loader ignores the preload, and nothing "
            "of it is seen",
            path, *library);
        return;
    }
    if (program->go)
        complain("%s is a Go program: pure Go never calls libc's connect, so its connects are not "
                 "seen",
                 path);
    if (!program->interpreter)
        complain("%s is statically linked: no library can be preloaded, and nothing of it is seen",
                 path);
}

char *preflight_program(const char *path, char **library, bool *asan)
{
    struct elf_facts program;
    char *file = copy(path);
    /* A script's interpreter may be a script (execve(2) follows four). */
    for (int depth = 0; depth < 5; depth++) {
        int fd = file_open(file, 0);
        if (fd < 0) {
            warn_of_privilege(file);
            if (runnable(file))
                complain("%s cannot be read: whether its connects will be seen is unknown", file);
            break;
        }
        bool is_elf = elf_read(fd, &program);
        if (is_elf) {
            warn_of_privilege(file);
            choose_library(file, &program, library);
            *asan = program.asan;
            close(fd);
            break;
        }
        char *interpreter = interpreter_of(fd);
        close(fd);
        free(file);
        file = interpreter;
    }
    /* What /proc/PID/exe will name: the file itself, not a link to it. */
    char *real = realpath(file, NULL);
    const char *slash = strrchr(real ? real : file, '/');
    char *name = copy(slash ? slash + 1 : file);
    free(real);
    free(file);
    return name;
}

/* NULL, or why no file can be made in the folder of path. */
static const char *folder_problem(const char *path, bool makes_folders)
{
    char *folder = copy(path);
    const char *problem = NULL;
    for (;;) {
        char *slash = strrchr(folder, '/');
        if (!slash)
            break;
        slash[slash == folder] = '\0';
        if (access(folder, W_OK | X_OK) == 0)
            break;
        if (errno == ENOENT && makes_folders && slash != folder)
            continue;
        problem = strerror(errno);
        break;
    }
    free(folder);
    return problem;
}

static const char *log_problem(const char *path, bool default_place)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return errno == ENOENT ? folder_problem(path, default_place) : strerror(errno);
    if (S_ISLNK(status.st_mode))
        return "is a symbolic link";
    if (S_ISDIR(status.st_mode))
        return "is a directory";
    if (S_ISFIFO(status.st_mode))
        return "is a FIFO";
    if (!S_ISREG(status.st_mode))
        return "is not a regular file";
    if (default_place && status.st_uid != geteuid())
        return "is another user's file";
    return access(path, W_OK) == 0 ? NULL : strerror(errno);
}

bool preflight_log(const struct log_place *place, const char *executable)
{
    struct stat status;
    if (!place->pattern)
        return true;
    char *path = log_path(place, (long)getpid(), executable);
    const char *problem = log_problem(path, place->default_place);
    if (strlen(path) >= TCPDIAG_PATH_MAX)
        problem = "is longer than the library can hold";
    if (problem)
        complain("the log cannot be written, nothing will be recorded: %s: %s", path, problem);
    else if (lstat(path, &status) == 0 && status.st_uid != geteuid())
        complain("the log %s is another user's file, who may read and change it", path);
    free(path);
    return !problem;
}
