/* SPDX-License-Identifier: MIT */
#include "tools/report/names.h"

#include <stdlib.h>
#include <string.h>

#include "tools/base/util.h"

bool names_have(const struct names *names, const char *word)
{
    for (unsigned i = 0; i < names->count; i++)
        if (strcmp(names->word[i], word) == 0)
            return true;
    return false;
}

char *names_text(const struct names *names)
{
    char *text;
    size_t size;
    FILE *to = need(open_memstream(&text, &size));
    for (unsigned i = 0; i < names->count; i++)
        fprintf(to, "%s%s", i ? ", " : "", names->word[i]);
    if (names->more)
        fputs(", ...", to);
    if (fclose(to) != 0)
        need(NULL);
    return text;
}
