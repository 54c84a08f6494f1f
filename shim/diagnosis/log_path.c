/* SPDX-License-Identifier: MIT */
#include "shim/diagnosis/log_path.h"

#include <string.h>
#include <sys/stat.h>

enum tcpdiag_log_kind tcpdiag_log_kind(const char *setting)
{
    if (!setting || !setting[0])
        return TCPDIAG_LOG_DEFAULT;
    return strcmp(setting, "stderr") == 0 ? TCPDIAG_LOG_STDERR : TCPDIAG_LOG_PATTERN;
}

enum tcpdiag_piece tcpdiag_next_piece(const char **pattern, struct tcpdiag_text *literal)
{
    const char *at = *pattern;
    const char *percent = strchr(at, '%');
    size_t length = percent ? (size_t)(percent - at) : strlen(at);
    literal->bytes = at;
    if (length > 0 || !at[0] || !at[1]) {
        literal->length = length > 0 ? length : strlen(at); /* a last percent sign */
        *pattern = at + literal->length;
        return literal->length > 0 ? TCPDIAG_PIECE_LITERAL : TCPDIAG_PIECE_END;
    }
    *pattern = at + 2;
    switch (at[1]) {
    case 'p':
        return TCPDIAG_PIECE_PID;
    case 'e':
        return TCPDIAG_PIECE_EXECUTABLE;
    case 'h':
        return TCPDIAG_PIECE_HOST;
    default:
        literal->length = at[1] == '%' ? 1 : 2;
        return TCPDIAG_PIECE_LITERAL;
    }
}

void tcpdiag_put_part(struct tcpdiag_out *out, const struct tcpdiag_text *name)
{
    bool dots = name->length <= 2 && memcmp(name->bytes, "..", name->length) == 0;
    for (size_t i = 0; i < name->length; i++)
        tcpdiag_put(out, dots || name->bytes[i] == '/' ? "_" : &name->bytes[i], 1);
}

bool tcpdiag_first_default(char *path, struct tcpdiag_own *own, const char *state, const char *home)
{
    struct tcpdiag_out out = {path, path + TCPDIAG_PATH_MAX - 1, false};
    own->there = !(state && state[0] == '/');
    const char *base = own->there ? home : state;
    if (!base || base[0] != '/')
        return false;
    own->from = strlen(base);
    tcpdiag_put_string(&out, base);
    if (own->there)
        tcpdiag_put_literal(&out, "/.local/state");
    tcpdiag_put_literal(&out, "/tcpdiag/tcpdiag.jsonl");
    *out.at = '\0';
    return !out.full;
}

void tcpdiag_second_default(char *path, uint32_t user)
{
    struct tcpdiag_out out = {path, path + TCPDIAG_SECOND_DEFAULT_MAX - 1, false};
    tcpdiag_put_literal(&out, "/tmp/tcpdiag-");
    tcpdiag_put_number(&out, user, 1);
    tcpdiag_put_literal(&out, "/tcpdiag.jsonl");
    *out.at = '\0';
}

bool tcpdiag_folder_is_ours(const struct tcpdiag_folder *folder, uint32_t user)
{
    return S_ISDIR(folder->mode) && folder->owner == user &&
           (folder->mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Whether a folder may be made here: in what is the user's own, or where all may and nobody can
   take another's away, as in /tmp. */
static bool may_make_in(const struct tcpdiag_folder *folder, uint32_t user)
{
    return S_ISDIR(folder->mode) &&
           (folder->owner == user ||
            (folder->owner == 0 && (folder->mode & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH)));
}

/* Whether all that is there of the path from the user's own folder on is the user's. */
static bool own_from_there_on(char *folder, const struct tcpdiag_own *own, uint32_t user,
                              tcpdiag_look *look)
{
    for (char *at = folder + own->from;; at++) {
        bool first = at == folder + own->from;
        char *slash = strchr(at, '/');
        at = slash ? slash : at + strlen(at);
        const char end = *at;
        *at = '\0';
        struct tcpdiag_folder here = look(folder, first);
        *at = end;
        if (here.state != TCPDIAG_FOLDER_THERE)
            return !first || !own->there;
        if (here.owner != user)
            return false;
        if (!end)
            return true;
    }
}

/* The nearest folder that is there, of a path whose last parts are missing. */
static struct tcpdiag_folder nearest(char *folder, tcpdiag_look *look)
{
    struct tcpdiag_folder here = look(folder, true);
    const size_t length = strlen(folder);
    char *slash;
    while (here.state == TCPDIAG_FOLDER_MISSING && (slash = strrchr(folder, '/')) &&
           slash != folder) {
        *slash = '\0';
        here = look(folder, true);
    }
    for (size_t at = strlen(folder); at < length; at += strlen(folder + at))
        folder[at] = '/';
    return here;
}

bool tcpdiag_may_use_default(char *folder, const struct tcpdiag_own *own, uint32_t user,
                             tcpdiag_look *look)
{
    if (own && !own_from_there_on(folder, own, user, look))
        return false;
    struct tcpdiag_folder here = look(folder, false);
    if (here.state == TCPDIAG_FOLDER_THERE)
        return tcpdiag_folder_is_ours(&here, user);
    if (here.state != TCPDIAG_FOLDER_MISSING)
        return false;
    here = nearest(folder, look);
    return here.state == TCPDIAG_FOLDER_THERE && may_make_in(&here, user);
}
