/* SPDX-License-Identifier: MIT */
/* The settings of libtcpdiag(7), read from the environment once, before main. */
#ifndef TCPDIAG_CONFIG_H
#define TCPDIAG_CONFIG_H

#include <stdatomic.h>
#include <stdbool.h>

#include "shim/diagnosis/log_path.h"
#include "shim/diagnosis/record.h"

enum tcpdiag_events { TCPDIAG_EVENTS_ALL, TCPDIAG_EVENTS_OUTCOMES, TCPDIAG_EVENTS_FAILURES };

struct tcpdiag_config {
    _Atomic int ready; /* all of the others are set, and stay as they are */
    enum tcpdiag_events events;
    bool ipv6_recverr; /* may set IPV6_RECVERR on the program's connecting sockets */
    bool warn;         /* under `tcpdiag run`: one line to standard error may say what is lost */
    bool to_stderr;
    bool default_place;          /* the log is ours to make, with its directories */
    char path[TCPDIAG_PATH_MAX]; /* "" where none can be named */
    struct tcpdiag_own own;      /* of a default path */
    char second_path[TCPDIAG_SECOND_DEFAULT_MAX]; /* the default place where path may not be used */
};

extern struct tcpdiag_config tcpdiag_config;
extern struct tcpdiag_identity tcpdiag_identity;

void tcpdiag_config_init(void);

/* A variable of the environment, or NULL: by libc's secure_getenv(3) (real.c). */
const char *tcpdiag_setting(const char *name);

#endif
