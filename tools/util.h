/* SPDX-License-Identifier: MIT */
/* What the subcommands share: allocation that cannot fail, and text that a terminal may be shown.
 */
#ifndef TCPDIAG_TOOLS_UTIL_H
#define TCPDIAG_TOOLS_UTIL_H

#include <stddef.h>
#include <stdio.h>

#define TCPDIAG_VERSION "0.1.0"

/* The exit statuses of the tools' own failures. */
enum { STATUS_USAGE = 2, STATUS_BROKEN = 125, STATUS_CANNOT_RUN = 126, STATUS_NOT_FOUND = 127 };

/* What output for people is kept to. */
enum { COLUMNS = 80 };

/* The pointer, or one line and the end of the process: nothing here can go on without memory. */
void *need(void *allocated);
char *copy(const char *string);
__attribute__((format(printf, 1, 2))) char *format(const char *pattern, ...);

/* Text from a log is text from strangers: control characters are shown as \xNN, byte by byte. */
void show(FILE *to, const char *text);

/* "  why: text ...", the text broken between words to stay within 80 columns. */
void show_wrapped(FILE *to, const char *label, const char *text);

/* The folder of this program's own file, by /proc; "." where that cannot be told. */
char *own_folder(void);

/* STATUS_USAGE where standard output could not be written, else status. */
int finish_output(int status);

#endif
