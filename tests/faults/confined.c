/* SPDX-License-Identifier: MIT */
/*
 * confined HOW WHAT: puts a seccomp filter on itself that kills, by HOW (prctl, syscall, or prctl
 * by syscall), and then connects in the ways that programs do. WHAT is the number of one system
 * call that is forbidden, "only": all that this program does not use, "argument": getsockopt for
 * anything but SO_ERROR, or "strict": the strict mode, which leaves read, write and exit.
 * "refused": what the kernel refuses, so that no filter is there; "listener": a filter that allows
 * all, with a descriptor for its notifications. Both ways are gone then, whatever HOW is.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "tests/shim/scene.h"

#define NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)

static void apply(const char *how, unsigned operation, struct sock_fprog *program)
{
    long result;
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (strcmp(how, "prctl") == 0)
        result =
            prctl(PR_SET_SECCOMP,
                  operation == SECCOMP_SET_MODE_FILTER ? SECCOMP_MODE_FILTER : SECCOMP_MODE_STRICT,
                  program);
    else if (strcmp(how, "syscall") == 0)
        result = syscall(SYS_seccomp, operation, 0, program);
    else
        result = syscall(SYS_prctl, PR_SET_SECCOMP,
                         operation == SECCOMP_SET_MODE_FILTER ? SECCOMP_MODE_FILTER
                                                              : SECCOMP_MODE_STRICT,
                         program, 0, 0);
    CHECK(result == 0);
}

static void forbid(const char *how, unsigned number)
{
    struct sock_filter code[] = {
        NUMBER,
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        RETURN(SECCOMP_RET_KILL_PROCESS),
        RETURN(SECCOMP_RET_ALLOW),
    };
    apply(how, SECCOMP_SET_MODE_FILTER, &(struct sock_fprog){sizeof code / sizeof code[0], code});
}

/* What connects() and the end of main use. */
static const unsigned used[] = {
    SYS_socket, SYS_connect, SYS_getsockopt, SYS_close, SYS_exit_group,
#ifdef SYS_poll
    SYS_poll,
#else
    SYS_ppoll,
#endif
};
enum { USED = sizeof used / sizeof used[0] };

static void allow_only(const char *how)
{
    struct sock_filter code[2 * USED + 2];
    unsigned at = 0;
    code[at++] = (struct sock_filter)NUMBER;
    for (int i = 0; i < USED; i++) {
        code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, used[i], 0, 1);
        code[at++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
    }
    code[at++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
    apply(how, SECCOMP_SET_MODE_FILTER, &(struct sock_fprog){(unsigned short)at, code});
}

static void allow_only_so_error(const char *how)
{
    struct sock_filter code[] = {
        NUMBER,
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsockopt, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SO_ERROR, 1, 0),
        RETURN(SECCOMP_RET_KILL_PROCESS),
        RETURN(SECCOMP_RET_ALLOW),
    };
    apply(how, SECCOMP_SET_MODE_FILTER, &(struct sock_fprog){sizeof code / sizeof code[0], code});
}

/* Would cost each record if it were in force. */
static struct sock_filter no_fcntl[] = {
    NUMBER,
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 1),
    RETURN(SECCOMP_RET_ERRNO | EPERM),
    RETURN(SECCOMP_RET_ALLOW),
};
static struct sock_fprog no_fcntls = {sizeof no_fcntl / sizeof no_fcntl[0], no_fcntl};

static long seccomp(unsigned operation, unsigned flags, const void *program)
{
    return syscall(SYS_seccomp, operation, flags, program);
}

static void refused(int error, const void *program)
{
    CHECK(seccomp(SECCOMP_SET_MODE_FILTER, 0, program) == -1 && errno == error);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) == -1 && errno == error);
}

static int thread_ready[2];

/* A filter of its own: the other threads cannot be given theirs any more. */
static void *goes_its_own_way(void *nothing)
{
    struct sock_filter code[] = {RETURN(SECCOMP_RET_ALLOW)};
    CHECK(seccomp(SECCOMP_SET_MODE_FILTER, 0, &(struct sock_fprog){1, code}) == 0);
    CHECK(write(thread_ready[1], "", 1) == 1);
    for (;;)
        pause();
    return nothing;
}

static void is_refused(void)
{
    struct sock_filter far[] = {{BPF_JMP | BPF_JA, 0, 0, 0xffffffff}, RETURN(SECCOMP_RET_ALLOW)};
    struct sock_filter endless[] = {NUMBER};
    struct sock_fprog none = {0, far};
    struct sock_fprog nowhere = {2, (struct sock_filter *)8};
    pthread_t thread;
    char byte;
    for (unsigned flag = 0; flag < 64; flag++) /* what flags are there? libseccomp asks so */
        CHECK(seccomp(SECCOMP_SET_MODE_FILTER, flag, NULL) == -1);
    refused(EFAULT, NULL);
    refused(EFAULT, (void *)8);
    refused(EFAULT, &nowhere);
    refused(EINVAL, &none);
    refused(EINVAL, &(struct sock_fprog){2, far});
    refused(EINVAL, &(struct sock_fprog){1, endless});
    CHECK(seccomp(SECCOMP_SET_MODE_FILTER, 1U << 31, &no_fcntls) == -1 && errno == EINVAL);
    CHECK(seccomp(SECCOMP_SET_MODE_STRICT, 1, NULL) == -1 && errno == EINVAL);
    CHECK(seccomp(SECCOMP_SET_MODE_STRICT, 0, &none) == -1 && errno == EINVAL);
    CHECK(prctl(PR_SET_SECCOMP, 77, NULL) == -1 && errno == EINVAL);
    CHECK(pipe(thread_ready) == 0 && pthread_create(&thread, NULL, goes_its_own_way, NULL) == 0);
    CHECK(read(thread_ready[0], &byte, 1) == 1);
    CHECK(seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &no_fcntls) > 0);
}

static void has_a_listener(void)
{
    struct sock_filter code[] = {RETURN(SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {1, code};
    CHECK(seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program) > 0);
    for (int i = 0; i < 20; i++) /* one and the same, many times */
        CHECK(seccomp(SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
}

static void connects(const struct sockaddr_in *open, const struct sockaddr_in *closed)
{
    CHECK(to(tcp(0), closed) == -1 && errno == ECONNREFUSED);
    CHECK(to(tcp(0), open) == 0);
    int fd = in_progress(closed);
    wait_writable(fd);
    CHECK(so_error(fd) == ECONNREFUSED);
    close(fd);
    close(in_progress(open));
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: confined HOW WHAT\n");
        return 2;
    }
    struct sockaddr_in open = accepting();
    struct sockaddr_in closed = refusing();
    if (strcmp(argv[2], "strict") == 0) {
        apply(argv[1], SECCOMP_SET_MODE_STRICT, NULL);
        CHECK(write(1, "strict\n", 7) == 7);
        syscall(SYS_exit, 0);
    }
    if (strcmp(argv[2], "only") == 0) {
        allow_only(argv[1]);
    } else if (strcmp(argv[2], "refused") == 0) {
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        is_refused();
    } else if (strcmp(argv[2], "listener") == 0) {
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        has_a_listener();
    } else if (strcmp(argv[2], "argument") == 0) {
        allow_only_so_error(argv[1]);
    } else {
        forbid(argv[1], (unsigned)atoi(argv[2]));
    }
    connects(&open, &closed);
    return 0;
}
