/* SPDX-License-Identifier: MIT */
/* The subcommands: each gets its own arguments, argv[0] included, and returns the exit status. */
#ifndef TCPDIAG_TOOLS_TCPDIAG_H
#define TCPDIAG_TOOLS_TCPDIAG_H

int tcpdiag_run(int argc, char **argv);
int tcpdiag_report(int argc, char **argv);
int tcpdiag_compare(int argc, char **argv);
int tcpdiag_probe(int argc, char **argv);

/* The prober's path, the caller's to free; NULL after one line that says that it is missing. */
char *probe_program(void);

#endif
