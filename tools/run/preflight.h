/* SPDX-License-Identifier: MIT */
/* Looks at a program and a log before the start, and says on standard error, one line each, why
   less than everything will be seen. What cannot be seen must not be missing in silence. */
#ifndef TCPDIAG_TOOLS_RUN_PREFLIGHT_H
#define TCPDIAG_TOOLS_RUN_PREFLIGHT_H

#include <stdbool.h>

#include "tools/log/logpath.h"

/* The file that execvp(3) would run; NULL with errno ENOENT or EACCES where there is none. */
char *preflight_find(const char *command);

/* Warns about the program, a script's interpreter in its place; returns the base name of the file
   that the process will be running. *library, which is the caller's to free, becomes the one in
   MACHINE/ beside it where the program is another machine's (32-bit, say) and there is one. *asan:
   it needs AddressSanitizer's runtime. */
char *preflight_program(const char *path, char **library, bool *asan);

/* False, after it has said why, where nothing can be recorded. */
bool preflight_log(const struct log_place *place, const char *executable);

#endif
