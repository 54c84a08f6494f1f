/* SPDX-License-Identifier: MIT */
/* Where else a host is asked: a web server is the likeliest to be open, 22 the next, and 1 (tcpmux)
   is closed on nearly every host: its reset is what is hoped for. */
#ifndef TCPDIAG_PROBE_USUAL_PORTS_H
#define TCPDIAG_PROBE_USUAL_PORTS_H

#include <stdint.h>

enum { USUAL_PORT_COUNT = 4 };

extern const uint16_t usual_ports[USUAL_PORT_COUNT];

#endif
