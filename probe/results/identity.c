/* SPDX-License-Identifier: MIT */
#include "probe/results/identity.h"
#include "shim/evidence/kernel.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static struct tcpdiag_text text_of(const char *string)
{
    return (struct tcpdiag_text){string, strlen(string)};
}

static const struct tcpdiag_identity *who(void)
{
    static struct tcpdiag_identity identity;
    static struct utsname host;
    if (identity.executable.bytes)
        return &identity;
    identity.executable = text_of(program_invocation_short_name);
    identity.start = (uint64_t)sys_nanoseconds(CLOCK_REALTIME);
    if (uname(&host) == 0)
        identity.host = text_of(host.nodename);
    return &identity;
}

void identity_sign(struct tcpdiag_record *record)
{
    static uint64_t attempts;
    static int32_t pid;
    if (pid == 0)
        pid = (int32_t)getpid();
    record->who = who();
    record->attempt = ++attempts;
    record->pid = record->tid = pid; /* only the first thread makes records */
}
