/* SPDX-License-Identifier: MIT */
/* What each record says about the process that writes it. */
#ifndef TCPDIAG_IDENTITY_H
#define TCPDIAG_IDENTITY_H

#include "probe/targets/destinations.h"
#include "shim/diagnosis/record.h"

/* Fills in who, pid, tid and a fresh attempt. */
void identity_sign(struct tcpdiag_record *record);

/* Fills in the name that was asked for: an address stands for itself, written into text. */
void identity_name(struct tcpdiag_record *record, const struct name *name,
                   char text[TCPDIAG_ADDRESS_MAX]);

/* The record of a lookup; its texts live as long as the name and text. */
enum { IDENTITY_SERVICE_SIZE = 8 };
struct tcpdiag_record identity_lookup(const struct name *name, char text[IDENTITY_SERVICE_SIZE]);

#endif
