/* SPDX-License-Identifier: MIT */
/*
 * tcpdiag_own_address of shim/evidence/kernel.h, for a program that would see what is opened. A
 * process with threads opens nothing when a connect has failed, so what IPv6 needs is opened
 * before.
 */
#ifndef TCPDIAG_OWN_ADDRESS_H
#define TCPDIAG_OWN_ADDRESS_H

/* The list of this machine's IPv6 addresses (/proc/net/if_inet6, proc(5)), at the lowest free
   number; -1: there is no IPv6 here. */
int tcpdiag_addresses_open(void);

/* fd is such a list, and stays open. It is read by pread(2), and counts only in the network
   namespace in which it was opened. Called once, by a process with one thread. */
void tcpdiag_addresses_keep(int fd);

#endif
