/* SPDX-License-Identifier: MIT */
#include "shim/process/settings.h"

#include <string.h>

#include "shim/diagnosis/text.h"
#include "shim/process/identity.h"
#include "shim/process/real.h"
#include "shim/process/sys.h"

struct tcpdiag_settings tcpdiag_settings;

/* The first one counts: a user mends one thing at a time. */
static void complain(const char *what)
{
    if (!tcpdiag_settings.complaint)
        tcpdiag_settings.complaint = what;
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
    struct tcpdiag_out out = {tcpdiag_settings.path,
                              tcpdiag_settings.path + sizeof tcpdiag_settings.path - 1, false};
    if (pattern[0] != '/')
        put_folder(&out);
    expand(&out, pattern);
    *out.at = '\0';
    if (!out.full)
        return;
    tcpdiag_settings.path[0] = '\0';
    complain("TCPDIAG_LOG is longer than this library can hold, or its folder is gone: nothing is "
             "logged");
}

static void place_by_default(void)
{
    struct tcpdiag_settings *config = &tcpdiag_settings;
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
        tcpdiag_settings.to_stderr = true;
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
        tcpdiag_settings.events = TCPDIAG_EVENTS_OUTCOMES;
    else if (strcmp(events, "failures") == 0)
        tcpdiag_settings.events = TCPDIAG_EVENTS_FAILURES;
    else
        complain("TCPDIAG_EVENTS is none of all, outcomes, failures: all are logged");
}

static bool switched_on(const char *name, const char *complaint)
{
    const char *value = tcpdiag_setting(name);
    if (!value || !value[0] || strcmp(value, "0") == 0)
        return false;
    if (strcmp(value, "1") == 0)
        return true;
    complain(complaint);
    return false;
}

void tcpdiag_settings_init(void)
{
    const char *warn = tcpdiag_setting("TCPDIAG_WARN");
    tcpdiag_settings.warn = warn && strcmp(warn, "1") == 0;
    place_log();
    choose_events();
    tcpdiag_settings.ipv6_recverr = switched_on(
        "TCPDIAG_IPV6_RECVERR", "TCPDIAG_IPV6_RECVERR is neither 0 nor 1: it stays off");
    atomic_store_explicit(&tcpdiag_settings.ready, 1, memory_order_release);
}
