/* SPDX-License-Identifier: MIT */
/* Where the log may be opened and made, and where it may not: the rules of libtcpdiag(7), FILES. */
#ifndef TCPDIAG_LOG_OPEN_H
#define TCPDIAG_LOG_OPEN_H

#include "shim/process/file.h"

struct tcpdiag_opened {
    int fd;
    const char *path; /* constant: of the settings */
    struct tcpdiag_status status;
};

/* Remembers which root folder the user's paths begin at. */
void tcpdiag_logfile_open_init(void);

/* Opens the log, close-on-exec, at the lowest number; makes it if it is missing. false: it cannot
   be had, or is not to be written. Async-signal-safe; errno is changed. */
bool tcpdiag_logfile_open(struct tcpdiag_opened *opened);

#endif
