/* SPDX-License-Identifier: MIT */
/* Any bytes as a program's file. */
#include <err.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "tools/run/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    struct elf_facts facts;
    struct elf_facts again;
    if (fd < 0)
        fd = memfd_create("program", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        err(2, "memfd");
    bool read = elf_read(fd, &facts);
    CLAIM(read == elf_read(fd, &again));
    CLAIM(!read || (size > 4 && memcmp(data, "\177ELF", 4) == 0));
    if (read) {
        CLAIM(facts.class == data[4] && facts.data == data[5]);
        CLAIM(facts.machine == again.machine && facts.interpreter == again.interpreter &&
              facts.go == again.go);
    }
    return 0;
}
