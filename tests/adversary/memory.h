/* SPDX-License-Identifier: MIT */
/*
 * What the scenes of `memory` share. A buffer ends where its mapping ends: who reads one byte more
 * than the kernel dies of it.
 */
#ifndef TCPDIAG_TESTS_MEMORY_H
#define TCPDIAG_TESTS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/shim/scene.h"

enum kind { PLAIN, CHECKED, MASKED, WIDE, WIDE_MASKED };

struct hook {
    const char *name;
    void *function; /* NULL: this C library has no such function */
    void (*play)(const struct hook *hook);
    enum kind kind;
};

/* The function of a hook, as one of this type. */
#define AS(type, parameters, hook) ((type(*) parameters)(hook)->function)

/* What the connects of this run are like when the call is made. Whatever they are, the program has
   not yet asked. */
enum state { IDLE, PENDING, FAILED, ESTABLISHED };
extern enum state state;

/* A TCP socket in that state; under a number of the caller's choice. */
int subject(void);
int subject_at(int number);

/* The error that the socket still has, and its end. */
void finish(int fd);

/* Where this may be connected to, by state. */
const struct sockaddr_in *address_for(enum state wanted);

void *at_end(size_t size);
void *copied(const void *bytes, size_t size);
#define TEXT(string) ((char *)copied(string, sizeof(string)))
#define UNTERMINATED(string) ((char *)copied(string, sizeof(string) - 1))
#define COPY(...) copied(&(__VA_ARGS__), sizeof(__VA_ARGS__))

/* Nothing is mapped there. */
void *nowhere(void);

/* The result and errno of a call, and bytes that it wrote. */
void say(const char *what, long result);
void show(const void *bytes, size_t size);
#define SAY(call) (errno = 77, say(#call, (long)(call)))

/* A pipe with a byte in it, and a pair of Unix sockets. */
int full_pipe(void);
void unix_pair(int ends[2]);

/* A Unix socket to which so many bytes have come, 'A' each, and a descriptor with them. */
int with_rights(size_t length);

/* What sendmsg and sendmmsg have in common: addresses and control data. */
void message_names(const struct hook *hook);
void message_controls(const struct hook *hook);

/* One for each function that is hooked, or for its family. */
void play_connect(const struct hook *hook);
void play_sendto(const struct hook *hook);
void play_sendmsg(const struct hook *hook);
void play_send(const struct hook *hook);
void play_write(const struct hook *hook);
void play_writev(const struct hook *hook);
void play_read(const struct hook *hook);
void play_readv(const struct hook *hook);
void play_recv(const struct hook *hook);
void play_recvfrom(const struct hook *hook);
void play_recvmsg(const struct hook *hook);
void play_getsockopt(const struct hook *hook);
void play_getpeername(const struct hook *hook);

void play_poll(const struct hook *hook);
void play_select(const struct hook *hook);
void play_epoll_ctl(const struct hook *hook);
void play_epoll_wait(const struct hook *hook);
void select_while_the_table_grows(void);
void select_with_a_smaller_table(void);
void select_with_a_short_set(void);

void play_getaddrinfo(const struct hook *hook);
void play_getaddrinfo_a(const struct hook *hook);
void play_gethostbyname(const struct hook *hook);
void play_gethostbyname2(const struct hook *hook);
void play_gethostbyname_r(const struct hook *hook);
void play_gethostbyname2_r(const struct hook *hook);

void play_clone(const struct hook *hook);
void play_daemon(const struct hook *hook);
void play_forkpty(const struct hook *hook);
void play_pidfd_getfd(const struct hook *hook);
void play_popen(const struct hook *hook);
void play_posix_spawn(const struct hook *hook);
void play_pthread_create(const struct hook *hook);
void play_recvmmsg(const struct hook *hook);
void play_sendmmsg(const struct hook *hook);
void play_socket(const struct hook *hook);
void play_system(const struct hook *hook);
void play_thrd_create(const struct hook *hook);
void play_unshare(const struct hook *hook);
void play_vfork(const struct hook *hook);

void play_execve(const struct hook *hook);
void play_execl(const struct hook *hook);
void play_fexecve(const struct hook *hook);
void play_fork(const struct hook *hook);
void play_abort(const struct hook *hook);
void play_exit(const struct hook *hook);
void play_prctl(const struct hook *hook);
void play_syscall(const struct hook *hook);

void play_close(const struct hook *hook);
void play_close_range(const struct hook *hook);
void play_shutdown(const struct hook *hook);
void play_dup(const struct hook *hook);
void play_dup2(const struct hook *hook);
void play_fcntl(const struct hook *hook);

#endif
