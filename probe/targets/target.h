/* SPDX-License-Identifier: MIT */
/*
 * What the prober is asked to reach, as it is written: HOST PORT..., HOST:PORT, [v6]:PORT,
 * tcp://HOST:PORT, http(s)://HOST, service names, lists and ranges of ports, blocks of addresses.
 * Pure: what only this machine knows (its services, its interfaces) is asked through
 * struct target_machine; no allocation, no output.
 */
#ifndef TCPDIAG_TARGET_H
#define TCPDIAG_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/diagnosis/classify.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TARGET_HOST_MAX = 253,  /* bytes of a name, RFC 1035; also longer than any address */
    TARGET_RANGES_MAX = 64, /* ranges of ports in one target */
    TARGET_BLOCK_BITS = 16, /* a block holds at most 2^16 addresses */
    TARGET_ERROR_MAX = 400, /* room for what is wrong, one line without its end */
    TARGET_WORD_SHOWN = 60, /* as much of a wrong word is shown */
};

struct target_range {
    uint16_t first;
    uint16_t last;
};

struct target {
    char host[TARGET_HOST_MAX + 2]; /* without brackets, scope or prefix; a final dot is kept */
    struct tcpdiag_endpoint first;  /* the block's first address; family 0: host is a name */
    uint32_t addresses;             /* in the block; 1 for a name or a single address */
    unsigned range_count;           /* 0: the ports are still to come */
    struct target_range ranges[TARGET_RANGES_MAX];
};

struct target_machine {
    /* The port of a TCP service in host byte order, 0: unknown. */
    uint16_t (*service)(const char *name);
    /* The index of an interface, 0: unknown. */
    uint32_t (*interface)(const char *name);
};

/* /etc/services and this machine's interfaces. */
extern const struct target_machine target_this_machine;

/* Reads one word. true: target is whole, or wants its ports (range_count 0). false: error says what
   is wrong, in printable ASCII. */
bool target_parse(struct target *target, const char *text, const struct target_machine *machine,
                  char error[TARGET_ERROR_MAX]);

/* Adds the ports that a word names to the target. */
bool target_add_ports(struct target *target, const char *text, const struct target_machine *machine,
                      char error[TARGET_ERROR_MAX]);

/* Whether a word after HOST PORT is one more port of that host, and not the next host. */
bool target_is_ports(const char *text, const struct target_machine *machine);

uint32_t target_port_count(const struct target *target);

/* The port at position index (< target_port_count). */
uint16_t target_port(const struct target *target, uint32_t index);

/* The address at position index (< addresses) of a block. */
struct tcpdiag_endpoint target_address(const struct target *target, uint32_t index);

#ifdef __cplusplus
}
#endif
#endif
