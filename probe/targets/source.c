/* SPDX-License-Identifier: MIT */
#include "probe/targets/source.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe/base/memory.h"
#include "probe/targets/lines.h"

struct source {
    struct source_options options;
    struct target *targets; /* of the command line */
    size_t target_count, at;
    struct lines *files[SOURCE_FILES_MAX];
    int file;
    bool again; /* after a rewind */
    uint64_t bad;
};

/* Whether -4 or -6 leaves something of the target. */
static bool wanted(const struct target *target, int family, char error[TARGET_ERROR_MAX])
{
    if (family == AF_UNSPEC || target->first.family == 0 || target->first.family == family)
        return true;
    snprintf(error, TARGET_ERROR_MAX, "%s: not an IPv%d address, and only those are wanted",
             target->host, family == AF_INET ? 4 : 6);
    return false;
}

/* Reads the target that begins at words[0]; returns how many words it has, 0: error says why not.
 */
static int read_target(char **words, int count, int family, struct target *target,
                       char error[TARGET_ERROR_MAX])
{
    const struct target_machine *machine = &target_this_machine;
    int used = 1;
    if (!target_parse(target, words[0], machine, error) || !wanted(target, family, error))
        return 0;
    if (target->range_count > 0)
        return used;
    if (count == 1) {
        snprintf(error, TARGET_ERROR_MAX, "%s: which port?", target->host);
        return 0;
    }
    do
        if (!target_add_ports(target, words[used++], machine, error))
            return 0;
    while (used < count && target_is_ports(words[used], machine));
    return used;
}

static bool read_words(struct source *source)
{
    char error[TARGET_ERROR_MAX];
    int count = source->options.word_count;
    source->targets = memory_new(((size_t)count + 1) * sizeof *source->targets);
    for (int at = 0; at < count;) {
        struct target *target = &source->targets[source->target_count++];
        int used = read_target(source->options.words + at, count - at, source->options.family,
                               target, error);
        if (used == 0) {
            warnx("%s", error);
            return false;
        }
        at += used;
    }
    return true;
}

static bool open_files(struct source *source)
{
    for (int i = 0; i < source->options.file_count; i++) {
        source->files[i] = lines_open(source->options.files[i]);
        if (!source->files[i]) {
            warn("%s", source->options.files[i]);
            return false;
        }
    }
    return true;
}

static void close_files(struct source *source)
{
    for (int i = 0; i < source->options.file_count; i++)
        if (source->files[i])
            lines_close(source->files[i]);
}

static void source_free(struct source *source)
{
    close_files(source);
    free(source->targets);
    free(source);
}

struct source *source_new(const struct source_options *options)
{
    struct source *source = memory_new(sizeof *source);
    source->options = *options;
    if (read_words(source) && open_files(source))
        return source;
    source_free(source);
    return NULL;
}

bool source_rewind(struct source *source)
{
    close_files(source);
    source->at = 0;
    source->file = 0;
    source->again = true;
    return open_files(source);
}

/* The target of one line, or none: an empty line and a comment are good as well. */
enum line { LINE_TARGET, LINE_EMPTY, LINE_BAD };

static enum line read_line(char *line, int family, struct target *target,
                           char error[TARGET_ERROR_MAX])
{
    char *words[TARGET_RANGES_MAX + 2];
    int count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(line, " \t\r\f\v", &rest); word && *word != '#';
         word = strtok_r(NULL, " \t\r\f\v", &rest)) {
        if (count == (int)(sizeof words / sizeof words[0])) {
            snprintf(error, TARGET_ERROR_MAX, "too many words");
            return LINE_BAD;
        }
        words[count++] = word;
    }
    if (count == 0)
        return LINE_EMPTY;
    int used = read_target(words, count, family, target, error);
    if (used > 0 && used < count) {
        /* What a word does wrong as a port of this line's host. */
        if (target_add_ports(target, words[used], &target_this_machine, error))
            snprintf(error, TARGET_ERROR_MAX, "more than one target in a line");
        return LINE_BAD;
    }
    return used > 0 ? LINE_TARGET : LINE_BAD;
}

static void say_bad(struct source *source, const struct lines *file, const char *error)
{
    if (source->again)
        return;
    source->bad++;
    warnx("%s:%llu: %s", lines_name(file), (unsigned long long)lines_number(file), error);
}

static enum source_next next_of_file(struct source *source, struct lines *file,
                                     struct target *target)
{
    char error[TARGET_ERROR_MAX];
    char *line;
    for (;;)
        switch (lines_next(file, &line)) {
        case LINES_LINE: {
            enum line what = read_line(line, source->options.family, target, error);
            if (what == LINE_TARGET)
                return SOURCE_TARGET;
            if (what == LINE_BAD)
                say_bad(source, file, error);
            break;
        }
        case LINES_BAD:
            say_bad(source, file, line);
            break;
        case LINES_LATER:
            return SOURCE_LATER;
        case LINES_FAILED:
            source->bad++;
            warn("%s", lines_name(file));
            return SOURCE_END;
        default:
            return SOURCE_END;
        }
}

enum source_next source_next(struct source *source, struct target *target)
{
    if (source->at < source->target_count) {
        *target = source->targets[source->at++];
        return SOURCE_TARGET;
    }
    for (; source->file < source->options.file_count; source->file++) {
        enum source_next next = next_of_file(source, source->files[source->file], target);
        if (next != SOURCE_END)
            return next;
    }
    return SOURCE_END;
}

int source_fd(const struct source *source)
{
    return source->file < source->options.file_count ? lines_fd(source->files[source->file]) : -1;
}

uint64_t source_bad(const struct source *source)
{
    return source->bad;
}

static uint64_t connects(const struct target *target)
{
    return (uint64_t)target->addresses * target_port_count(target);
}

static bool count_file(const struct source *source, const char *name, uint64_t *total)
{
    char error[TARGET_ERROR_MAX];
    struct target target;
    char *line;
    enum lines_next next;
    struct stat status;
    if (strcmp(name, "-") == 0 || stat(name, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    struct lines *file = lines_open(name);
    if (!file)
        return false;
    while ((next = lines_next(file, &line)) == LINES_LINE || next == LINES_BAD)
        if (next == LINES_LINE &&
            read_line(line, source->options.family, &target, error) == LINE_TARGET)
            *total += connects(&target);
    lines_close(file);
    return next == LINES_END;
}

uint64_t source_total(const struct source *source)
{
    uint64_t total = 0;
    for (size_t i = 0; i < source->target_count; i++)
        total += connects(&source->targets[i]);
    for (int i = 0; i < source->options.file_count; i++)
        if (!count_file(source, source->options.files[i], &total))
            return 0;
    return total;
}

static size_t label_bytes(const struct target *target)
{
    size_t length = strlen(target->host) + strlen(":65535");
    if (target->first.family == AF_INET)
        return target->addresses > 1 ? strlen("255.255.255.255:65535") : length;
    if (target->first.family == AF_INET6)
        return length + strlen("[]");
    return length + strlen(" [255.255.255.255]");
}

int source_widest(const struct source *source)
{
    size_t widest = 0;
    for (size_t i = 0; i < source->target_count; i++) {
        size_t length = label_bytes(&source->targets[i]);
        widest = length > widest ? length : widest;
    }
    return (int)widest;
}

bool source_many(const struct source *source)
{
    return source->options.file_count > 0 || source->target_count > 1 ||
           (source->target_count == 1 && connects(&source->targets[0]) > 1);
}
