/* SPDX-License-Identifier: MIT */
/* What the subcommands share: allocation that cannot fail, and text that a terminal may be shown.
 */
#ifndef TCPDIAG_TOOLS_BASE_UTIL_H
#define TCPDIAG_TOOLS_BASE_UTIL_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/* The exit statuses of the tools' own failures. */
enum { STATUS_USAGE = 2, STATUS_BROKEN = 125, STATUS_CANNOT_RUN = 126, STATUS_NOT_FOUND = 127 };

/* The pointer, or one line and the end of the process: nothing here can go on without memory. */
void *need(void *allocated);
char *copy(const char *string);
__attribute__((format(printf, 1, 2))) char *format(const char *pattern, ...);

/* Text from a log, and the name of a file or a host, is text from strangers: what acts on a
   terminal (tcpdiag_is_control) and what is no UTF-8 is shown as \xNN, byte by byte. */
void show(FILE *to, const char *text);

/* The same for a shell: one word that a person may paste. The caller's to free. */
char *quoted(const char *text);

/* warnx(3) and warn(3), the message as show() shows it. */
__attribute__((format(printf, 1, 2))) void complain(const char *pattern, ...);
__attribute__((format(printf, 1, 2))) void complain_errno(const char *pattern, ...);

/* A JSON document on standard output, a newline behind it; controls are escaped as in the log. */
void put_document(const json_t *json);

/* "  why: text ...", the text as show() shows it and broken between words (wrap_text). */
void show_wrapped(FILE *to, const char *label, const char *text);

/* The folder of this program's own file, by /proc; "." where that cannot be told. */
char *own_folder(void);

/* STATUS_USAGE where standard output could not be written, else status. */
int finish_output(int status);

#endif
