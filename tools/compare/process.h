/* SPDX-License-Identifier: MIT */
/* What sets a process that still lives apart from this one, as far as /proc lets this user see. */
#ifndef TCPDIAG_TOOLS_COMPARE_PROCESS_H
#define TCPDIAG_TOOLS_COMPARE_PROCESS_H

#include <stdbool.h>

/* Both network namespaces can be seen, and they are two. */
bool process_other_network(long pid);

/* It runs as another user: its number, else -1. */
long process_other_user(long pid);

/* It is under a seccomp filter and this process is not. */
bool process_filtered(long pid);

/* "name=host:port" of its proxy variable that leads to this host (or address) and port, the
   caller's to free; NULL: none, or its environment may not be read. */
char *process_proxy(long pid, const char *host, const char *address, long port);

/* The "nameserver" and "search" words of its /etc/resolv.conf where they are not this process's
   own, the caller's to free; else NULL. */
char *process_resolver(long pid);

/* A rule of this network namespace that matches the packets of this user and drops or rejects them,
   the caller's to free; NULL: none, or the rules may not be read. */
char *rule_against(long uid);

#endif
