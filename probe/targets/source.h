/* SPDX-License-Identifier: MIT */
/*
 * Where targets come from: the words of the command line, then the lines of files. A line is read
 * when it is its turn. A bad line is named on standard error and counted; the others go on.
 */
#ifndef TCPDIAG_SOURCE_H
#define TCPDIAG_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/targets/target.h"

enum { SOURCE_FILES_MAX = 16 };

struct source_options {
    char **words; /* HOST PORT..., HOST:PORT, ... */
    int word_count;
    const char *files[SOURCE_FILES_MAX]; /* "-": standard input */
    int file_count;
    int family; /* AF_UNSPEC, or the only one that an address may have */
};

enum source_next { SOURCE_TARGET, SOURCE_LATER, SOURCE_END };

struct source;

/* Reads the words and opens the files. NULL: something in them is wrong, and was said. */
struct source *source_new(const struct source_options *options);

/* LATER: more will come through source_fd. */
enum source_next source_next(struct source *source, struct target *target);
int source_fd(const struct source *source);

/* Lines that were no target, files that could not be read to their end. */
uint64_t source_bad(const struct source *source);

/* Back to the first target; bad lines are not named again. False: a file has gone, and was said. */
bool source_rewind(struct source *source);

/* How many connects it will take, each name counted as one address; 0: that cannot be told before
   the end. Reads files that can be read twice, and leaves them as they were. */
uint64_t source_total(const struct source *source);

/* Room for each target of the command line as output_target writes it: "db:5432 [10.0.2.2]". */
int source_widest(const struct source *source);

/* More than one connect can come of it. */
bool source_many(const struct source *source);

#endif
