/* SPDX-License-Identifier: MIT */
/* The standalone prober, a program of its own. */
#ifndef TCPDIAG_TOOLS_BASE_PROBER_H
#define TCPDIAG_TOOLS_BASE_PROBER_H

/* Its path, the caller's to free; NULL after one line that says that it is missing. */
char *probe_program(void);

/* The subcommand: becomes the prober; argv[0] included; returns the exit status. */
int tcpdiag_probe(int argc, char **argv);

#endif
