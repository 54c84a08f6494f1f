/* SPDX-License-Identifier: MIT */
#include "shim/process/settings.h"

#include <string.h>

#include "shim/diagnosis/text.h"
#include "shim/log/log.h"
#include "shim/process/sys.h"

struct tcpdiag_config tcpdiag_config;
struct tcpdiag_identity tcpdiag_identity;

static char executable[256];
static struct utsname host;

static void identify(void)
{
    static char link[TCPDIAG_PATH_MAX];
    long length = sys_readlink("/proc/self/exe", link, sizeof link);
    const char *name = length > 0 ? memrchr(link, '/', (size_t)length) : NULL;
    if (name) {
        size_t size = (size_t)(link + length - ++name);
        if (size > sizeof executable)
            size = sizeof executable;
        memcpy(executable, name, size);
        tcpdiag_identity.executable = (struct tcpdiag_text){executable, size};
    }
    if (sys_uname(&host) == 0)
        tcpdiag_identity.host = (struct tcpdiag_text){host.nodename, strlen(host.nodename)};
}

static void expand(struct tcpdiag_out *out, const char *pattern)
{
    struct tcpdiag_text literal;
    for (;;) {
        switch (tcpdiag_next_piece(&pattern, &literal)) {
        case TCPDIAG_PIECE_END:
            return;
        case TCPDIAG_PIECE_LITERAL:
            tcpdiag_put(out, literal.bytes, literal.length);
            break;
        case TCPDIAG_PIECE_PID:
            tcpdiag_put_number(out, (uint64_t)sys_getpid(), 1);
            break;
        case TCPDIAG_PIECE_EXECUTABLE:
            tcpdiag_put_part(out, &tcpdiag_identity.executable);
            break;
        case TCPDIAG_PIECE_HOST:
            tcpdiag_put_part(out, &tcpdiag_identity.host);
        }
    }
}

/* The path is the user's, and so is the folder that it starts from: the program may go elsewhere.
 */
static void put_folder(struct tcpdiag_out *out)
{
    static char folder[TCPDIAG_PATH_MAX];
    if (sys_getcwd(folder, sizeof folder) <= 0 || folder[0] != '/') {
        out->full = true; /* deleted or out of reach */
        return;
    }
    tcpdiag_put_string(out, folder);
    tcpdiag_put_literal(out, "/");
}

static void place_by_pattern(const char *pattern)
{
    struct tcpdiag_out out = {tcpdiag_config.path,
                              tcpdiag_config.path + sizeof tcpdiag_config.path - 1, false};
    if (pattern[0] != '/')
        put_folder(&out);
    expand(&out, pattern);
    *out.at = '\0';
    if (!out.full)
        return;
    tcpdiag_config.path[0] = '\0';
    tcpdiag_sink_complain(
        "TCPDIAG_LOG is longer than this library can hold, or its folder is gone: nothing is "
        "logged");
}

static void place_by_default(void)
{
    struct tcpdiag_config *config = &tcpdiag_config;
    config->default_place = true;
    tcpdiag_second_default(config->second_path, sys_geteuid());
    if (!tcpdiag_first_default(config->path, &config->own, tcpdiag_setting("XDG_STATE_HOME"),
                               tcpdiag_setting("HOME")))
        config->path[0] = '\0';
}

static void place_log(void)
{
    const char *log = tcpdiag_setting("TCPDIAG_LOG");
    switch (tcpdiag_log_kind(log)) {
    case TCPDIAG_LOG_STDERR:
        tcpdiag_config.to_stderr = true;
        break;
    case TCPDIAG_LOG_PATTERN:
        place_by_pattern(log);
        break;
    case TCPDIAG_LOG_DEFAULT:
        place_by_default();
    }
}

static void choose_events(void)
{
    const char *events = tcpdiag_setting("TCPDIAG_EVENTS");
    if (!events || !events[0] || strcmp(events, "all") == 0)
        return;
    if (strcmp(events, "outcomes") == 0)
        tcpdiag_config.events = TCPDIAG_EVENTS_OUTCOMES;
    else if (strcmp(events, "failures") == 0)
        tcpdiag_config.events = TCPDIAG_EVENTS_FAILURES;
    else
        tcpdiag_sink_complain("TCPDIAG_EVENTS is none of all, outcomes, failures: all are logged");
}

static bool switched_on(const char *name, const char *complaint)
{
    const char *value = tcpdiag_setting(name);
    if (!value || !value[0] || strcmp(value, "0") == 0)
        return false;
    if (strcmp(value, "1") == 0)
        return true;
    tcpdiag_sink_complain(complaint);
    return false;
}

void tcpdiag_config_init(void)
{
    identify();
    const char *warn = tcpdiag_setting("TCPDIAG_WARN");
    tcpdiag_config.warn = warn && strcmp(warn, "1") == 0;
    place_log();
    choose_events();
    tcpdiag_config.ipv6_recverr = switched_on(
        "TCPDIAG_IPV6_RECVERR", "TCPDIAG_IPV6_RECVERR is neither 0 nor 1: it stays off");
    atomic_store_explicit(&tcpdiag_config.ready, 1, memory_order_release);
}
