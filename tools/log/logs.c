/* SPDX-License-Identifier: MIT */
#include "tools/log/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/file.h"
#include "tools/base/util.h"
#include "tools/log/logpath.h"

static bool read_stream(struct journal *journal, FILE *file, const char *path)
{
    if (!file) {
        file_complain(journal->who, path);
        return false;
    }
    bool read = journal_read(journal, file, path);
    fclose(file);
    return read;
}

/* What matches a pattern and is no log of the library's, which follows no link and writes only to
   regular files, is passed by: anybody may have put it there. */
static bool read_found(struct journal *journal, char **files)
{
    bool all = true, any = false;
    for (char **path = files; *path; path++) {
        FILE *file = file_stream(*path, O_NOFOLLOW);
        bool foreign = !file && (errno == ENOTSUP || errno == ELOOP || errno == EISDIR);
        all = read_stream(journal, file, *path) || foreign ? all : false;
        any = any || !foreign;
    }
    return all && any;
}

static bool read_default(struct journal *journal)
{
    struct log_place place = log_place(NULL);
    if (!place.pattern) {
        complain("%s: TCPDIAG_LOG is stderr: there is no log to read; name one, or - for "
                 "standard input",
                 journal->who);
        return false;
    }
    char **files = log_files(&place);
    if (!files[0])
        complain("%s: %s: no log there yet: tcpdiag run -- COMMAND makes one", journal->who,
                 place.pattern);
    bool all = read_found(journal, files);
    log_files_free(files);
    free(place.pattern);
    return all;
}

struct source {
    const char *path;
    char *first;
    int place;
};

static int compare_sources(const void *left, const void *right)
{
    const struct source *a = left;
    const struct source *b = right;
    int order = strcmp(a->first, b->first);
    return order ? order : a->place - b->place;
}

static bool read_named(struct journal *journal, const char *path)
{
    if (strcmp(path, "-") == 0)
        return journal_read(journal, stdin, "standard input");
    return read_stream(journal, file_named(path), path);
}

/* Of a regular file: what is read from a pipe is gone. */
static char *first_time(const char *path)
{
    FILE *file = file_stream(path, 0);
    char *time = file ? journal_first_time(file) : copy("");
    if (file)
        fclose(file);
    return time;
}

/* The oldest first, however a shell has sorted them (log, log.1): where a log was rotated between
   an attempt's begin and its end, the begin has to come first. */
static bool read_files(struct journal *journal, int count, char **paths)
{
    struct source *sources = need(calloc((size_t)count, sizeof *sources));
    bool all = true;
    for (int i = 0; i < count; i++)
        sources[i] = (struct source){paths[i], first_time(paths[i]), i};
    qsort(sources, (size_t)count, sizeof *sources, compare_sources);
    for (int i = 0; i < count; i++) {
        all = read_named(journal, sources[i].path) && all;
        free(sources[i].first);
    }
    free(sources);
    return all;
}

bool logs_read(struct journal *journal, int count, char **paths)
{
    return count == 0 ? read_default(journal) : read_files(journal, count, paths);
}
