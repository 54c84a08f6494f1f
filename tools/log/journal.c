/* SPDX-License-Identifier: MIT */
#include "tools/log/journal.h"

#include <stdint.h>
#include <string.h>

#include "tools/base/util.h"

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
    entry->cause = tcpdiag_cause_by_name(entry->outcome, text(json, "cause"));
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

/* Between its records tcpdiag-probe --json writes what it was answered after a failure. */
static bool is_answer(const json_t *json)
{
    return json_object_size(json) == 1 &&
           (json_object_get(json, "dns") || json_object_get(json, "control") ||
            json_object_get(json, "trace"));
}

static const char no_json[] = "no JSON";

static const char *take_whole(struct journal *journal, const char *text, size_t length)
{
    struct logged entry = {0};
    json_error_t error;
    const char *problem = no_json;
    entry.json = json_loadb(text, length, JSON_ALLOW_NUL, &error);
    bool answer = entry.json && is_answer(entry.json);
    if (entry.json)
        problem = answer ? NULL : understand(&entry);
    if (!problem && !answer)
        journal->record(journal->context, &entry);
    json_decref(entry.json);
    return problem;
}

/* Every record begins so, and nowhere else can it stand: in a string the quotes are escaped. */
static const char mark[] = "{\"time\":\"";
enum { MARK = sizeof mark - 1 };

static const char *find_mark(const char *from, const char *end)
{
    const char *found = memmem(from, (size_t)(end - from), mark, MARK);
    return found ? found : end;
}

/* The text of a field that comes before any name, "" where it is torn off or too long for a field
   of ours. */
static const char *field(const char *text, size_t length, const char *key, char value[64])
{
    const char *end = text + length;
    const char *from = memmem(text, length, key, strlen(key));
    const char *quote = NULL;
    if (from) {
        from += strlen(key);
        quote = memchr(from, '"', (size_t)(end - from));
    }
    size_t size = quote && quote - from < 64 ? (size_t)(quote - from) : 0;
    memcpy(value, size ? from : "", size);
    value[size] = '\0';
    return value;
}

static void take_half(const struct journal *journal, const char *text, size_t length)
{
    char phase[64], attempt[64];
    struct torn half = {.attempt = field(text, length, ",\"attempt\":\"", attempt)};
    half.begin = strcmp(field(text, length, ",\"phase\":\"", phase), "begin") == 0;
    if (journal->torn)
        journal->torn(journal->context, &half);
}

/* A writer that is killed in write(2) leaves half a record, and the next one's is in the same line.
   No half is JSON: its last brace is missing. NULL where the line has only records and halves. */
static const char *take_broken(struct journal *journal, const char *line, size_t length)
{
    const char *end = line + length;
    const char *at = find_mark(line, end);
    const char *problem = NULL;
    size_t before = (size_t)(at - line);
    if (before > 0 && before < MARK && memcmp(line, mark, before) == 0)
        take_half(journal, line, before);
    else if (before > 0)
        problem = no_json;
    while (at < end) {
        const char *next = find_mark(at + 1, end);
        const char *wrong = take_whole(journal, at, (size_t)(next - at));
        if (wrong == no_json)
            take_half(journal, at, (size_t)(next - at));
        else if (wrong)
            problem = wrong;
        at = next;
    }
    return problem;
}

static const char *take_line(struct journal *journal, const char *line, size_t length)
{
    const char *problem = take_whole(journal, line, length);
    return problem == no_json ? take_broken(journal, line, length) : problem;
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

static void take_time(void *context, const struct logged *entry)
{
    char **time = context;
    if (!*time)
        *time = copy(entry->time);
}

char *journal_first_time(FILE *from)
{
    static char line[LINE_ROOM];
    enum { LINES = 100 }; /* a file that begins with so many others is no log of ours */
    char *time = NULL;
    long length;
    struct journal journal = {.record = take_time, .context = &time};
    for (int i = 0; !time && i < LINES && (length = get_line(from, line)) != EOF; i++)
        if (length < LINE_ROOM)
            take_line(&journal, line, (size_t)length);
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
