/* SPDX-License-Identifier: MIT */
/* The settings of libtcpdiag(7), read from the environment once, before main. */
#ifndef TCPDIAG_SETTINGS_H
#define TCPDIAG_SETTINGS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "shim/diagnosis/log_path.h"

enum tcpdiag_events { TCPDIAG_EVENTS_ALL, TCPDIAG_EVENTS_OUTCOMES, TCPDIAG_EVENTS_FAILURES };

struct tcpdiag_settings {
    _Atomic int ready; /* all of the others are set, and stay as they are */
    enum tcpdiag_events events;
    bool ipv6_recverr; /* may set IPV6_RECVERR on the program's connecting sockets */
    bool warn;         /* under `tcpdiag run`: one line to standard error may say what is lost */
    const char *complaint; /* what is wrong with them; NULL: nothing */
    bool to_stderr;
    bool default_place;          /* the log is ours to make, with its directories */
    char path[TCPDIAG_PATH_MAX]; /* "" where none can be named */
    struct tcpdiag_own own;      /* of a default path */
    char second_path[TCPDIAG_SECOND_DEFAULT_MAX]; /* the default place where path may not be used */
};

extern struct tcpdiag_settings tcpdiag_settings;

void tcpdiag_settings_init(void);

#endif
