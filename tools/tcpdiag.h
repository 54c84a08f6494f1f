/* SPDX-License-Identifier: MIT */
/* The subcommands: each gets its own arguments, argv[0] included, and returns the exit status. */
#ifndef TCPDIAG_TOOLS_TCPDIAG_H
#define TCPDIAG_TOOLS_TCPDIAG_H

int tcpdiag_run(int argc, char **argv);
int tcpdiag_report(int argc, char **argv);
int tcpdiag_probe(int argc, char **argv);

#endif
