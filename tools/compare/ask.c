/* SPDX-License-Identifier: MIT */
#include "tools/compare/ask.h"

#include <err.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/questions/dns_text.h"
#include "tools/base/prober.h"
#include "tools/base/util.h"

/* A log is written by strangers, and the prober takes more than addresses: a block of a log's own
   making must not become a scan. */
static bool is_address(const char *text)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    if (!*text || getaddrinfo(text, NULL, &hints, &list) != 0)
        return false;
    freeaddrinfo(list);
    return true;
}

static const struct probed *find(const struct comparison *comparison, const char *address,
                                 long port)
{
    for (size_t i = 0; i < comparison->probed_count; i++)
        if (comparison->probed[i].port == port &&
            strcmp(comparison->probed[i].address, address) == 0)
            return &comparison->probed[i];
    return NULL;
}

const struct probed *compare_probed(const struct comparison *comparison, const char *address,
                                    long port)
{
    const struct probed *found = find(comparison, address, port);
    return found && found->answered ? found : NULL;
}

static void want(struct comparison *comparison, const char *address, long port)
{
    if (port < 1 || port > 65535 || !is_address(address) || find(comparison, address, port))
        return;
    if ((comparison->probed_count & (comparison->probed_count + 1)) == 0) /* doubles when full */
        comparison->probed = need(realloc(comparison->probed, (2 * comparison->probed_count + 1) *
                                                                  sizeof *comparison->probed));
    comparison->probed[comparison->probed_count++] =
        (struct probed){.address = copy(address), .port = port, .message = copy("")};
}

static void take_answers(struct looked_up *lookup, const struct addrinfo *list)
{
    for (; list; list = list->ai_next) {
        char address[INET6_ADDRSTRLEN + 16];
        if (getnameinfo(list->ai_addr, list->ai_addrlen, address, sizeof address, NULL, 0,
                        NI_NUMERICHOST) != 0 ||
            names_have(&lookup->answers, address))
            continue;
        if (lookup->answers.count == NAMES_MAX) {
            lookup->answers.more = true;
            return;
        }
        lookup->answers.word[lookup->answers.count++] = copy(address);
    }
}

static char *explain(const char *name)
{
    static struct dns_result result;
    struct dns_request request = {.name = name, .family = AF_UNSPEC};
    char lines[DNS_LINES_MAX][DNS_LINE_SIZE];
    dns_ask(&request, &result);
    char *text = copy("");
    for (unsigned i = 0, count = dns_lines(&result, lines); i < count; i++) {
        char *longer = format("%s%s%s", text, i ? " " : "", lines[i]);
        free(text);
        text = longer;
    }
    return text;
}

static void look_up(struct comparison *comparison, const char *name)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    for (size_t i = 0; i < comparison->lookup_count; i++)
        if (strcmp(comparison->lookups[i].name, name) == 0)
            return;
    if ((comparison->lookup_count & (comparison->lookup_count + 1)) == 0)
        comparison->lookups = need(realloc(comparison->lookups, (2 * comparison->lookup_count + 1) *
                                                                    sizeof *comparison->lookups));
    struct looked_up *lookup = &comparison->lookups[comparison->lookup_count++];
    *lookup = (struct looked_up){.name = copy(name), .why = copy("")};
    lookup->gai = getaddrinfo(name, NULL, &hints, &list);
    if (lookup->gai == 0) {
        take_answers(lookup, list);
        freeaddrinfo(list);
    } else {
        free(lookup->why);
        lookup->why = explain(name);
    }
}

static const struct looked_up *looked_up(const struct comparison *comparison, const char *name)
{
    for (size_t i = 0; *name && i < comparison->lookup_count; i++)
        if (strcmp(comparison->lookups[i].name, name) == 0)
            return &comparison->lookups[i];
    return NULL;
}

/* The address that the program tried, and those that the name has now: they tell a host that fails
   from an address that is stale or a family that has no way. */
static void plan(struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->wanted; i++)
        if (*comparison->list[i]->server)
            look_up(comparison, comparison->list[i]->server);
    for (size_t i = 0; i < comparison->wanted; i++) {
        struct destination *destination = comparison->list[i];
        destination->lookup = looked_up(comparison, destination->server);
        if (!destination->connect)
            continue;
        want(comparison, destination->peer, destination->port);
        for (unsigned k = 0; destination->lookup && k < destination->lookup->answers.count; k++)
            want(comparison, destination->lookup->answers.word[k], destination->port);
    }
}

static void take_result(void *context, const struct logged *entry)
{
    struct comparison *comparison = context;
    if (!entry->end || !entry->connect)
        return;
    struct probed *probed = (struct probed *)find(comparison, entry->peer, entry->port);
    if (!probed)
        return;
    const char *message = json_string_value(json_object_get(entry->json, "message"));
    free(probed->message);
    *probed = (struct probed){.address = probed->address,
                              .port = probed->port,
                              .answered = true,
                              .outcome = entry->outcome,
                              .cause = entry->cause,
                              .ms = json_number_value(json_object_get(entry->json, "duration_ms")),
                              .message = copy(message ? message : "")};
}

/* A file rather than a pipe: the prober answers while it still reads. */
static FILE *targets(const struct comparison *comparison)
{
    FILE *file = need(tmpfile());
    for (size_t i = 0; i < comparison->probed_count; i++)
        fprintf(file, "%s %ld\n", comparison->probed[i].address, comparison->probed[i].port);
    fflush(file);
    rewind(file);
    return file;
}

static _Noreturn void become_prober(char *program, const char *wait, FILE *from, int to)
{
    char *arguments[] = {program, "--json", "-w", (char *)wait, "-f", "-", NULL};
    if (dup2(fileno(from), STDIN_FILENO) >= 0 && dup2(to, STDOUT_FILENO) >= 0)
        execv(program, arguments);
    complain_errno("%s", program);
    _exit(STATUS_BROKEN);
}

static bool run_prober(struct comparison *comparison, char *program)
{
    struct journal journal = {.who = "compare", .record = take_result, .context = comparison};
    FILE *from = targets(comparison);
    int ends[2], status = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        err(STATUS_BROKEN, "pipe");
    pid_t child = fork();
    if (child == 0)
        become_prober(program, comparison->wait, from, ends[1]);
    close(ends[1]);
    fclose(from);
    FILE *results = need(fdopen(ends[0], "r"));
    bool read = child > 0 && journal_read(&journal, results, "tcpdiag-probe");
    fclose(results);
    if (child < 0 || waitpid(child, &status, 0) != child)
        err(STATUS_BROKEN, "tcpdiag-probe");
    if (WIFEXITED(status) && WEXITSTATUS(status) != STATUS_USAGE &&
        WEXITSTATUS(status) != STATUS_BROKEN)
        return read;
    complain("compare: tcpdiag-probe did not do its work");
    return false;
}

bool compare_ask(struct comparison *comparison)
{
    bool asked = true;
    plan(comparison);
    if (comparison->probed_count > 0) {
        char *program = probe_program();
        asked = program && run_prober(comparison, program);
        free(program);
    }
    for (size_t i = 0; i < comparison->wanted; i++)
        comparison->list[i]->now =
            compare_probed(comparison, comparison->list[i]->peer, comparison->list[i]->port);
    return asked;
}
