/* SPDX-License-Identifier: MIT */
#include "tools/run/elf.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE_DATA ELFDATA2LSB
#else
#define NATIVE_DATA ELFDATA2MSB
#endif

static bool get(int fd, void *to, size_t size, uint64_t offset)
{
    return offset <= INT64_MAX && pread(fd, to, size, (off_t)offset) == (ssize_t)size;
}

/* The three headers, of either class as the 64-bit one. */

static bool get_header(int fd, bool wide, Elf64_Ehdr *to)
{
    Elf32_Ehdr narrow;
    if (wide)
        return get(fd, to, sizeof *to, 0);
    if (!get(fd, &narrow, sizeof narrow, 0))
        return false;
    to->e_machine = narrow.e_machine;
    to->e_phoff = narrow.e_phoff;
    to->e_phnum = narrow.e_phnum;
    to->e_phentsize = narrow.e_phentsize;
    to->e_shoff = narrow.e_shoff;
    to->e_shnum = narrow.e_shnum;
    to->e_shentsize = narrow.e_shentsize;
    to->e_shstrndx = narrow.e_shstrndx;
    return true;
}

static bool get_segment(int fd, bool wide, const Elf64_Ehdr *header, unsigned i, Elf64_Phdr *to)
{
    uint64_t at = header->e_phoff + (uint64_t)i * header->e_phentsize;
    Elf32_Phdr narrow;
    if (wide)
        return get(fd, to, sizeof *to, at);
    if (!get(fd, &narrow, sizeof narrow, at))
        return false;
    to->p_type = narrow.p_type;
    to->p_offset = narrow.p_offset;
    to->p_vaddr = narrow.p_vaddr;
    to->p_filesz = narrow.p_filesz;
    return true;
}

static bool get_section(int fd, bool wide, const Elf64_Ehdr *header, unsigned i, Elf64_Shdr *to)
{
    uint64_t at = header->e_shoff + (uint64_t)i * header->e_shentsize;
    Elf32_Shdr narrow;
    if (wide)
        return get(fd, to, sizeof *to, at);
    if (!get(fd, &narrow, sizeof narrow, at))
        return false;
    to->sh_name = narrow.sh_name;
    to->sh_offset = narrow.sh_offset;
    return true;
}

/* The linker puts the build id's note first: owner "Go\0\0" (cmd/internal/buildid/note.go). */
static bool go_note(int fd, const Elf64_Phdr *segment)
{
    struct {
        Elf64_Nhdr header;
        char owner[4];
    } note;
    return segment->p_filesz >= sizeof note && get(fd, &note, sizeof note, segment->p_offset) &&
           note.header.n_namesz == 4 && memcmp(note.owner, "Go\0", 4) == 0;
}

/* A Go program linked by the system's linker (cgo) has the note among others: its sections tell. */
static bool go_sections(int fd, bool wide, const Elf64_Ehdr *header)
{
    static const char *const names[] = {".note.go.buildid", ".gopclntab", ".go.buildinfo"};
    Elf64_Shdr strings;
    Elf64_Shdr section;
    if (header->e_shoff == 0 ||
        header->e_shentsize != (wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)) ||
        header->e_shstrndx >= header->e_shnum ||
        !get_section(fd, wide, header, header->e_shstrndx, &strings))
        return false;
    for (unsigned i = 0; i < header->e_shnum; i++) {
        char name[24] = "";
        if (!get_section(fd, wide, header, i, &section))
            return false;
        if (pread(fd, name, sizeof name - 1, (off_t)(strings.sh_offset + section.sh_name)) <= 0)
            continue;
        for (size_t n = 0; n < sizeof names / sizeof names[0]; n++)
            if (strcmp(name, names[n]) == 0)
                return true;
    }
    return false;
}

static bool get_dynamic(int fd, bool wide, uint64_t at, Elf64_Dyn *to)
{
    Elf32_Dyn narrow;
    if (wide)
        return get(fd, to, sizeof *to, at);
    if (!get(fd, &narrow, sizeof narrow, at))
        return false;
    to->d_tag = narrow.d_tag;
    to->d_un.d_val = narrow.d_un.d_val;
    return true;
}

/* Where in the file an address of the program is; 0 where it is in no segment. */
static uint64_t offset_of(int fd, bool wide, const Elf64_Ehdr *header, uint64_t address)
{
    Elf64_Phdr segment;
    for (unsigned i = 0; i < header->e_phnum && get_segment(fd, wide, header, i, &segment); i++)
        if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
            address - segment.p_vaddr < segment.p_filesz)
            return segment.p_offset + (address - segment.p_vaddr);
    return 0;
}

/* gcc's libasan.so.8, clang's libclang_rt.asan-x86_64.so. */
static bool asan_name(int fd, uint64_t at)
{
    char name[32] = "";
    return at <= INT64_MAX && pread(fd, name, sizeof name - 1, (off_t)at) > 0 &&
           (strncmp(name, "libasan.so", 10) == 0 || strncmp(name, "libclang_rt.asan", 16) == 0);
}

enum { DYNAMIC_MAX = 10000 };

static bool needs_asan(int fd, bool wide, const Elf64_Ehdr *header, const Elf64_Phdr *dynamic)
{
    size_t size = wide ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
    uint64_t names = 0;
    Elf64_Dyn one;
    for (int round = 0; round < 2; round++) /* the names' place, then the names */
        for (uint64_t i = 0; i < dynamic->p_filesz / size && i < DYNAMIC_MAX; i++) {
            if (!get_dynamic(fd, wide, dynamic->p_offset + i * size, &one) || one.d_tag == DT_NULL)
                break;
            if (round == 0 && one.d_tag == DT_STRTAB)
                names = offset_of(fd, wide, header, one.d_un.d_ptr);
            else if (round == 1 && names && one.d_tag == DT_NEEDED &&
                     asan_name(fd, names + one.d_un.d_val))
                return true;
        }
    return false;
}

bool elf_read(int fd, struct elf_facts *facts)
{
    unsigned char ident[EI_NIDENT];
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    memset(facts, 0, sizeof *facts);
    if (!get(fd, ident, sizeof ident, 0) || memcmp(ident, ELFMAG, SELFMAG) != 0)
        return false;
    facts->class = ident[EI_CLASS];
    facts->data = ident[EI_DATA];
    if (facts->data != NATIVE_DATA)
        return true;
    bool wide = facts->class == ELFCLASS64;
    if (!get_header(fd, wide, &header))
        return false;
    facts->machine = header.e_machine;
    /* As the kernel has it (load_elf_phdrs in fs/binfmt_elf.c): another size is no program. */
    if (header.e_phentsize != (wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
        return false;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        if (!get_segment(fd, wide, &header, i, &segment))
            return false;
        facts->interpreter = facts->interpreter || segment.p_type == PT_INTERP;
        facts->go = facts->go || (segment.p_type == PT_NOTE && go_note(fd, &segment));
        facts->asan = facts->asan ||
                      (segment.p_type == PT_DYNAMIC && needs_asan(fd, wide, &header, &segment));
    }
    facts->go = facts->go || go_sections(fd, wide, &header);
    return true;
}
