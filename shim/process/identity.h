/* SPDX-License-Identifier: MIT */
/* Who writes a record. Async-signal-safe. */
#ifndef TCPDIAG_IDENTITY_H
#define TCPDIAG_IDENTITY_H

#include <stdint.h>

#include "shim/diagnosis/record.h"

/* Executable and host; its start is not set, see tcpdiag_image_start. */
extern struct tcpdiag_identity tcpdiag_identity;

/* Fills it in, once, at the start. */
void tcpdiag_identify(void);

/* The calling thread and its process; right in the child of a fork and of a vfork as well. */
int tcpdiag_pid(void);
int tcpdiag_pid_and_tid(int *tid);

/* `start` of struct tcpdiag_identity, which the child of a fork has one of its own of. */
uint64_t tcpdiag_image_start(void);

#endif
