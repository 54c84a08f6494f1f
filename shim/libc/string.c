/* SPDX-License-Identifier: MIT */
/*
 * The functions of string.h that the library calls, or that the compiler calls in its place. A
 * program may have functions of its own by these names, and then libc's would not be the ones that
 * we reach: bash has its own getenv, others their own strlen, and what those do in a signal handler
 * or on a small stack nobody knows. Hidden, as everything here that is no hook.
 *
 * Only the library is linked with them; they are a byte at a time, which is enough for names, paths
 * and numbers. The buffers of a record are longer, and x86 has an instruction for those.
 */
#include <stddef.h>
#include <string.h>

/* Else the compiler takes the loop for what it is, and makes a call of the function to itself. */
#define A_LOOP() __asm__ volatile("")

#if defined(__x86_64__) || defined(__i386__)
/* True where it was done. The instruction takes some 20 ns to begin, a byte a fraction of one. */
static inline int copied_at_once(char *out, const char *in, size_t size)
{
    if (size < 32)
        return 0;
    __asm__ volatile("rep movsb" : "+D"(out), "+S"(in), "+c"(size) : : "memory");
    return 1;
}

static inline int set_at_once(char *out, int byte, size_t size)
{
    if (size < 32)
        return 0;
    __asm__ volatile("rep stosb" : "+D"(out), "+c"(size) : "a"(byte) : "memory");
    return 1;
}
#else
#define copied_at_once(out, in, size) 0
#define set_at_once(out, byte, size) 0
#endif

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    char *out = to;
    const char *in = from;
    if (copied_at_once(out, in, size))
        return to;
    for (; size > 0; size--) {
        *out++ = *in++;
        A_LOOP();
    }
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    char *out = to;
    const char *in = from;
    if ((size_t)(out - in) >= size)
        return memcpy(to, from, size);
    while (size > 0) {
        size--;
        out[size] = in[size];
        A_LOOP();
    }
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    char *out = to;
    if (set_at_once(out, byte, size))
        return to;
    for (; size > 0; size--) {
        *out++ = (char)byte;
        A_LOOP();
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *left = a;
    const unsigned char *right = b;
    for (; size > 0; size--, left++, right++) {
        if (*left != *right)
            return *left - *right;
        A_LOOP();
    }
    return 0;
}

void *memrchr(const void *start, int byte, size_t size)
{
    const unsigned char *at = start;
    while (size > 0)
        if (at[--size] == (unsigned char)byte)
            return (void *)&at[size];
    return NULL;
}

size_t strlen(const char *text)
{
    const char *at = text;
    while (*at) {
        at++;
        A_LOOP();
    }
    return (size_t)(at - text);
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

char *strchr(const char *text, int byte)
{
    while (*text && *text != (char)byte)
        text++;
    return *text == (char)byte ? (char *)text : NULL;
}

char *strrchr(const char *text, int byte)
{
    return memrchr(text, byte, strlen(text) + 1);
}

size_t strspn(const char *text, const char *bytes)
{
    size_t length = 0;
    while (text[length] && strchr(bytes, text[length]))
        length++;
    return length;
}
