/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_COMPLAINT_H
#define TCPDIAG_COMPLAINT_H

/* One line to standard error, at most once in a process and only under `tcpdiag run`. what: at most
   200 bytes. Async-signal-safe; errno is changed. */
void tcpdiag_complain(const char *what);

#endif
