/* SPDX-License-Identifier: MIT */
#include "tools/log/logpath.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "shim/diagnosis/log_path.h"
#include "tools/base/util.h"

static char *double_percents(const char *path)
{
    char *doubled = need(malloc(2 * strlen(path) + 1));
    char *to = doubled;
    for (; *path; path++) {
        if (*path == '%')
            *to++ = '%';
        *to++ = *path;
    }
    *to = '\0';
    return doubled;
}

static struct tcpdiag_folder look(const char *path, bool follow)
{
    struct tcpdiag_folder folder = {TCPDIAG_FOLDER_THERE, 0, 0};
    struct stat status;
    if ((follow ? stat(path, &status) : lstat(path, &status)) == 0) {
        folder.mode = status.st_mode;
        folder.owner = status.st_uid;
    } else {
        folder.state = errno == ENOENT ? TCPDIAG_FOLDER_MISSING : TCPDIAG_FOLDER_UNKNOWN;
    }
    return folder;
}

/* Where the library writes now, or would. */
static void default_path(char *path)
{
    struct tcpdiag_own own;
    if (tcpdiag_first_default(path, &own, getenv("XDG_STATE_HOME"), getenv("HOME"))) {
        char *slash = strrchr(path, '/');
        *slash = '\0';
        bool may = tcpdiag_may_use_default(path, &own, geteuid(), look);
        *slash = '/';
        if (may)
            return;
    }
    tcpdiag_second_default(path, geteuid());
}

/* The program may change its folder before it first connects. */
static char *absolute(const char *pattern)
{
    char folder[PATH_MAX];
    if (pattern[0] == '/' || !getcwd(folder, sizeof folder))
        return copy(pattern);
    char *literal = double_percents(folder);
    char *path = format("%s/%s", literal, pattern);
    free(literal);
    return path;
}

struct log_place log_place(const char *explicit)
{
    struct log_place place = {NULL, false};
    char path[TCPDIAG_PATH_MAX];
    if (!explicit)
        explicit = getenv("TCPDIAG_LOG");
    if (!explicit)
        explicit = "";
    switch (tcpdiag_log_kind(explicit)) {
    case TCPDIAG_LOG_DEFAULT:
        default_path(path);
        place.pattern = double_percents(path);
        place.default_place = true;
        break;
    case TCPDIAG_LOG_PATTERN:
        place.pattern = absolute(explicit);
        break;
    case TCPDIAG_LOG_STDERR:
        break;
    }
    return place;
}

static void put_literal(FILE *to, const char *bytes, size_t length, bool for_glob)
{
    for (; length > 0; length--, bytes++) {
        if (for_glob && strchr("*?[\\", *bytes))
            putc('\\', to);
        putc(*bytes, to);
    }
}

static void put_host(FILE *to, bool for_glob)
{
    struct utsname host;
    char part[sizeof host.nodename];
    struct tcpdiag_out out = {part, part + sizeof part, false};
    if (uname(&host) != 0)
        return;
    const struct tcpdiag_text name = {host.nodename, strlen(host.nodename)};
    tcpdiag_put_part(&out, &name);
    put_literal(to, part, (size_t)(out.at - part), for_glob);
}

/* pid or executable "*": a pattern for glob(3), in which everything else stands for itself. */
static char *expand(const char *pattern, const char *pid, const char *executable, bool for_glob)
{
    char *path;
    size_t size;
    struct tcpdiag_text literal;
    FILE *to = need(open_memstream(&path, &size));
    for (enum tcpdiag_piece piece;
         (piece = tcpdiag_next_piece(&pattern, &literal)) != TCPDIAG_PIECE_END;) {
        if (piece == TCPDIAG_PIECE_LITERAL)
            put_literal(to, literal.bytes, literal.length, for_glob);
        else if (piece == TCPDIAG_PIECE_HOST)
            put_host(to, for_glob);
        else
            fputs(piece == TCPDIAG_PIECE_PID ? pid : executable, to);
    }
    if (fclose(to) != 0)
        need(NULL);
    return path;
}

char *log_path(const struct log_place *place, long pid, const char *executable)
{
    char *number = format("%ld", pid);
    char *path = expand(place->pattern, number, executable, false);
    free(number);
    return path;
}

struct paths {
    char **list; /* ended by NULL */
    size_t count;
};

/* Takes path over. */
static void add(struct paths *paths, char *path)
{
    if ((paths->count & (paths->count + 1)) == 0) /* doubles when full */
        paths->list = need(realloc(paths->list, (2 * paths->count + 2) * sizeof *paths->list));
    paths->list[paths->count++] = path;
    paths->list[paths->count] = NULL;
}

static int compare_paths(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* A backslash stands in front of what shall stand for itself. */
static bool literal(const char *part)
{
    for (; *part; part++) {
        if (*part == '*')
            return false;
        part += *part == '\\' && part[1];
    }
    return true;
}

static void take_backslashes(char *part)
{
    char *end = part;
    for (const char *at = part; *at; at++) {
        at += *at == '\\' && at[1];
        *end++ = *at;
    }
    *end = '\0';
}

static void add_literal(struct paths *to, const char *folder, const char *part)
{
    char *path = format("%s%s", folder, part);
    struct stat status;
    if (lstat(path, &status) == 0)
        add(to, path);
    else
        free(path);
}

/* Names that begin with a dot as well, which glob(3) passes by: a program may be called so. */
static void add_matches(struct paths *to, const char *folder, const char *part)
{
    DIR *directory = opendir(folder);
    for (struct dirent *one; directory && (one = readdir(directory));)
        if (strcmp(one->d_name, ".") != 0 && strcmp(one->d_name, "..") != 0 &&
            fnmatch(part, one->d_name, 0) == 0)
            add(to, format("%s%s", folder, one->d_name));
    if (directory)
        closedir(directory);
}

/* What the next part of the pattern leads to, from each of the paths. */
static struct paths next_paths(const struct paths *from, const char *slashes, char *part)
{
    struct paths to = {0};
    bool one = literal(part);
    if (one)
        take_backslashes(part);
    for (size_t i = 0; i < from->count; i++) {
        char *folder = format("%s%s", from->list[i], slashes);
        if (one)
            add_literal(&to, folder, part);
        else
            add_matches(&to, folder, part);
        free(folder);
    }
    return to;
}

char **log_files(const struct log_place *place)
{
    char *pattern = expand(place->pattern, "*", "*", true);
    struct paths paths = {0};
    add(&paths, copy(""));
    for (const char *at = pattern; *at && paths.count > 0;) {
        size_t slashes = strspn(at, "/");
        size_t length = strcspn(at + slashes, "/");
        char *between = format("%.*s", (int)slashes, at);
        char *part = format("%.*s", (int)length, at + slashes);
        struct paths next = next_paths(&paths, between, part);
        free(between);
        free(part);
        log_files_free(paths.list);
        paths = next;
        at += slashes + length;
    }
    free(pattern);
    if (paths.count > 0)
        qsort(paths.list, paths.count, sizeof *paths.list, compare_paths);
    return paths.list ? paths.list : need(calloc(1, sizeof *paths.list));
}

void log_files_free(char **files)
{
    for (char **file = files; *file; file++)
        free(*file);
    free(files);
}
