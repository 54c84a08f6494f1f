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

enum { LONGEST_PATH = 1024 }; /* TCPDIAG_PATH_MAX in shim/config.h */

/* The rules of shim/log_open.c: the library writes to, and makes, no folder of somebody else's, nor
   by one. base: the user's own folder; there: it has to be there, as a home has. */
static bool library_may_use(const char *base, const char *file, bool there)
{
    struct stat status;
    char *folder = copy(file);
    char *last = strrchr(folder, '/');
    char *at = folder + strlen(base);
    *last = '\0';
    bool ours = true;
    while (ours) {
        char *next = at ? strchr(at, '/') : NULL;
        if (next)
            *next = '\0';
        bool found =
            (next == folder + strlen(base) ? stat(folder, &status) : lstat(folder, &status)) == 0;
        if (!found) {
            ours = next != folder + strlen(base) || !there;
            break;
        }
        ours = status.st_uid == geteuid();
        if (!next) {
            ours = ours && S_ISDIR(status.st_mode) && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
            break;
        }
        *next = '/';
        at = next + 1;
    }
    free(folder);
    return ours;
}

/* The XDG Base Directory Specification: a relative XDG_STATE_HOME is to be ignored. */
static char *default_path(void)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    char *path = NULL;
    bool may = false;
    if (state && state[0] == '/') {
        path = format("%s/tcpdiag/tcpdiag.jsonl", state);
        may = strlen(path) < LONGEST_PATH && library_may_use(state, path, false);
    } else if (home && home[0] == '/') {
        path = format("%s/.local/state/tcpdiag/tcpdiag.jsonl", home);
        may = strlen(path) < LONGEST_PATH && library_may_use(home, path, true);
    }
    if (may)
        return path;
    free(path);
    return format("/tmp/tcpdiag-%lu/tcpdiag.jsonl", (unsigned long)geteuid());
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
    if (!explicit)
        explicit = getenv("TCPDIAG_LOG");
    if (!explicit || !explicit[0]) {
        char *path = default_path();
        place.pattern = double_percents(path);
        place.default_place = true;
        free(path);
    } else if (strcmp(explicit, "stderr") != 0) {
        place.pattern = absolute(explicit);
    }
    return place;
}

static void put_literal(FILE *to, const char *bytes, bool for_glob)
{
    for (; *bytes; bytes++) {
        if (for_glob && strchr("*?[\\", *bytes))
            putc('\\', to);
        putc(*bytes, to);
    }
}

/* A host's name as a part of a path: put_part in shim/config.c. */
static void put_host(FILE *to, bool for_glob)
{
    struct utsname host;
    if (uname(&host) != 0)
        return;
    bool dots = strcmp(host.nodename, ".") == 0 || strcmp(host.nodename, "..") == 0;
    for (char *at = host.nodename; *at; at++)
        if (*at == '/' || dots)
            *at = '_';
    put_literal(to, host.nodename, for_glob);
}

/* pid or executable "*": a pattern for glob(3), in which everything else stands for itself. */
static char *expand(const char *pattern, const char *pid, const char *executable, bool for_glob)
{
    char *path;
    size_t size;
    FILE *to = need(open_memstream(&path, &size));
    for (; *pattern; pattern++) {
        char one[3] = {pattern[0], '\0', '\0'};
        if (pattern[0] != '%' || !pattern[1]) {
            put_literal(to, one, for_glob);
            continue;
        }
        switch (*++pattern) {
        case 'p':
            fputs(pid, to);
            break;
        case 'e':
            fputs(executable, to);
            break;
        case 'h':
            put_host(to, for_glob);
            break;
        case '%':
            putc('%', to);
            break;
        default:
            one[1] = *pattern;
            put_literal(to, one, for_glob);
        }
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
