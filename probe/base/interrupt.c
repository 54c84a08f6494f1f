/* SPDX-License-Identifier: MIT */
#include "probe/base/interrupt.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

volatile sig_atomic_t interrupt_stop;
static volatile sig_atomic_t caught;
static int event = -1;

void interrupt_end(void)
{
    static const uint64_t one = 1;
    int error = errno;
    interrupt_stop = 1;
    if (write(event, &one, sizeof one) < 0) /* full: readable as well */
        errno = error;
    errno = error;
}

static void note(int signal)
{
    caught = signal;
    interrupt_end();
}

bool interrupt_catch(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    /* Without SA_RESTART: a write to a reader that has stopped reading ends too. */
    struct sigaction action = {.sa_handler = note};
    event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0)
        return false;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction before;
        sigaction(signals[i], NULL, &before);
        if (before.sa_handler != SIG_IGN) /* nohup(1), a shell's background job */
            sigaction(signals[i], &action, NULL);
    }
    return true;
}

int interrupt_fd(void)
{
    return event;
}

int interrupt_signal(void)
{
    return caught;
}

void interrupt_die(void)
{
    int number = caught;
    signal(number, SIG_DFL);
    raise(number);
}
