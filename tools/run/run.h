/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_TOOLS_RUN_RUN_H
#define TCPDIAG_TOOLS_RUN_RUN_H

/* The subcommand: argv[0] included; returns the exit status. */
int tcpdiag_run(int argc, char **argv);

#endif
