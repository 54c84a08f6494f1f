/* SPDX-License-Identifier: MIT */
/*
 * walk make SEED COUNT [KIND...]     prints a script of COUNT random operations, of these kinds
 * walk play [SILENT4 SILENT6]        plays the script of standard input and prints what came of it
 * walk serve                         is the silent ports, until it is killed
 *
 * The first line of `play` goes to standard error: the ports of the accepting, refusing and silent
 * targets. The same script gives the same output whenever it is played.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/sequences/walk.h"
#include "tests/shim/scene.h"

enum { MOST_STEPS = 4096, SECONDS = 40 };

struct world world;
static struct step steps[MOST_STEPS];
static size_t step_count;
static __thread char depth[16]; /* a letter for each block that this is in: who prints */

void tell(const struct step *step, long result, const char *format, ...)
{
    int error = errno;
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    /* In one write, and nothing stays in a buffer that a fork would copy. */
    dprintf(STDOUT_FILENO, "%s%s %u %u %u = %ld %s%s%s\n", depth, step->operation->name,
            step->number, step->choice, step->variant, result, error ? strerrorname_np(error) : "",
            text[0] ? " " : "", text);
}

/* ---- the script ---- */

static const char *const kinds[] = {"plain", "blocking", "dup",    "fork",     "passing",
                                    "exec",  "thread",   "ranges", "fastopen", "foreign"};

static unsigned kind_named(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i], name) == 0)
            return 1U << i;
    fprintf(stderr, "walk: %s: no such kind of operation\n", name);
    exit(2);
}

static uint64_t random_state;

/* splitmix64: a seed means the same script with every C library. */
static unsigned below(unsigned limit)
{
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return limit > 0 ? (unsigned)((z ^ (z >> 31)) % limit) : 0;
}

static const struct operation *chosen(unsigned allowed)
{
    unsigned total = 0;
    for (size_t i = 0; i < operation_count; i++)
        total += operations[i].kind & allowed ? operations[i].weight : 0;
    unsigned left = below(total);
    for (size_t i = 0;; i++) {
        unsigned weight = operations[i].kind & allowed ? operations[i].weight : 0;
        if (left < weight)
            return &operations[i];
        left -= weight;
    }
}

/* The kernel gives the lowest numbers first: they are the ones that name something. */
static unsigned low_number(void)
{
    unsigned one = below(NUMBERS);
    unsigned other = below(NUMBERS);
    return one < other ? one : other;
}

static void make_script(unsigned long seed, long count, unsigned allowed)
{
    int blocks = 0;
    random_state = seed;
    for (long i = 0; i < count; i++) {
        const struct operation *operation = chosen(allowed);
        unsigned number = low_number();
        if (blocks > 0 && below(6) == 0) {
            puts("end 0 0 0");
            blocks--;
        }
        if (!operation->play && ++blocks > 2) {
            blocks--;
            continue;
        }
        printf("%s %u %u %u\n", operation->name, number, below(operation->choices),
               below(operation->variants));
    }
}

static const struct operation *named(const char *name)
{
    for (size_t i = 0; i < operation_count; i++)
        if (strcmp(operations[i].name, name) == 0)
            return &operations[i];
    return NULL;
}

static void read_script(void)
{
    char line[256];
    char name[32];
    for (int number = 1; fgets(line, sizeof line, stdin); number++) {
        struct step *step = &steps[step_count];
        if (line[0] == '#' || line[0] == '\n')
            continue;
        CHECK(step_count < MOST_STEPS);
        if (sscanf(line, "%31s %u %u %u", name, &step->number, &step->choice, &step->variant) !=
                4 ||
            !(step->operation = named(name)) || step->number >= NUMBERS ||
            step->choice >= step->operation->choices ||
            step->variant >= step->operation->variants) {
            fprintf(stderr, "walk: line %d is no step: %s", number, line);
            exit(2);
        }
        step_count++;
    }
}

/* ---- where it plays ---- */

static int bound_to(struct sockaddr_in6 *address, enum family family)
{
    struct sockaddr_in *four = (struct sockaddr_in *)address;
    socklen_t length = family == IPV6 ? sizeof *address : sizeof *four;
    int fd = socket(family == IPV6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    memset(address, 0, sizeof *address);
    if (family == IPV6)
        *address = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    else
        *four = loopback();
    CHECK(bind(fd, (struct sockaddr *)address, length) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)address, &length) == 0);
    return fd;
}

/* A listener whose queue is full: the next SYN is dropped. Not by libc's connect: this is not the
   walk's. */
static void make_silent(struct sockaddr_in6 *address, enum family family)
{
    CHECK(listen(bound_to(address, family), 0) == 0);
    for (int i = 0; i < 8; i++) {
        int fd = socket(family == IPV6 ? AF_INET6 : AF_INET,
                        SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        syscall(SYS_connect, fd, address,
                family == IPV6 ? sizeof *address : sizeof(struct sockaddr_in));
        struct pollfd one = {fd, POLLOUT, 0};
        struct timespec moment = {0, 100000000};
        if (syscall(SYS_ppoll, &one, 1, &moment, NULL, 0) == 0)
            return;
    }
    CHECK(!"the queue never filled");
}

static _Noreturn void serve(void)
{
    for (int family = 0; family < FAMILIES; family++)
        make_silent(&world.address[SILENT][family], family);
    printf("%d %d\n", ntohs(world.address[SILENT][IPV4].sin6_port),
           ntohs(world.address[SILENT][IPV6].sin6_port));
    fflush(stdout);
    for (;;)
        pause();
}

static void make_world(char **silent)
{
    for (int family = 0; family < FAMILIES; family++) {
        struct sockaddr_in6 *address = &world.address[SILENT][family];
        world.listener[family] = bound_to(&world.address[ACCEPTING][family], family);
        CHECK(fcntl(world.listener[family], F_SETFL, O_NONBLOCK) == 0);
        CHECK(listen(world.listener[family], 4096) == 0);
        bound_to(&world.address[REFUSING][family], family);
        if (silent) {
            *address = world.address[ACCEPTING][family];
            address->sin6_port = htons((uint16_t)atoi(silent[family]));
        } else {
            make_silent(address, family);
        }
        world.epoll[family] = epoll_create1(EPOLL_CLOEXEC);
    }
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, world.post) == 0);
    for (int target = 0; target < TARGETS; target++)
        fprintf(stderr, "%d %d%c", ntohs(world.address[target][IPV4].sin6_port),
                ntohs(world.address[target][IPV6].sin6_port), target < TARGETS - 1 ? ' ' : '\n');
}

/* The next descriptor is LOWEST: a script's first socket has number 0. */
static void fill_up(void)
{
    int fd = open("/dev/null", O_RDWR);
    CHECK(fd >= 0 && fd < LOWEST && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
    while (fd < LOWEST)
        CHECK((fd = dup(STDIN_FILENO)) >= 0);
    close(fd);
}

/* ---- playing ---- */

static void play_steps(size_t from, size_t end);

struct block {
    size_t from, end;
    char depth[sizeof depth];
};

static void deeper(char who)
{
    size_t length = strlen(depth);
    if (length + 2 < sizeof depth)
        memcpy(depth + length, (char[]){who, ' ', '\0'}, 3);
}

static void *in_thread(void *given)
{
    const struct block *block = given;
    memcpy(depth, block->depth, sizeof depth);
    deeper('t');
    play_steps(block->from, block->end);
    return NULL;
}

static void play_in_thread(size_t from, size_t end)
{
    pthread_t id;
    struct block block = {from, end, ""};
    memcpy(block.depth, depth, sizeof depth);
    CHECK(pthread_create(&id, NULL, in_thread, &block) == 0);
    pthread_join(id, NULL);
}

static void in_child(const struct step *step, size_t from, size_t end)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(SECONDS);
    if (step->choice == 2)
        kill(getpid(), SIGSTOP); /* until the parent has played */
    deeper('c');
    play_steps(from, end);
    if (step->variant)
        exit(0);
    _exit(0);
}

/* One of them at a time. choice 0: the child alone; 1: the child, then the parent the same; 2: the
   parent, then the child the same. */
static void play_in_child(const struct step *step, size_t from, size_t end)
{
    int status = 0;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        in_child(step, from, end);
    if (step->choice == 2) {
        CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
        play_steps(from, end);
        kill(child, SIGCONT);
    }
    CHECK(waitpid(child, &status, 0) == child);
    errno = 0;
    tell(step, status, "%s", "");
    if (step->choice == 1)
        play_steps(from, end);
}

/* The step that ends the block which begins at from; end where it was taken out. */
static size_t block_end(size_t from, size_t end)
{
    int open = 1;
    for (; from < end; from++) {
        const struct operation *operation = steps[from].operation;
        if (!operation->play)
            open += operation->kind ? 1 : -1;
        if (open == 0)
            break;
    }
    return from;
}

static void play_steps(size_t from, size_t end)
{
    for (size_t i = from; i < end; i++) {
        const struct step *step = &steps[i];
        const struct operation *operation = step->operation;
        errno = 0;
        if (operation->play) {
            operation->play(step);
        } else if (operation->kind) {
            i = block_end(i + 1, end);
            if (operation->kind == FORK)
                play_in_child(step, (size_t)(step - steps) + 1, i);
            else
                play_in_thread((size_t)(step - steps) + 1, i);
        }
    }
}

static int play_script(char **silent)
{
    alarm(SECONDS);
    signal(SIGPIPE, SIG_IGN);
    read_script();
    make_world(silent);
    fill_up();
    play_steps(0, step_count);
    dprintf(STDOUT_FILENO, "the next descriptor is %d\n", dup(STDIN_FILENO));
    return 0;
}

int main(int argc, char **argv)
{
    unsigned allowed = PLAIN;
    if (argc >= 4 && strcmp(argv[1], "make") == 0) {
        for (int i = 4; i < argc; i++)
            allowed |= kind_named(argv[i]);
        make_script(strtoul(argv[2], NULL, 10), strtol(argv[3], NULL, 10), allowed);
        return 0;
    }
    if ((argc == 2 || argc == 4) && strcmp(argv[1], "play") == 0)
        return play_script(argc == 4 ? argv + 2 : NULL);
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        serve();
    fprintf(stderr, "usage: walk make SEED COUNT [KIND...] | play [SILENT4 SILENT6] | serve\n");
    return 2;
}
