/* SPDX-License-Identifier: MIT */
/* SIGINT, SIGTERM and SIGHUP as an event: whatever is under way ends in order, and then the process
   as the signal wants it. */
#ifndef TCPDIAG_INTERRUPT_H
#define TCPDIAG_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

/* Not 0: what is under way is to end. */
extern volatile sig_atomic_t interrupt_stop;

/* False with errno set. */
bool interrupt_catch(void);

/* Ends what is under way without a signal. Async-signal-safe. */
void interrupt_end(void);

/* Readable once what is under way is to end. */
int interrupt_fd(void);

/* The signal that came, 0: none. */
int interrupt_signal(void);

/* Ends the process by that signal, so that a shell sees what happened (and stops its loop). */
void interrupt_die(void);

#endif
