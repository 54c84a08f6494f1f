/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target where libFuzzer is not: over each file of its corpus, and over a fixed number
 * of mutations of them, the same ones in each run. It stops early after a few seconds and says so.
 *
 *   TARGET MUTATIONS CORPUS_FILE...
 *
 * The target runs in a child that shares its current input with us, so that whatever ends the child
 * (a claim, a signal, a sanitizer) the input is known: it is printed, and kept as crash-input in
 * TEST_UNDECLARED_OUTPUTS_DIR where bazel names one.
 */
#include <err.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 17, FILES_MAX = 256, SECONDS = 8, SHOWN = 256 };

struct shared {
    unsigned long runs;
    size_t size;
    uint8_t bytes[INPUT_MAX];
};

struct seed {
    size_t size;
    uint8_t *bytes;
};

static struct seed seeds[FILES_MAX];
static size_t seed_count;
static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

/* xorshift64: G. Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8 (2003). */
static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below ? state % below : 0;
}

static void read_seed(const char *path)
{
    FILE *file = fopen(path, "re");
    struct seed *seed = &seeds[seed_count++];
    if (!file)
        err(2, "%s", path);
    seed->bytes = malloc(INPUT_MAX);
    CLAIM(seed->bytes);
    seed->size = fread(seed->bytes, 1, INPUT_MAX, file);
    fclose(file);
}

static void run(struct shared *shared)
{
    /* Memory of exactly the input's size: what reads beyond it is seen. */
    uint8_t *bytes = malloc(shared->size + (shared->size == 0));
    CLAIM(bytes);
    memcpy(bytes, shared->bytes, shared->size);
    shared->runs++;
    LLVMFuzzerTestOneInput(bytes, shared->size);
    free(bytes);
}

static void insert(struct shared *shared, const uint8_t *bytes, size_t size)
{
    size_t at = draw(shared->size + 1);
    if (size > INPUT_MAX - shared->size)
        size = INPUT_MAX - shared->size;
    memmove(shared->bytes + at + size, shared->bytes + at, shared->size - at);
    memmove(shared->bytes + at, bytes, size);
    shared->size += size;
}

static void mutate(struct shared *shared)
{
    static const uint8_t telling[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '"',  '\\', '\n', '%',
                                      '{',  '}',  ':',  '0',  '-',  0xc0, 0xed, 0xf4, 0xe2};
    const struct seed *other = &seeds[draw(seed_count)];
    size_t at = draw(shared->size);
    size_t length = draw(shared->size - at + 1);
    uint8_t piece[256];
    switch (draw(7)) {
    case 0: /* one bit */
        if (shared->size)
            shared->bytes[at] ^= (uint8_t)(1U << draw(8));
        break;
    case 1: /* one byte that tells something to somebody */
        if (shared->size)
            shared->bytes[at] = telling[draw(sizeof telling)];
        break;
    case 2:
        piece[0] = telling[draw(sizeof telling)];
        insert(shared, piece, 1);
        break;
    case 3: /* a piece taken out */
        memmove(shared->bytes + at, shared->bytes + at + length, shared->size - at - length);
        shared->size -= length;
        break;
    case 4: /* a piece doubled */
        length = length < sizeof piece ? length : sizeof piece;
        memcpy(piece, shared->bytes + at, length);
        insert(shared, piece, length);
        break;
    case 5: /* a piece of another file */
        at = draw(other->size);
        insert(shared, other->bytes + at, draw(other->size - at + 1));
        break;
    default: /* cut short */
        shared->size = at;
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int run_all(struct shared *shared, unsigned long mutations)
{
    double end = now() + SECONDS;
    shared->size = 0;
    run(shared);
    for (size_t i = 0; i < seed_count; i++) {
        shared->size = seeds[i].size;
        memcpy(shared->bytes, seeds[i].bytes, seeds[i].size);
        run(shared);
    }
    for (unsigned long i = 0; i < mutations; i++) {
        const struct seed *seed = &seeds[draw(seed_count)];
        if (i % 64 == 0 && now() > end) {
            printf("stopped after %d seconds, at %lu of %lu mutations\n", SECONDS, i, mutations);
            break;
        }
        shared->size = seed->size;
        memcpy(shared->bytes, seed->bytes, seed->size);
        for (uint64_t steps = 1 + draw(6); steps > 0; steps--)
            mutate(shared);
        run(shared);
    }
    return 0;
}

static void keep(const struct shared *shared)
{
    const char *folder = getenv("TEST_UNDECLARED_OUTPUTS_DIR");
    char path[4096];
    printf("input %lu of %zu bytes:", shared->runs, shared->size);
    for (size_t i = 0; i < shared->size && i < SHOWN; i++)
        printf(" %02x", shared->bytes[i]);
    puts(shared->size > SHOWN ? " ..." : "");
    if (!folder || snprintf(path, sizeof path, "%s/crash-input", folder) >= (int)sizeof path)
        return;
    FILE *file = fopen(path, "we");
    if (!file)
        return;
    fwrite(shared->bytes, 1, shared->size, file);
    if (fclose(file) == 0)
        printf("kept as %s\n", path);
}

int main(int argc, char **argv)
{
    char *end = NULL;
    unsigned long mutations = argc > 2 ? strtoul(argv[1], &end, 10) : 0;
    if (argc < 3 || argc > 2 + FILES_MAX || *end)
        errx(2, "wants a number of mutations and 1 to %d files", FILES_MAX);
    for (int i = 2; i < argc; i++)
        read_seed(argv[i]);
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        err(2, "mmap");
    int status;
    pid_t child = fork();
    if (child < 0)
        err(2, "fork");
    if (child == 0)
        exit(run_all(shared, mutations));
    if (waitpid(child, &status, 0) != child)
        err(2, "waitpid");
    for (size_t i = 0; i < seed_count; i++)
        free(seeds[i].bytes);
    printf("%lu inputs\n", shared->runs);
    if (status == 0)
        return 0;
    keep(shared);
    return 1;
}
