/* SPDX-License-Identifier: MIT */
/* What an ELF file's headers say about preloading into it; elf(5). */
#ifndef TCPDIAG_TOOLS_RUN_ELF_H
#define TCPDIAG_TOOLS_RUN_ELF_H

#include <stdbool.h>

struct elf_facts {
    unsigned char class; /* ELFCLASS32, ELFCLASS64 */
    unsigned char data;  /* byte order */
    unsigned machine;
    bool interpreter; /* PT_INTERP: a dynamic loader starts it */
    bool go;          /* made by the Go compiler */
    bool asan;        /* it needs AddressSanitizer's runtime, a shared library */
};

/* False where fd is no ELF file, or one whose headers cannot be read. Of one in
   the other byte order only class and data are filled in. */
bool elf_read(int fd, struct elf_facts *facts);

#endif
