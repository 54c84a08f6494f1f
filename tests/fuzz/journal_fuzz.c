/* SPDX-License-Identifier: MIT */
/* Any bytes as a log: read to the end, every line a record or counted, every attempt in exactly one
   group. */
#include "tests/fuzz/fuzz.h"
#include "tools/base/util.h"
#include "tools/log/journal.h"
#include "tools/report/tally_text.h"

static void add_record(void *context, const struct logged *entry)
{
    tally_add(context, entry);
}

static void add_torn(void *context, const struct torn *half)
{
    tally_torn(context, half);
}

static void show_names(FILE *to, const struct names *names)
{
    char *text = names_text(names);
    show_wrapped(to, "names:", text);
    free(text);
}

static void show_group(FILE *to, const struct group *group)
{
    char *target = group_target(group, true);
    char *verdict = group_verdict(group);
    char *advice = group_advice(group);
    show(to, target);
    show(to, verdict);
    show_wrapped(to, "why:", group_meaning(group));
    show_wrapped(to, "next:", advice);
    show_names(to, &group->programs);
    show_names(to, &group->addresses);
    show_names(to, &group->senders);
    show_names(to, &group->errors);
    CLAIM(strcmp(group->first, group->last) <= 0);
    free(target);
    free(verdict);
    free(advice);
}

/* What a terminal is shown holds no control character of the log's. */
static void check_shown(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        CLAIM(((unsigned char)text[i] >= 32 && text[i] != 0x7f) || text[i] == 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tally tally = {0};
    struct journal journal = {
        .record = add_record, .torn = add_torn, .context = &tally, .silent = true};
    unsigned long sum = 0;
    char *shown;
    size_t shown_size;
    FILE *to = open_memstream(&shown, &shown_size);
    FILE *file = fmemopen((void *)data, size, "r");
    CLAIM(to);
    if (file) { /* an empty one cannot be opened everywhere */
        CLAIM(journal_read(&journal, file, "fuzz"));
        fclose(file);
    }
    tally_close(&tally);
    CLAIM(tally.attempts == tally.connected + tally.resolved + tally.failed + tally.abandoned +
                                tally.pending + tally.unknown);
    for (size_t i = 0; i < tally.group_count; i++) {
        sum += tally.groups[i]->count;
        show_group(to, tally.groups[i]);
    }
    CLAIM(sum == tally.attempts);
    char *text = tally_text(&tally);
    show(to, text);
    free(text);
    tally_free(&tally);
    fclose(to);
    check_shown(shown, shown_size);
    free(shown);
    return 0;
}
