/* SPDX-License-Identifier: MIT */
#include "tools/run/summary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "probe/base/terminal.h"
#include "tools/base/file.h"
#include "tools/base/util.h"
#include "tools/report/tally_text.h"

enum { FAILURES_SHOWN = 5 };

struct mark {
    char *path;
    struct stat status;
};

struct summary {
    const struct log_place *place;
    struct mark *marks;
    size_t count;
};

struct summary *summary_begin(const struct log_place *place)
{
    struct summary *summary = need(calloc(1, sizeof *summary));
    char **files = log_files(place);
    size_t count = 0;
    while (files[count])
        count++;
    summary->place = place;
    summary->marks = need(calloc(count + 1, sizeof *summary->marks));
    for (char **file = files; *file; file++) {
        struct mark *mark = &summary->marks[summary->count];
        if (lstat(*file, &mark->status) == 0 && S_ISREG(mark->status.st_mode))
            summary->marks[summary->count++].path = copy(*file);
    }
    log_files_free(files);
    return summary;
}

/* Where the file's new part begins: at 0 for a file that is new, or was rotated or cut meanwhile.
 */
static off_t mark_of(const struct summary *summary, const char *path, const struct stat *now)
{
    for (size_t i = 0; i < summary->count; i++) {
        const struct mark *mark = &summary->marks[i];
        if (strcmp(mark->path, path) == 0 && mark->status.st_ino == now->st_ino &&
            mark->status.st_dev == now->st_dev && mark->status.st_size <= now->st_size)
            return mark->status.st_size;
    }
    return 0;
}

static void add_record(void *context, const struct logged *entry)
{
    tally_add(context, entry);
}

static void add_torn(void *context, const struct torn *half)
{
    tally_torn(context, half);
}

static void read_new(const struct summary *summary, const char *path, struct journal *journal)
{
    struct stat status;
    FILE *file = file_stream(path, O_NOFOLLOW);
    if (!file && (errno == EACCES || errno == EPERM))
        complain_errno("%s", path);
    if (!file)
        return;
    if (fstat(fileno(file), &status) == 0 &&
        fseeko(file, mark_of(summary, path, &status), SEEK_SET) == 0)
        journal_read(journal, file, path);
    fclose(file);
}

static void show_failure(const struct group *group)
{
    char *verdict = group_verdict(group);
    char *head = format("tcpdiag: %lux %s  ", group->count, verdict);
    char *target = group_target(group, true);
    if (strlen(head) + strlen(target) > TERMINAL_WIDTH) {
        free(target);
        target = group_target(group, false);
    }
    fputs(head, stderr);
    show(stderr, target);
    putc('\n', stderr);
    char *advice = group_advice(group);
    show_wrapped(stderr, "next:", advice);
    free(advice);
    free(target);
    free(head);
    free(verdict);
}

static void show_summary(const struct tally *tally, const char *log)
{
    char *text = tally_text(tally);
    size_t failures = 0;
    fprintf(stderr, "tcpdiag: %s\n", text);
    free(text);
    for (size_t i = 0; i < tally->group_count; i++)
        if (group_failed(tally->groups[i]) && failures++ < FAILURES_SHOWN)
            show_failure(tally->groups[i]);
    if (failures > FAILURES_SHOWN)
        fprintf(stderr, "tcpdiag: and %zu more kinds of failure:\n  tcpdiag report %s\n",
                failures - FAILURES_SHOWN, log);
}

/* All that came since the start counts as the run's: a record does not say which run it belongs to,
   and the program's descendants, whose pids come and go, belong to it too. Another program that
   writes to the same log meanwhile is counted as well; --log with a file of its own keeps it out.
 */
static void summarize(const struct summary *summary)
{
    struct tally tally = {0};
    /* Lines would be counted from where the run began: a report names them better. */
    struct journal journal = {
        .who = "run",
        .record = add_record,
        .torn = add_torn,
        .context = &tally,
        .silent = true,
    };
    char **files = log_files(summary->place);
    for (char **file = files; *file; file++)
        read_new(summary, *file, &journal);
    tally_close(&tally);
    char *word = files[0] && !files[1] ? quoted(files[0]) : copy("LOG...");
    if (tally.attempts == 0)
        fputs("tcpdiag: no attempt was recorded\n", stderr);
    else
        show_summary(&tally, word);
    free(word);
    tally_free(&tally);
    log_files_free(files);
}

void summary_end(struct summary *summary, bool wanted)
{
    if (wanted)
        summarize(summary);
    for (size_t i = 0; i < summary->count; i++)
        free(summary->marks[i].path);
    free(summary->marks);
    free(summary);
}
