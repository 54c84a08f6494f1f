/* SPDX-License-Identifier: MIT */
/* poll, select and epoll: where a program learns that a connect in flight has ended. */
#include <errno.h>

#include "shim/attempts/attempt.h"
#include "shim/attempts/flight.h"
#include "shim/attempts/in_flight.h"
#include "shim/hooks/undeclared.h"
#include "shim/process/real.h"
#include "shim/process/sys.h"

/* Attempts registered with an epoll before they were begun, so that we do not know under which
   data: this many are looked at whenever the epoll reports anything. SO_ERROR tells of the rest. */
enum { UNKNOWN_LOOKED_AT = 16 };

/* Attempts compared with what an epoll reported, in one call: thousands may be in flight. The next
   call goes on where this one stopped. */
enum { COMPARED = 64 };

/* The kernel takes 32 bits of the count, and has written to as many. */
static int after_poll(const struct pollfd *fds, nfds_t count, int ready)
{
    if (ready > 0 && TCPDIAG_IN_FLIGHT())
        for (unsigned i = 0; i < (unsigned)count; i++)
            if (fds[i].revents != 0)
                tcpdiag_seen_ready(fds[i].fd);
    return ready;
}

TCPDIAG_EXPORT int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    return after_poll(fds, count, REAL(poll)(fds, count, timeout));
}

TCPDIAG_EXPORT int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size)
{
    return after_poll(fds, count, REAL(__poll_chk)(fds, count, timeout, size));
}

TCPDIAG_EXPORT int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                         const sigset_t *mask)
{
    return after_poll(fds, count, REAL(ppoll)(fds, count, timeout, mask));
}

TCPDIAG_EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                               const sigset_t *mask, size_t size)
{
    return after_poll(fds, count, REAL(__ppoll_chk)(fds, count, timeout, mask, size));
}

#if defined(TCPDIAG_TIME64)
TCPDIAG_EXPORT int __ppoll64(struct pollfd *fds, nfds_t count, const void *timeout,
                             const sigset_t *mask)
{
    return after_poll(fds, count, REAL(__ppoll64)(fds, count, timeout, mask));
}

TCPDIAG_EXPORT int __ppoll_time64(struct pollfd *fds, nfds_t count, const void *timeout,
                                  const sigset_t *mask)
{
    return after_poll(fds, count, REAL(__ppoll_time64)(fds, count, timeout, mask));
}
#endif

/*
 * select's sets are as long as its count says (select(2)), but the kernel reads no bits beyond the
 * caller's table of descriptors (max_fds in fs/select.c), so that a program may say more than it
 * has. How long the table is the kernel does not tell; it is longer than each descriptor in it, and
 * never becomes shorter. So the bits are read up to one that is open, in this thread's table,
 * before the call begins: in the end the table may be longer.
 */
enum { BITS = 8 * sizeof(unsigned long) }; /* the shortest table (NR_OPEN_DEFAULT) */

static bool is_open(int fd)
{
    return sys_fcntl(fd, F_GETFD, 0) >= 0;
}

static unsigned in_flight(void)
{
    return atomic_load_explicit(tcpdiag_in_flight, memory_order_relaxed);
}

/* The highest number below count that an attempt has, -1: none; by the shorter of two ways. Going
   down through the numbers leaves second ones out. */
static int highest_attempt(int count)
{
    struct tcpdiag_attempt attempt;
    int highest = -1;
    if (in_flight() > (unsigned)count / 2) {
        while (--count >= BITS && highest < 0)
            if (tcpdiag_attempts_look(count, &attempt))
                highest = count;
        return highest;
    }
    for (unsigned at = 0; tcpdiag_attempts_next(&at, &attempt);) {
        if (attempt.fd < count && attempt.fd > highest)
            highest = attempt.fd;
        if (attempt.alias < count && attempt.alias > highest)
            highest = attempt.alias;
    }
    return highest;
}

/* The same, remembered while no attempt has begun since and the program asks for as many. */
static int highest_open(int count)
{
    enum { TRIES = 4 }; /* of numbers that another thread has closed, or has in its own table */
    const int most = (1 << 24) - 1;
    /* 16 bits of how many had begun, 24 of count, 24 of the number. */
    static _Atomic uint64_t found;
    const uint64_t asked = tcpdiag_numbers(0) << 48 | (uint64_t)(count < most ? count : most) << 24;
    const uint64_t before = atomic_load_explicit(&found, memory_order_relaxed);
    int highest = (int)(before & (unsigned)most);
    if ((before ^ asked) >> 24 == 0 && highest < count && is_open(highest))
        return highest;
    highest = count;
    for (int tries = 0; tries < TRIES && (highest = highest_attempt(highest)) >= BITS; tries++)
        if (is_open(highest)) {
            if (highest <= most)
                atomic_store_explicit(&found, asked | (unsigned)highest, memory_order_relaxed);
            return highest;
        }
    return BITS - 1;
}

/* So many bits of each set the kernel will read for certain, among them those of all attempts. */
static int bits_to_read(int count)
{
    int saved = errno;
    if (count > BITS && !is_open(count - 1))
        count = highest_open(count) + 1;
    errno = saved;
    return count;
}

struct sets {
    const unsigned long *in, *out, *except;
};

static unsigned long word_of(const struct sets *sets, int word)
{
    return (sets->in ? sets->in[word] : 0) | (sets->out ? sets->out[word] : 0) |
           (sets->except ? sets->except[word] : 0);
}

static void see_attempt(const struct sets *sets, int count, int fd)
{
    if (fd >= 0 && fd < count && word_of(sets, fd / BITS) & 1UL << fd % BITS)
        tcpdiag_seen_ready(fd);
}

/* count: as bits_to_read has said. The shorter way through both is taken. */
static int after_select(int count, struct sets sets, int ready)
{
    struct tcpdiag_attempt attempt;
    if (ready <= 0 || count <= 0)
        return ready;
    if (2 * in_flight() < (unsigned)ready + (unsigned)count / BITS) {
        for (unsigned at = 0; tcpdiag_attempts_next(&at, &attempt);) {
            see_attempt(&sets, count, attempt.fd);
            see_attempt(&sets, count, attempt.alias);
        }
        return ready;
    }
    for (int word = 0; word * BITS < count; word++)
        for (unsigned long bits = word_of(&sets, word); bits != 0; bits &= bits - 1) {
            int fd = word * BITS + __builtin_ctzl(bits);
            if (fd < count)
                tcpdiag_seen_ready(fd);
        }
    return ready;
}

#define SELECT(call)                                                                               \
    const struct sets sets = {(const unsigned long *)in, (const unsigned long *)out,               \
                              (const unsigned long *)except};                                      \
    int bits = TCPDIAG_IN_FLIGHT() ? bits_to_read(count) : 0;                                      \
    return after_select(bits, sets, call)

TCPDIAG_EXPORT int select(int count, fd_set *in, fd_set *out, fd_set *except,
                          struct timeval *timeout)
{
    SELECT(REAL(select)(count, in, out, except, timeout));
}

TCPDIAG_EXPORT int pselect(int count, fd_set *in, fd_set *out, fd_set *except,
                           const struct timespec *timeout, const sigset_t *mask)
{
    SELECT(REAL(pselect)(count, in, out, except, timeout, mask));
}

#if defined(TCPDIAG_TIME64)
#define SELECT_TIME64(name)                                                                        \
    TCPDIAG_EXPORT int name(int count, fd_set *in, fd_set *out, fd_set *except, void *timeout)     \
    {                                                                                              \
        SELECT(REAL(name)(count, in, out, except, timeout));                                       \
    }
#define PSELECT_TIME64(name)                                                                       \
    TCPDIAG_EXPORT int name(int count, fd_set *in, fd_set *out, fd_set *except,                    \
                            const void *timeout, const sigset_t *mask)                             \
    {                                                                                              \
        SELECT(REAL(name)(count, in, out, except, timeout, mask));                                 \
    }
SELECT_TIME64(__select64)
SELECT_TIME64(__select_time64)
PSELECT_TIME64(__pselect64)
PSELECT_TIME64(__pselect_time64)
#endif

/* epoll hands back the program's data, which may be a pointer: which descriptor it stands for only
   epoll_ctl has told. */
TCPDIAG_EXPORT int epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event)
{
    int result = REAL(epoll_ctl)(epoll_fd, operation, fd, event);
    struct tcpdiag_attempt attempt;
    if (result == 0 && TCPDIAG_IN_FLIGHT() && tcpdiag_attempts_look(fd, &attempt)) {
        attempt.epoll_fd = operation == EPOLL_CTL_DEL ? -1 : epoll_fd;
        attempt.epoll_data = operation == EPOLL_CTL_DEL ? 0 : event->data.u64;
        tcpdiag_attempts_update(&attempt, TCPDIAG_EPOLL);
    }
    return result;
}

static bool reported(const struct tcpdiag_attempt *attempt, const struct epoll_event *events,
                     int ready)
{
    for (int i = 0; i < ready; i++)
        if (events[i].data.u64 == attempt->epoll_data)
            return true;
    return false;
}

static int after_epoll(int epoll_fd, const struct epoll_event *events, int ready)
{
    static _Atomic unsigned position;
    struct tcpdiag_attempt attempt;
    int unknown = 0;
    if (ready <= 0 || !TCPDIAG_IN_FLIGHT())
        return ready;
    unsigned at = atomic_load_explicit(&position, memory_order_relaxed);
    bool wrapped = at == 0;
    for (int compared = 0; compared < COMPARED; compared++) {
        if (!tcpdiag_attempts_next(&at, &attempt)) {
            at = 0;
            if (wrapped)
                break;
            wrapped = true;
            continue;
        }
        if (attempt.epoll_fd == epoll_fd ? reported(&attempt, events, ready)
                                         : attempt.epoll_fd < 0 && unknown++ < UNKNOWN_LOOKED_AT)
            tcpdiag_seen_ready(attempt.fd);
    }
    atomic_store_explicit(&position, at, memory_order_relaxed);
    return ready;
}

TCPDIAG_EXPORT int epoll_wait(int epoll_fd, struct epoll_event *events, int size, int timeout)
{
    return after_epoll(epoll_fd, events, REAL(epoll_wait)(epoll_fd, events, size, timeout));
}

TCPDIAG_EXPORT int epoll_pwait(int epoll_fd, struct epoll_event *events, int size, int timeout,
                               const sigset_t *mask)
{
    return after_epoll(epoll_fd, events, REAL(epoll_pwait)(epoll_fd, events, size, timeout, mask));
}

TCPDIAG_EXPORT int epoll_pwait2(int epoll_fd, struct epoll_event *events, int size,
                                const struct timespec *timeout, const sigset_t *mask)
{
    return after_epoll(epoll_fd, events, REAL(epoll_pwait2)(epoll_fd, events, size, timeout, mask));
}

#if defined(TCPDIAG_TIME64)
TCPDIAG_EXPORT int __epoll_pwait2_time64(int epoll_fd, struct epoll_event *events, int size,
                                         const void *timeout, const sigset_t *mask)
{
    return after_epoll(epoll_fd, events,
                       REAL(__epoll_pwait2_time64)(epoll_fd, events, size, timeout, mask));
}
#endif
