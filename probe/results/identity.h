/* SPDX-License-Identifier: MIT */
/* What each record says about the process that writes it. */
#ifndef TCPDIAG_PROBE_IDENTITY_H
#define TCPDIAG_PROBE_IDENTITY_H

#include "shim/diagnosis/record.h"

/* Fills in who, pid, tid and a fresh attempt. */
void identity_sign(struct tcpdiag_record *record);

#endif
