/* SPDX-License-Identifier: MIT */
#include "shim/attempts/own_address.h"

#include <net/if.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "shim/evidence/evidence.h"
#include "shim/process/file.h"
#include "shim/process/scratch.h"
#include "shim/process/sys.h"
#include "shim/process/threads.h"

/* By SIOCGIFCONF (netdevice(7)), which lists this network namespace's IPv4 addresses through any
   socket, as many as fit. */
static int listed4(int fd, const struct tcpdiag_endpoint *address, struct tcpdiag_scratch *scratch)
{
    struct ifconf list = {.ifc_len = sizeof scratch->line, .ifc_buf = scratch->line};
    int at = 0;
    if (sys_ioctl(fd, SIOCGIFCONF, &list) != 0)
        return -1;
    for (; at + (int)sizeof(struct ifreq) <= list.ifc_len; at += (int)sizeof(struct ifreq)) {
        const char *one = scratch->line + at + offsetof(struct ifreq, ifr_addr) +
                          offsetof(struct sockaddr_in, sin_addr);
        if (memcmp(one, address->address, 4) == 0)
            return 1;
    }
    return at + (int)sizeof(struct ifreq) <= (int)sizeof scratch->line ? 0 : -1;
}

/* The kept list, and which file and network namespace it is of. */
static struct {
    _Atomic int fd;
    struct tcpdiag_file file;
    struct tcpdiag_file network;
} kept = {.fd = -1};

static bool network_here(struct tcpdiag_file *network)
{
    struct stat64 status;
    if (sys_stat("/proc/thread-self/ns/net", &status) != 0)
        return false;
    *network = (struct tcpdiag_file){status.st_dev, status.st_ino, 0};
    return true;
}

int tcpdiag_addresses_open(void)
{
    return sys_open("/proc/thread-self/net/if_inet6", O_RDONLY | O_CLOEXEC, 0);
}

void tcpdiag_addresses_keep(int fd)
{
    struct tcpdiag_status status;
    if (fd < 0 || tcpdiag_status_of(fd, &status) != 0 || !network_here(&kept.network))
        return;
    kept.file = status.file;
    atomic_store_explicit(&kept.fd, fd, memory_order_release);
}

static int kept_list(void)
{
    struct tcpdiag_status status;
    struct tcpdiag_file network;
    int fd = atomic_load_explicit(&kept.fd, memory_order_acquire);
    bool still = fd >= 0 && tcpdiag_status_of(fd, &status) == 0 &&
                 tcpdiag_same_file(&status.file, &kept.file) && network_here(&network) &&
                 tcpdiag_same_file(&network, &kept.network);
    return still ? fd : -1;
}

static unsigned hexadecimal(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* A line for each address begins with its 32 digits. */
static bool lists(const char *text, long length, const struct tcpdiag_endpoint *address)
{
    for (const char *line = text, *end = text + length; end - line > 32; line++) {
        int same = 0;
        while (same < 16 && (hexadecimal(line[2 * same]) << 4 | hexadecimal(line[2 * same + 1])) ==
                                address->address[same])
            same++;
        if (same == 16)
            return true;
        while (line < end && *line != '\n')
            line++;
    }
    return false;
}

static int listed6(const struct tcpdiag_endpoint *address, struct tcpdiag_scratch *scratch)
{
    int list = kept_list();
    int fd = list >= 0 ? list : tcpdiag_alone() ? tcpdiag_addresses_open() : -1;
    long length = fd >= 0 ? sys_pread(fd, scratch->line, sizeof scratch->line, 0) : -1;
    if (fd >= 0 && fd != list)
        sys_close(fd);
    if (length >= 0 && lists(scratch->line, length, address))
        return 1;
    return length >= 0 && length < (long)sizeof scratch->line ? 0 : -1;
}

bool tcpdiag_may_open(void)
{
    return tcpdiag_alone();
}

int tcpdiag_own_address(int fd, const struct tcpdiag_endpoint *address)
{
    struct tcpdiag_scratch *scratch = tcpdiag_scratch_take();
    if (!scratch)
        return -1;
    int own =
        address->family == AF_INET ? listed4(fd, address, scratch) : listed6(address, scratch);
    tcpdiag_scratch_give(scratch);
    return own >= 0 || !tcpdiag_alone() ? own : tcpdiag_sends_from(address);
}
