/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share: a claim that ends the process, and bytes taken one after another. */
#ifndef TCPDIAG_TESTS_FUZZ_H
#define TCPDIAG_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLAIM(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct input {
    const uint8_t *at;
    size_t left;
};

/* The next bytes as a number; of an input that has no more, zeros. */
static inline uint64_t take_number(struct input *input, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = 0;
        if (input->left > 0) {
            byte = *input->at++;
            input->left--;
        }
        number = number << 8 | byte;
    }
    return number;
}

/* A length of two bytes, and so many bytes in memory of exactly that size, where a sanitizer sees
   one too many being read. The caller's to free. */
static inline char *take_bytes(struct input *input, size_t *length)
{
    *length = take_number(input, 2) % 8192;
    if (*length > input->left)
        *length = input->left;
    char *bytes = malloc(*length + (*length == 0));
    CLAIM(bytes);
    memcpy(bytes, input->at, *length);
    input->at += *length;
    input->left -= *length;
    return bytes;
}

#endif
