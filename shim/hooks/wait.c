/* SPDX-License-Identifier: MIT */
/* poll, select and epoll: where a program learns that a connect in flight has ended. */
#include "shim/real.h"
#include "shim/track.h"

/* Attempts registered with an epoll before they were begun, so that we do not know under which
   data: this many are looked at whenever the epoll reports anything. SO_ERROR tells of the rest. */
enum { UNKNOWN_LOOKED_AT = 16 };

/* Attempts compared with what an epoll reported, in one call: thousands may be in flight. The next
   call goes on where this one stopped. */
enum { COMPARED = 64 };

static int after_poll(const struct pollfd *fds, nfds_t count, int ready)
{
    if (ready > 0 && TCPDIAG_IN_FLIGHT())
        for (nfds_t i = 0; i < count; i++)
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

/* A program may use sets larger than FD_SETSIZE, as long as count says so (select(2)). */
static int after_select(int count, const fd_set *in, const fd_set *out, const fd_set *except,
                        int ready)
{
    enum { BITS = 8 * sizeof(unsigned long) };
    const unsigned long *sets[] = {(const unsigned long *)in, (const unsigned long *)out,
                                   (const unsigned long *)except};
    if (ready <= 0 || !TCPDIAG_IN_FLIGHT())
        return ready;
    for (int word = 0; word * BITS < count; word++) {
        unsigned long bits = 0;
        for (int i = 0; i < 3; i++)
            bits |= sets[i] ? sets[i][word] : 0;
        for (; bits != 0; bits &= bits - 1) {
            int fd = word * BITS + __builtin_ctzl(bits);
            if (fd < count)
                tcpdiag_seen_ready(fd);
        }
    }
    return ready;
}

TCPDIAG_EXPORT int select(int count, fd_set *in, fd_set *out, fd_set *except,
                          struct timeval *timeout)
{
    return after_select(count, in, out, except, REAL(select)(count, in, out, except, timeout));
}

TCPDIAG_EXPORT int pselect(int count, fd_set *in, fd_set *out, fd_set *except,
                           const struct timespec *timeout, const sigset_t *mask)
{
    return after_select(count, in, out, except,
                        REAL(pselect)(count, in, out, except, timeout, mask));
}

#if defined(TCPDIAG_TIME64)
#define SELECT_TIME64(name)                                                                        \
    TCPDIAG_EXPORT int name(int count, fd_set *in, fd_set *out, fd_set *except, void *timeout)     \
    {                                                                                              \
        return after_select(count, in, out, except, REAL(name)(count, in, out, except, timeout));  \
    }
#define PSELECT_TIME64(name)                                                                       \
    TCPDIAG_EXPORT int name(int count, fd_set *in, fd_set *out, fd_set *except,                    \
                            const void *timeout, const sigset_t *mask)                             \
    {                                                                                              \
        return after_select(count, in, out, except,                                                \
                            REAL(name)(count, in, out, except, timeout, mask));                    \
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
