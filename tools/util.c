/* SPDX-License-Identifier: MIT */
#include "tools/util.h"

#include <err.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *need(void *allocated)
{
    if (!allocated)
        err(STATUS_BROKEN, "out of memory");
    return allocated;
}

char *copy(const char *string)
{
    return need(strdup(string));
}

char *format(const char *pattern, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, pattern);
    if (vasprintf(&text, pattern, arguments) < 0)
        err(STATUS_BROKEN, "out of memory");
    va_end(arguments);
    return text;
}

/* The length of the control character at a place, 0 where there is none: C0, DEL, C1, which some
   terminals obey (ECMA-48), and the marks that turn the direction of text (U+202A to U+202E, U+2066
   to U+2069), which can make one name look like another. */
static int control(const unsigned char *at)
{
    if (at[0] < 0x20 || at[0] == 0x7f)
        return 1;
    if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f)
        return 2;
    if (at[0] == 0xe2 && ((at[1] == 0x80 && at[2] >= 0xaa && at[2] <= 0xae) ||
                          (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9)))
        return 3;
    return 0;
}

void show(FILE *to, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        int length = control(at);
        if (length == 0)
            putc(*at++, to);
        for (; length > 0; length--)
            fprintf(to, "\\x%02x", *at++);
    }
}

/* How many columns show() takes for it, where each character is one wide. */
static int columns(const char *text)
{
    int count = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        int length = control(at);
        if (length > 0)
            count += 4 * length;
        else
            count += (*at & 0xc0) != 0x80;
        at += length > 0 ? length : 1;
    }
    return count;
}

void show_wrapped(FILE *to, const char *label, const char *text)
{
    int indent = fprintf(to, "  %s ", label);
    int column = indent;
    while (*text) {
        size_t word = strcspn(text, " ");
        char *piece = format("%.*s", (int)word, text);
        int width = columns(piece);
        if (column > indent && column + 1 + width > COLUMNS) {
            fprintf(to, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            putc(' ', to);
            column++;
        }
        show(to, piece);
        free(piece);
        column += width;
        text += word;
        text += strspn(text, " ");
    }
    putc('\n', to);
}

char *own_folder(void)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return copy(".");
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    return copy(path);
}

int finish_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    warn("standard output");
    return STATUS_USAGE;
}
