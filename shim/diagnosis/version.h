/* SPDX-License-Identifier: MIT */
/* The one place of the version: the library, the tools and every record have it from here. */
#ifndef TCPDIAG_VERSION_H
#define TCPDIAG_VERSION_H

#define TCPDIAG_VERSION "0.2.0"

#endif
