/* SPDX-License-Identifier: MIT */
#include "tools/base/util.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe/base/wrap.h"
#include "shim/diagnosis/text.h"

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

/* How many bytes the character at a place has; shown: it may reach a terminal as it is. */
static size_t character(const char *at, bool *shown)
{
    uint32_t code;
    size_t length = tcpdiag_character((const unsigned char *)at, strlen(at), &code);
    *shown = length > 0 && !tcpdiag_is_control(code);
    return length > 0 ? length : 1;
}

void show(FILE *to, const char *text)
{
    while (*text) {
        bool shown;
        size_t length = character(text, &shown);
        for (; length > 0; length--, text++)
            fprintf(to, shown ? "%c" : "\\x%02x", (unsigned char)*text);
    }
}

char *quoted(const char *text)
{
    char *word;
    size_t size;
    bool all_shown = true;
    for (const char *at = text; *at;) {
        bool shown;
        at += character(at, &shown);
        all_shown = all_shown && shown;
    }
    if (*text && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                   "_./:=@%+,-")] == '\0')
        return copy(text);
    FILE *to = need(open_memstream(&word, &size));
    fputs(all_shown ? "'" : "$'", to); /* $'...' knows escapes: POSIX.1-2024, bash, ksh, zsh */
    while (*text) {
        bool shown;
        size_t length = character(text, &shown);
        if (*text == '\'' || (*text == '\\' && !all_shown))
            fputs(all_shown ? "'\\'" : "\\", to);
        for (; length > 0; length--, text++)
            fprintf(to, shown ? "%c" : "\\%03o", (unsigned char)*text);
    }
    putc('\'', to);
    if (fclose(to) != 0)
        need(NULL);
    return word;
}

/* One write: what others write to the same terminal stays out of the line. */
static void say(const char *pattern, va_list arguments, const char *reason)
{
    char *message, *line;
    size_t size;
    if (vasprintf(&message, pattern, arguments) < 0)
        err(STATUS_BROKEN, "out of memory");
    FILE *to = need(open_memstream(&line, &size));
    show(to, program_invocation_short_name);
    fputs(": ", to);
    show(to, message);
    fprintf(to, "%s%s\n", reason ? ": " : "", reason ? reason : "");
    if (fclose(to) != 0)
        need(NULL);
    fputs(line, stderr);
    free(message);
    free(line);
}

void complain(const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    say(pattern, arguments, NULL);
    va_end(arguments);
}

void complain_errno(const char *pattern, ...)
{
    int error = errno;
    va_list arguments;
    va_start(arguments, pattern);
    say(pattern, arguments, strerror(error));
    va_end(arguments);
    errno = error;
}

void put_document(const json_t *json)
{
    char *text = need(json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(9)));
    size_t length = strlen(text);
    uint32_t code;
    for (size_t at = 0, size; at < length; at += size) {
        size = tcpdiag_character((unsigned char *)text + at, length - at, &code);
        size = size > 0 ? size : 1;
        if (code > 0x20 && tcpdiag_is_control(code)) /* jansson escapes C0 itself */
            printf("\\u%04x", (unsigned)code);
        else
            fwrite(text + at, 1, size, stdout);
    }
    putchar('\n');
    free(text);
}

/* The text as show() shows it. The caller's to free. */
static char *shown_text(const char *text)
{
    char *shown;
    size_t size;
    FILE *to = need(open_memstream(&shown, &size));
    show(to, text);
    if (fclose(to) != 0)
        need(NULL);
    return shown;
}

void show_wrapped(FILE *to, const char *label, const char *text)
{
    char *indented = format("  %s ", label);
    char *plain = shown_text(text);
    /* A newline and the indent at the most for each byte, and the last newline. */
    size_t size = (strlen(plain) + 1) * (strlen(indented) + 2);
    char *lines = need(malloc(size));
    struct tcpdiag_out out = {lines, lines + size, false};
    wrap_text(&out, indented, plain);
    fwrite(lines, 1, (size_t)(out.at - lines), to);
    free(lines);
    free(plain);
    free(indented);
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
    complain_errno("standard output");
    return STATUS_USAGE;
}
