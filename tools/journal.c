/* SPDX-License-Identifier: MIT */
#include "tools/journal.h"

#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/util.h"

/* More than TCPDIAG_RECORD_MAX, for the fields of later versions; a file without line ends, which
   is no log, must not fill the memory. */
enum { LINE_ROOM = 65536 };
enum { NAMED_LINES = 5 };

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

static long number(const json_t *object, const char *key, long most)
{
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value > 0 && value <= most ? (long)value : 0;
}

static const char *error_name(const json_t *json)
{
    static const char *const keys[] = {"errno", "gai", "h_errno"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (*text(json, keys[i]))
            return text(json, keys[i]);
    return "";
}

static bool either(const char *word, const char *yes, const char *no, bool *is)
{
    *is = strcmp(word, yes) == 0;
    return *is || strcmp(word, no) == 0;
}

/* NULL, or why it is no record. */
static const char *understand(struct logged *entry)
{
    const json_t *json = entry->json;
    if (!json_is_object(json))
        return "JSON, but no object";
    if (!either(text(json, "event"), "connect", "resolve", &entry->connect))
        return "its event is neither connect nor resolve";
    if (!either(text(json, "phase"), "end", "begin", &entry->end))
        return "its phase is neither begin nor end";
    entry->attempt = text(json, "attempt");
    if (!*entry->attempt)
        return "it has no attempt";
    entry->outcome = tcpdiag_outcome_by_name(text(json, "outcome"));
    if (entry->end && entry->outcome == TCPDIAG_OUTCOME_NONE)
        return "its outcome is none of this version's";
    entry->cause = tcpdiag_cause_by_name(text(json, "cause"));
    entry->time = text(json, "time");
    entry->host = text(json, "host.name");
    entry->executable = text(json, "process.executable.name");
    entry->server = text(json, "server.address");
    entry->peer = text(json, "network.peer.address");
    entry->error = error_name(json);
    entry->sender = text(json_object_get(json, "evidence"), "icmp.from");
    entry->pid = number(json, "process.pid", INT32_MAX);
    entry->port = number(json, "network.peer.port", 65535);
    entry->lost = (unsigned long)number(json, "lost", INT32_MAX);
    return NULL;
}

static const char *take_line(struct journal *journal, const char *line, size_t length)
{
    struct logged entry = {0};
    json_error_t error;
    const char *problem = "no JSON, or half a line";
    entry.json = json_loadb(line, length, JSON_ALLOW_NUL, &error);
    if (entry.json)
        problem = understand(&entry);
    if (!problem)
        journal->record(journal->context, &entry);
    json_decref(entry.json);
    return problem;
}

/* The length of the next line without its end, EOF at the end; what is beyond the room is read and
   dropped, and the length is then LINE_ROOM. */
static long get_line(FILE *from, char *line)
{
    long length = 0;
    int byte;
    while ((byte = getc_unlocked(from)) != EOF && byte != '\n')
        if (length < LINE_ROOM)
            line[length++] = (char)byte;
    return byte == EOF && length == 0 ? EOF : length;
}

char *journal_first_time(const char *path)
{
    static char line[LINE_ROOM];
    enum { LINES = 100 }; /* a file that begins with so many others is no log of ours */
    struct stat status;
    char *time = NULL;
    long length;
    FILE *file = stat(path, &status) == 0 && S_ISREG(status.st_mode) ? fopen(path, "re") : NULL;
    for (int i = 0; file && !time && i < LINES && (length = get_line(file, line)) != EOF; i++) {
        struct logged entry = {.json = json_loadb(line, (size_t)length, JSON_ALLOW_NUL, NULL)};
        if (entry.json && !understand(&entry))
            time = copy(entry.time);
        json_decref(entry.json);
    }
    if (file)
        fclose(file);
    return time ? time : copy("");
}

bool journal_read(struct journal *journal, FILE *from, const char *name)
{
    static char line[LINE_ROOM];
    long length;
    for (unsigned long at = 1; (length = get_line(from, line)) != EOF; at++) {
        const char *problem = length == LINE_ROOM ? "too long" : NULL;
        if (!problem && length > 0)
            problem = take_line(journal, line, (size_t)length);
        if (!problem)
            continue;
        if (journal->skipped++ < NAMED_LINES && !journal->silent)
            complain("%s: %s:%lu: not a tcpdiag record (%s)", journal->who, name, at, problem);
    }
    if (!ferror(from))
        return true;
    complain_errno("%s: %s", journal->who, name);
    return false;
}
