/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_TOOLS_REPORT_REPORT_H
#define TCPDIAG_TOOLS_REPORT_REPORT_H

/* The subcommand: argv[0] included; returns the exit status. */
int tcpdiag_report(int argc, char **argv);

#endif
