/* SPDX-License-Identifier: MIT */
/* The scenes of `memory` for lookups. Nobody is asked: names are numeric or in /etc/hosts. */
#define _GNU_SOURCE
#include <netdb.h>
#include <signal.h>

#include "tests/adversary/memory.h"

enum { BAD_FLAGS = 0x40000000 };

static void show_answers(int result, struct addrinfo *answers)
{
    for (struct addrinfo *at = result == 0 ? answers : NULL; at; at = at->ai_next) {
        printf("  %d %d ", at->ai_family, at->ai_socktype);
        show(at->ai_addr, at->ai_addrlen);
    }
    if (result == 0)
        freeaddrinfo(answers);
}

static void looked_up(const struct hook *hook, const char *name, const char *service,
                      const struct addrinfo *hints)
{
    struct addrinfo **answers = at_end(sizeof(void *));
    errno = 77;
    int result = AS(int, (const char *, const char *, const struct addrinfo *, struct addrinfo **),
                    hook)(name, service, hints, answers);
    say("getaddrinfo", result);
    show_answers(result, *answers);
}

void play_getaddrinfo(const struct hook *hook)
{
    int fd = subject();
    const struct addrinfo stream = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    const struct addrinfo bad = {.ai_flags = BAD_FLAGS};
    const struct addrinfo family = {.ai_family = 99};
    looked_up(hook, TEXT("127.0.0.1"), TEXT("80"), COPY(stream));
    looked_up(hook, TEXT("127.0.0.1"), NULL, COPY(stream));
    looked_up(hook, TEXT("::1"), TEXT("80"), NULL);
    looked_up(hook, TEXT("localhost"), NULL, NULL);
    looked_up(hook, TEXT("*"), TEXT("80"), COPY(stream));
    looked_up(hook, TEXT("x"), TEXT("80"), COPY(stream));
    looked_up(hook, TEXT(""), TEXT(""), COPY(stream));
    looked_up(hook, NULL, TEXT("80"), COPY(stream));
    looked_up(hook, NULL, TEXT("80"), NULL);
    looked_up(hook, NULL, NULL, NULL);
    looked_up(hook, NULL, NULL, nowhere());
    looked_up(hook, TEXT("127.0.0.1"), TEXT("80"), COPY(family));
    /* libc refuses the flags before it has looked at the names. */
    looked_up(hook, UNTERMINATED("name"), UNTERMINATED("service"), COPY(bad));
    looked_up(hook, UNTERMINATED("127."), UNTERMINATED("80"), COPY(bad));
    looked_up(hook, TEXT("name"), UNTERMINATED("80"), COPY(bad));
#if !defined(__GLIBC__) /* glibc looks for an asterisk first */
    looked_up(hook, nowhere(), nowhere(), COPY(bad));
#endif
    finish(fd);
}

void play_getaddrinfo_a(const struct hook *hook)
{
#if defined(__GLIBC__)
#define LOOKUP(hook) AS(int, (int, struct gaicb **, int, struct sigevent *), hook)
    int fd = subject();
    const struct addrinfo stream = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    const struct addrinfo bad = {.ai_flags = BAD_FLAGS};
    const struct gaicb first = {
        .ar_name = TEXT("127.0.0.1"), .ar_service = TEXT("80"), .ar_request = COPY(stream)};
    const struct gaicb second = {.ar_name = TEXT("::1")};
    const struct gaicb third = {.ar_name = UNTERMINATED("name"),
                                .ar_service = UNTERMINATED("service"),
                                .ar_request = COPY(bad)};
    struct gaicb *list[] = {COPY(first), NULL, COPY(second), COPY(third)};
    SAY(LOOKUP(hook)(GAI_WAIT, COPY(list), 4, NULL));
    for (int i = 0; i < 4; i++)
        if (list[i]) {
            printf("%d\n", list[i]->__return);
            show_answers(list[i]->__return, list[i]->ar_result);
        }
    SAY(LOOKUP(hook)(GAI_WAIT, NULL, 0, NULL));
    SAY(LOOKUP(hook)(GAI_WAIT, nowhere(), 0, NULL));
    SAY(LOOKUP(hook)(GAI_WAIT, nowhere(), -1, NULL));
    SAY(LOOKUP(hook)(99, nowhere(), 1, NULL));
    struct gaicb *none = NULL;
    SAY(LOOKUP(hook)(GAI_WAIT, COPY(none), 1, NULL));
    finish(fd);
#else
    printf("%s: nowhere but in glibc\n", hook->name);
#endif
}

static void show_host(const struct hostent *host)
{
    if (!host)
        return;
    printf("  %s, type %d\n", host->h_name, host->h_addrtype);
    for (char **at = host->h_addr_list; *at; at++)
        show(*at, (size_t)host->h_length);
}

void play_gethostbyname(const struct hook *hook)
{
    const char *const names[] = {"127.0.0.1", "localhost", "::1", "1.2.3.4.", "127.1"};
    int fd = subject();
    for (int i = 0; i < 5; i++) {
        errno = 77;
        struct hostent *host =
            AS(struct hostent *, (const char *), hook)(copied(names[i], strlen(names[i]) + 1));
        say(names[i], host != NULL);
        show_host(host);
        if (host) /* the name lies where the answer will be written */
            show_host(AS(struct hostent *, (const char *), hook)(host->h_name));
    }
    finish(fd);
}

void play_gethostbyname2(const struct hook *hook)
{
    const char *const names[] = {"127.0.0.1", "localhost", "::1"};
    const int families[] = {AF_INET, AF_INET6};
    int fd = subject();
    for (int i = 0; i < 6; i++) {
        const char *name = names[i % 3];
        errno = 77;
        struct hostent *host = AS(struct hostent *, (const char *, int),
                                  hook)(copied(name, strlen(name) + 1), families[i / 3]);
        say(name, host != NULL);
        show_host(host);
    }
    finish(fd);
}

struct reentrant {
    const struct hook *hook;
    int family; /* 0: the form without one */
};

static void asked(const struct reentrant *how, const char *name, char *buffer, size_t size,
                  int *h_error)
{
    struct hostent *host = at_end(sizeof *host);
    struct hostent **answer = at_end(sizeof *answer);
    errno = 77;
    int result =
        how->family == 0
            ? AS(int, (const char *, struct hostent *, char *, size_t, struct hostent **, int *),
                 how->hook)(name, host, buffer, size, answer, h_error)
            : AS(int,
                 (const char *, int, struct hostent *, char *, size_t, struct hostent **, int *),
                 how->hook)(name, how->family, host, buffer, size, answer, h_error);
    say("reentrant", result);
    printf("  answer %d, place for h_errno %d\n", *answer != NULL, h_error != NULL);
    if (result == 0)
        show_host(*answer);
}

static void asked_by(const struct reentrant *how)
{
    static const size_t sizes[] = {0, 1, 8, 64, 1024, 4096};
    int fd = subject();
    const char *numeric = how->family == AF_INET6 ? TEXT("::1") : TEXT("127.0.0.1");
    printf("family %d\n", how->family);
    for (int i = 0; i < 6; i++) {
        int *h_error = at_end(sizeof(int));
        *h_error = 77;
        asked(how, numeric, at_end(sizes[i]), sizes[i], h_error);
        printf("  h_errno %d\n", *h_error);
        *h_error = 77;
        asked(how, TEXT("localhost"), at_end(sizes[i]), sizes[i], h_error);
        printf("  h_errno %d\n", *h_error);
    }
    /* Nothing is written to h_errno where the answer is found, of glibc's an IPv4 address only. */
#if !defined(__GLIBC__)
    asked(how, numeric, at_end(4096), 4096, NULL);
    asked(how, numeric, at_end(4096), 4096, nowhere());
    if (how->family != AF_INET6) {
        asked(how, TEXT("localhost"), at_end(4096), 4096, NULL);
        asked(how, TEXT("localhost"), at_end(4096), 4096, nowhere());
    }
#else
    if (how->family != AF_INET6)
        asked(how, numeric, at_end(4096), 4096, NULL);
#endif
    /* The name lies where the answer is written. */
    char *both = at_end(1024);
    memset(both, 'x', 1024);
    strcpy(both, numeric);
    int h_error = 77;
    asked(how, both, both, 1024, &h_error);
    printf("  h_errno %d\n", h_error);
    finish(fd);
}

void play_gethostbyname_r(const struct hook *hook)
{
    const struct reentrant how = {hook, 0};
    asked_by(&how);
}

void play_gethostbyname2_r(const struct hook *hook)
{
    const struct reentrant four = {hook, AF_INET};
    const struct reentrant six = {hook, AF_INET6};
    asked_by(&four);
    asked_by(&six);
}
