/* SPDX-License-Identifier: MIT */
/*
 * Where the log is: the rules of libtcpdiag(7), TCPDIAG_LOG and FILES. The library opens the path
 * that these rules name, and the tools look for it there.
 *
 * Pure: the environment and what lies in the file system are handed in. Thread-safe and
 * async-signal-safe.
 */
#ifndef TCPDIAG_LOG_PATH_H
#define TCPDIAG_LOG_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/diagnosis/text.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TCPDIAG_PATH_MAX 1024 /* of a log's path, its NUL included */

enum tcpdiag_log_kind { TCPDIAG_LOG_DEFAULT, TCPDIAG_LOG_STDERR, TCPDIAG_LOG_PATTERN };

/* What the value of TCPDIAG_LOG means; NULL: it is not set. */
enum tcpdiag_log_kind tcpdiag_log_kind(const char *setting);

/* A pattern is a row of pieces: %p the process, %e its executable, %h the host, %% a percent sign;
   another letter after a percent sign stands for itself, with the sign. */
enum tcpdiag_piece {
    TCPDIAG_PIECE_END,
    TCPDIAG_PIECE_LITERAL,
    TCPDIAG_PIECE_PID,
    TCPDIAG_PIECE_EXECUTABLE,
    TCPDIAG_PIECE_HOST,
};

/* The piece at *pattern, which then points behind it. literal: that piece's bytes. */
enum tcpdiag_piece tcpdiag_next_piece(const char **pattern, struct tcpdiag_text *literal);

/* A name as a part of a path: a host may have any, "../x" or "..", and leads to no other folder. */
void tcpdiag_put_part(struct tcpdiag_out *out, const struct tcpdiag_text *name);

/* Which part of a default path has to be the user's: from the folder that so many of its bytes
   name. there: that folder has to be there, as a home has. */
struct tcpdiag_own {
    size_t from;
    bool there;
};

/* The default place, which the library makes with its folders, by XDG_STATE_HOME and HOME, each
   NULL where it is not set (XDG Base Directory Specification: a relative one is to be ignored).
   path has room for TCPDIAG_PATH_MAX bytes. False where neither names a place, or one that fits. */
bool tcpdiag_first_default(char *path, struct tcpdiag_own *own, const char *state,
                           const char *home);

/* The default place where the first may not be used: in /tmp. */
#define TCPDIAG_SECOND_DEFAULT_MAX 64
void tcpdiag_second_default(char *path, uint32_t user);

/* What a folder's path leads to. */
struct tcpdiag_folder {
    enum { TCPDIAG_FOLDER_THERE, TCPDIAG_FOLDER_MISSING, TCPDIAG_FOLDER_UNKNOWN } state;
    uint32_t mode; /* as st_mode */
    uint32_t owner;
};
/* follow: a link is followed. */
typedef struct tcpdiag_folder tcpdiag_look(const char *path, bool follow);

/* Whether the folder is the user's own, and nobody else may make files in it. */
bool tcpdiag_folder_is_ours(const struct tcpdiag_folder *folder, uint32_t user);

/* Whether the library may use this folder of a default place, or make it: it uses no folder of
   somebody else's, nor one that is reached by such, since that would lead wherever that one likes;
   and it makes none for root in a user's home, which would lock the user out. own NULL: of the
   second place. folder is changed and restored. */
bool tcpdiag_may_use_default(char *folder, const struct tcpdiag_own *own, uint32_t user,
                             tcpdiag_look *look);

#ifdef __cplusplus
}
#endif
#endif
