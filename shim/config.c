/* SPDX-License-Identifier: MIT */
#include "shim/config.h"

#include <string.h>

#include "shim/diagnosis/text.h"
#include "shim/sink.h"
#include "shim/sys.h"

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

/* A name as a part of a path: a host may have any, "../x" or "..", and leads to no other folder. */
static void put_part(struct tcpdiag_out *out, const struct tcpdiag_text *name)
{
    bool dots = name->length <= 2 && memcmp(name->bytes, "..", name->length) == 0;
    for (size_t i = 0; i < name->length; i++)
        tcpdiag_put(out, dots || name->bytes[i] == '/' ? "_" : &name->bytes[i], 1);
}

/* %p pid, %e executable, %h host, %% a percent sign; another letter stands for itself. */
static void expand(struct tcpdiag_out *out, const char *pattern)
{
    for (; *pattern; pattern++) {
        if (*pattern != '%' || !pattern[1]) {
            tcpdiag_put(out, pattern, 1);
            continue;
        }
        switch (*++pattern) {
        case 'p':
            tcpdiag_put_number(out, (uint64_t)sys_getpid(), 1);
            break;
        case 'e':
            put_part(out, &tcpdiag_identity.executable);
            break;
        case 'h':
            put_part(out, &tcpdiag_identity.host);
            break;
        case '%':
            tcpdiag_put(out, pattern, 1);
            break;
        default:
            tcpdiag_put(out, pattern - 1, 2);
        }
    }
}

/* The XDG Base Directory Specification: a relative XDG_STATE_HOME is to be ignored. */
static void put_default_place(struct tcpdiag_out *out)
{
    const char *state = tcpdiag_setting("XDG_STATE_HOME");
    const char *home = tcpdiag_setting("HOME");
    if (state && state[0] == '/') {
        tcpdiag_put_string(out, state);
        tcpdiag_config.own_from = strlen(state);
    } else if (home && home[0] == '/') {
        tcpdiag_put_string(out, home);
        tcpdiag_config.own_from = strlen(home);
        tcpdiag_config.own_is_there = true;
        tcpdiag_put_literal(out, "/.local/state");
    } else {
        tcpdiag_put_string(out, tcpdiag_config.second_path);
        return;
    }
    tcpdiag_put_literal(out, "/tcpdiag/tcpdiag.jsonl");
}

static void name_second_path(void)
{
    char *path = tcpdiag_config.second_path;
    struct tcpdiag_out out = {path, path + sizeof tcpdiag_config.second_path - 1, false};
    tcpdiag_put_literal(&out, "/tmp/tcpdiag-");
    tcpdiag_put_number(&out, sys_geteuid(), 1);
    tcpdiag_put_literal(&out, "/tcpdiag.jsonl");
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

static void place_log(void)
{
    struct tcpdiag_out out = {tcpdiag_config.path,
                              tcpdiag_config.path + sizeof tcpdiag_config.path - 1, false};
    const char *log = tcpdiag_setting("TCPDIAG_LOG");
    if (log && strcmp(log, "stderr") == 0) {
        tcpdiag_config.to_stderr = true;
        return;
    }
    tcpdiag_config.default_place = !log || !log[0];
    if (tcpdiag_config.default_place) {
        name_second_path();
        put_default_place(&out);
        if (out.full) {
            out = (struct tcpdiag_out){tcpdiag_config.path, out.end, false};
            tcpdiag_put_string(&out, tcpdiag_config.second_path);
            *out.at = '\0';
        }
    } else {
        if (log[0] != '/')
            put_folder(&out);
        expand(&out, log);
    }
    if (out.full) {
        tcpdiag_config.path[0] = '\0';
        tcpdiag_sink_complain(
            "TCPDIAG_LOG is longer than this library can hold, or its folder is gone: nothing is "
            "logged");
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
