/* SPDX-License-Identifier: MIT */
/* What a transfer of data tells of a connect. errno stays. Async-signal-safe. */
#ifndef TCPDIAG_TRANSFER_H
#define TCPDIAG_TRANSFER_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether this errno of a transfer is the end of a connection. */
bool tcpdiag_ends_connection(int error);

/* After a transfer, with something in flight; result as the call returned it. */
void tcpdiag_after_transfer(int fd, ssize_t result);

#endif
