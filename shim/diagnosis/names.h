/* SPDX-License-Identifier: MIT */
/*
 * Symbolic names of error numbers, by table: strerrorname_np(3) is glibc 2.32 and later
 * only, and strerror(3) is neither async-signal-safe nor free of the locale.
 * Each returns NULL for a number that has no name here.
 */
#ifndef TCPDIAG_NAMES_H
#define TCPDIAG_NAMES_H

#ifdef __cplusplus
extern "C" {
#endif

const char *tcpdiag_errno_name(int error);     /* 111 -> "ECONNREFUSED" */
const char *tcpdiag_gai_name(int code);        /* EAI_NONAME -> "EAI_NONAME" */
const char *tcpdiag_h_errno_name(int h_error); /* 1 -> "HOST_NOT_FOUND" */

/* "port unreachable" for the (family, type, code) of an ICMP or ICMPv6 error. Never NULL. */
const char *tcpdiag_icmp_name(int family, int type, int code);

#ifdef __cplusplus
}
#endif
#endif
