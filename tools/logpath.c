/* SPDX-License-Identifier: MIT */
#include "tools/logpath.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tools/util.h"

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

/* The XDG Base Directory Specification: a relative XDG_STATE_HOME is to be ignored. */
static char *default_path(void)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (state && state[0] == '/')
        return format("%s/tcpdiag/tcpdiag.jsonl", state);
    if (home && home[0] == '/')
        return format("%s/.local/state/tcpdiag/tcpdiag.jsonl", home);
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

/* pid or executable "*": a pattern for glob(3), in which everything else stands for itself. */
static char *expand(const char *pattern, const char *pid, const char *executable, bool for_glob)
{
    char *path;
    size_t size;
    struct utsname host;
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
            put_literal(to, uname(&host) == 0 ? host.nodename : "", for_glob);
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

char **log_files(const struct log_place *place)
{
    glob_t found = {0};
    char *pattern = expand(place->pattern, "*", "*", true);
    int result = glob(pattern, 0, NULL, &found);
    free(pattern);
    if (result == GLOB_NOSPACE)
        need(NULL);
    size_t count = result == 0 ? found.gl_pathc : 0;
    char **files = need(calloc(count + 1, sizeof *files));
    for (size_t i = 0; i < count; i++)
        files[i] = copy(found.gl_pathv[i]);
    globfree(&found);
    return files;
}

void log_files_free(char **files)
{
    for (char **file = files; *file; file++)
        free(*file);
    free(files);
}
