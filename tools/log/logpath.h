/* SPDX-License-Identifier: MIT */
/* Where the library writes its log, and which files it may have written, by the rules of
   shim/diagnosis/log_path.h. */
#ifndef TCPDIAG_TOOLS_LOG_LOGPATH_H
#define TCPDIAG_TOOLS_LOG_LOGPATH_H

#include <stdbool.h>

struct log_place {
    char *pattern;      /* absolute, with %p %e %h %%; NULL where the log is standard error */
    bool default_place; /* the shim makes its folders */
};

/* From explicit (--log), else TCPDIAG_LOG, else the default place. */
struct log_place log_place(const char *explicit);

/* The path for one process. */
char *log_path(const struct log_place *place, long pid, const char *executable);

/* All files that processes of this host may have written there, as they are now. NULL-terminated;
   each string and the list are the caller's to free. */
char **log_files(const struct log_place *place);

void log_files_free(char **files);

#endif
