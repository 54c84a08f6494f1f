/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_TOOLS_COMPARE_COMPARE_H
#define TCPDIAG_TOOLS_COMPARE_COMPARE_H

/* The subcommand: argv[0] included; returns the exit status. */
int tcpdiag_compare(int argc, char **argv);

#endif
