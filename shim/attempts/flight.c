/* SPDX-License-Identifier: MIT */
#include "shim/attempts/flight.h"

#include <errno.h>
#include <netinet/tcp.h>

#include "shim/attempts/attempt.h"
#include "shim/attempts/in_flight.h"
#include "shim/attempts/sole.h"
#include "shim/diagnosis/icmp.h"
#include "shim/evidence/evidence.h"
#include "shim/process/identity.h"
#include "shim/process/sys.h"
#include "shim/process/threads.h"

/* Of what follows, some takes something away from the socket: its error, what is on its error
   queue, an option. It works on the program's own number, in the middle of the program's own call
   with that number: a number of ours would have to be opened, and every thread would see it. So it
   is left undone where somebody else may hold the socket, and where the number is another socket's
   by now. */
static bool may_take_from(const struct tcpdiag_attempt *attempt)
{
    return tcpdiag_sole(attempt->fd) && tcpdiag_cookie_of(attempt->fd) == attempt->cookie;
}

/* The attempt on fd, by this process, while fd is still its socket. Else it is forgotten: the
   socket went behind our back, by a bare system call, and nothing can be said of how it ended. */
static bool mine(struct tcpdiag_attempt *attempt)
{
    if (attempt->pid != tcpdiag_pid())
        return false;
    if (tcpdiag_cookie_of(attempt->fd) == attempt->cookie) {
        if (attempt->port == 0 || tcpdiag_evidence_port(attempt->fd) == attempt->port)
            return true;
        tcpdiag_forget(attempt); /* somebody else has started another connect */
        return false;
    }
    int alias = attempt->alias;
    if (alias >= 0 && tcpdiag_cookie_of(alias) == attempt->cookie &&
        tcpdiag_attempts_take(attempt)) {
        attempt->fd = alias;
        attempt->alias = -1;
        return tcpdiag_attempts_add(attempt);
    }
    tcpdiag_forget(attempt);
    return false;
}

static bool find(int fd, struct tcpdiag_attempt *attempt)
{
    return tcpdiag_attempts_look(fd, attempt) && mine(attempt);
}

static void check(struct tcpdiag_attempt *attempt)
{
    struct tcpdiag_evidence evidence = TCPDIAG_NO_EVIDENCE;
    tcpdiag_evidence_state(attempt->fd, &evidence);
    if (tcpdiag_established(&evidence)) {
        if (tcpdiag_attempts_take(attempt))
            tcpdiag_end_with_error(attempt, 0, &evidence);
    } else if (attempt->failed_ns == 0 &&
               ((evidence.tcp_state == TCP_CLOSE && tcpdiag_sole(attempt->fd)) ||
                sys_poll_now(attempt->fd, 0) & POLLERR)) {
        /* Why it failed only SO_ERROR tells, which is the program's to read. A closed socket may
           also have been dissolved by another holder. */
        attempt->failed_ns = sys_nanoseconds(CLOCK_MONOTONIC);
        tcpdiag_attempts_update(attempt, TCPDIAG_FAILED);
    }
}

bool tcpdiag_is_in_flight(int fd)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    bool found = find(fd, &attempt);
    errno = saved;
    return found;
}

void tcpdiag_seen_ready(int fd)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    if (find(fd, &attempt))
        check(&attempt);
    errno = saved;
}

void tcpdiag_seen_error(int fd, int error)
{
    struct tcpdiag_attempt attempt;
    struct tcpdiag_evidence evidence = TCPDIAG_NO_EVIDENCE;
    int saved = errno;
    if (find(fd, &attempt) && tcpdiag_attempts_take(&attempt)) {
        tcpdiag_evidence_state(attempt.fd, &evidence);
        attempt.failed_ns = 0; /* now the program knows it */
        if (attempt.blocking == TCPDIAG_BLOCKING)
            attempt.blocking = TCPDIAG_BLOCKING_UNKNOWN; /* interrupted: its counters are kept */
        tcpdiag_end_with_error(&attempt, error, &evidence);
    }
    errno = saved;
}

/* The error of a socket that nobody will ask any more. */
static int last_error(const struct tcpdiag_attempt *attempt, struct tcpdiag_evidence *evidence)
{
    int error = sys_int_option(attempt->fd, SOL_SOCKET, SO_ERROR, 0);
    tcpdiag_read_failure(attempt, error, evidence);
    if (error == 0 && evidence->icmp)
        error = tcpdiag_icmp_errno(evidence->icmp_from.family, evidence->icmp_type,
                                   evidence->icmp_code);
    return error;
}

/* The same where somebody may still ask: only what can be told without taking it. A closed socket
   that a segment has come for was reset; tcp_reset in net/ipv4/tcp_input.c has one error for that.
   A connection that was dissolved is closed as well, and its segments are forgotten; one that was
   established and then reset has had more than one.
 */
static int told_error(const struct tcpdiag_attempt *attempt, struct tcpdiag_evidence *evidence)
{
    if (evidence->tcp_state != TCP_CLOSE || !attempt->untouched ||
        tcpdiag_cookie_of(attempt->fd) != attempt->cookie)
        return 0;
    int received = tcpdiag_evidence_history(attempt->fd).received;
    if (received == 1 || (received < 0 && tcpdiag_sole(attempt->fd)))
        tcpdiag_evidence_answered(attempt->fd, evidence);
    return evidence->answered == 1 ? ECONNREFUSED : 0;
}

/* What there is to say of one that is closed, or has failed. last: see end_unasked. */
static enum tcpdiag_ending end_of_closed(const struct tcpdiag_attempt *attempt, bool last,
                                         int *error, struct tcpdiag_evidence *evidence)
{
    if (last && may_take_from(attempt))
        *error = last_error(attempt, evidence);
    if (*error == 0)
        *error = told_error(attempt, evidence);
    if (*error != 0)
        return TCPDIAG_ENDED_RESULT;
    return attempt->failed_ns != 0 || tcpdiag_sole(attempt->fd) ? TCPDIAG_ENDED_FAILED
                                                                : TCPDIAG_ENDED_UNSEEN;
}

/* The program's use of the socket ends without its asking for the error. last: nobody else in this
   process will ask either. */
static void end_unasked(const struct tcpdiag_attempt *attempt, enum tcpdiag_ending ending,
                        bool last)
{
    struct tcpdiag_evidence evidence = TCPDIAG_NO_EVIDENCE;
    int error = 0;
    tcpdiag_evidence_state(attempt->fd, &evidence);
    int64_t now = sys_nanoseconds(CLOCK_MONOTONIC);
    if ((attempt->failed_ns != 0 || evidence.tcp_state == TCP_CLOSE) &&
        !tcpdiag_established(&evidence)) {
        ending = end_of_closed(attempt, last, &error, &evidence);
        now = attempt->failed_ns ? attempt->failed_ns : now;
    }
    if (last)
        tcpdiag_stop_asking(attempt);
    if (attempt->limit_ns != 0 && ending != TCPDIAG_ENDED_RESULT &&
        ending != TCPDIAG_ENDED_FAILED && ending != TCPDIAG_ENDED_UNSEEN) {
        ending = TCPDIAG_ENDED_LIMIT; /* what the program has not asked after is what it gave up */
        now = attempt->limit_ns;
    }
    tcpdiag_write_end(attempt, ending, error, now, &evidence);
}

void tcpdiag_seen_failure(int fd)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    if (find(fd, &attempt) && tcpdiag_attempts_take(&attempt)) {
        attempt.failed_ns = sys_nanoseconds(CLOCK_MONOTONIC);
        end_unasked(&attempt, TCPDIAG_ENDED_CLOSED, false);
    }
    errno = saved;
}

void tcpdiag_giving_up(int fd)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    if (!find(fd, &attempt)) {
        errno = saved;
        return;
    }
    int other = attempt.alias;
    if (attempt.fd != fd) {
        tcpdiag_attempts_drop_alias(&attempt);
    } else if (tcpdiag_attempts_take(&attempt)) {
        if (other >= 0 && tcpdiag_cookie_of(other) == attempt.cookie) {
            /* dup'd: one number goes, the socket stays under the other. */
            attempt.fd = other;
            attempt.alias = -1;
            tcpdiag_attempts_add(&attempt);
        } else {
            end_unasked(&attempt, TCPDIAG_ENDED_CLOSED, true);
        }
    }
    errno = saved;
}

void tcpdiag_abort_begin(struct tcpdiag_abort *abort, int fd)
{
    int saved = errno;
    abort->evidence = TCPDIAG_NO_EVIDENCE;
    abort->found = find(fd, &abort->attempt);
    if (abort->found)
        tcpdiag_evidence_state(abort->attempt.fd, &abort->evidence);
    errno = saved;
}

bool tcpdiag_abort_was_pending(const struct tcpdiag_abort *abort)
{
    return abort->found && abort->evidence.tcp_state == TCP_SYN_SENT;
}

void tcpdiag_abort_end(struct tcpdiag_abort *abort)
{
    struct tcpdiag_attempt *attempt = &abort->attempt;
    int saved = errno;
    if (tcpdiag_attempts_take(attempt)) {
        tcpdiag_stop_asking(attempt);
        tcpdiag_write_end(attempt, TCPDIAG_ENDED_CLOSED, 0, sys_nanoseconds(CLOCK_MONOTONIC),
                          &abort->evidence);
    }
    errno = saved;
}

void tcpdiag_giving_up_all(bool last)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    /* Another thread goes on to the very end, and may ask. */
    last = last && tcpdiag_alone();
    for (unsigned at = 0; tcpdiag_attempts_next(&at, &attempt);)
        if (mine(&attempt) && tcpdiag_attempts_take(&attempt))
            end_unasked(&attempt, TCPDIAG_ENDED_PROCESS, last);
    errno = saved;
}

/* An exec may fail, and a descriptor without FD_CLOEXEC outlives it: nothing is taken from the
   sockets. The ends are written now, as there is no later; when there is, the attempts go on under
   new numbers. */
void tcpdiag_image_ends(void)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    for (unsigned at = 0; tcpdiag_attempts_next(&at, &attempt);)
        if (!attempt.ended && mine(&attempt)) { /* a vfork child's image has the parent's table */
            tcpdiag_attempts_renumber(&attempt, attempt.number, true);
            end_unasked(&attempt, TCPDIAG_ENDED_PROCESS, false);
        }
    errno = saved;
}

void tcpdiag_image_stays(void)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    for (unsigned at = 0; tcpdiag_attempts_next(&at, &attempt);)
        if (attempt.ended && attempt.pid == tcpdiag_pid()) {
            struct tcpdiag_attempt again = attempt;
            again.number = tcpdiag_numbers(1);
            tcpdiag_write_begin(&again);
            tcpdiag_attempts_renumber(&attempt, again.number, false);
        }
    errno = saved;
}

static void remember_port(struct tcpdiag_attempt *attempt)
{
    if (attempt->port == 0 && tcpdiag_cookie_of(attempt->fd) == attempt->cookie) {
        attempt->port = tcpdiag_evidence_port(attempt->fd);
        tcpdiag_attempts_update(attempt, TCPDIAG_PORT);
    }
}

void tcpdiag_about_to_share(int fd)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    if (TCPDIAG_IN_FLIGHT() && tcpdiag_attempts_look(fd, &attempt))
        remember_port(&attempt);
    tcpdiag_sole_shared(fd);
    errno = saved;
}

void tcpdiag_about_to_share_all(void)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    if (TCPDIAG_IN_FLIGHT())
        for (unsigned at = 0; tcpdiag_attempts_next(&at, &attempt);)
            if (attempt.pid == tcpdiag_pid())
                remember_port(&attempt);
    tcpdiag_sole_shared_all();
    errno = saved;
}

void tcpdiag_also_known_as(int fd, int alias)
{
    struct tcpdiag_attempt attempt;
    int saved = errno;
    if (alias >= 0 && alias != fd && find(fd, &attempt))
        tcpdiag_attempts_add_alias(&attempt, alias); /* a third number is not followed */
    errno = saved;
}
