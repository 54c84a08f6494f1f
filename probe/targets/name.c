/* SPDX-License-Identifier: MIT */
#include "probe/targets/name.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "probe/base/memory.h"
#include "shim/diagnosis/classify_lookup.h"
#include "shim/diagnosis/endpoint.h"
#include "shim/diagnosis/text.h"
#include "shim/evidence/kernel.h"

struct name *name_new(const struct target *target)
{
    struct name *name = memory_new(sizeof *name);
    memcpy(name->host, target->host, sizeof name->host);
    name->port = target_port_count(target) == 1 ? target_port(target, 0) : 0;
    name->references = 1;
    return name;
}

struct name *name_keep(struct name *name)
{
    if (name)
        name->references++;
    return name;
}

void name_release(struct name *name)
{
    if (!name || --name->references > 0)
        return;
    free(name->addresses);
    free(name->why);
    free(name->dns);
    free(name);
}

static int keep_addresses(struct name *name, const struct addrinfo *list)
{
    uint32_t count = 0;
    for (const struct addrinfo *at = list; at; at = at->ai_next)
        count++;
    name->addresses = calloc(count + 1, sizeof *name->addresses);
    if (!name->addresses)
        return EAI_MEMORY;
    for (; list; list = list->ai_next) {
        struct tcpdiag_endpoint *address = &name->addresses[name->address_count];
        tcpdiag_endpoint_from(address, list->ai_addr, list->ai_addrlen);
        name->address_count += address->family != 0;
    }
    return name->address_count > 0 ? 0 : EAI_NONAME;
}

void name_look_up(struct name *name, int family)
{
    struct addrinfo *list = NULL;
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    int64_t begin = sys_nanoseconds(CLOCK_MONOTONIC);
    name->gai = getaddrinfo(name->host, NULL, &hints, &list);
    name->error = name->gai == EAI_SYSTEM ? errno : 0;
    name->lookup_ns = sys_nanoseconds(CLOCK_MONOTONIC) - begin;
    name->wall_ns = sys_nanoseconds(CLOCK_REALTIME);
    if (name->gai == 0) {
        name->gai = keep_addresses(name, list);
        freeaddrinfo(list);
    }
}

struct tcpdiag_record name_record(const struct name *name, char text[NAME_SERVICE_SIZE])
{
    struct tcpdiag_record record = {
        .event = TCPDIAG_RESOLVE,
        .phase = TCPDIAG_END,
        .wall_ns = name->wall_ns,
        .duration_ns = name->lookup_ns,
        .gai = name->gai,
        .error = name->error,
        .verdict = tcpdiag_classify_gai(name->gai),
        .evidence = TCPDIAG_NO_EVIDENCE,
        .name = {name->host, strlen(name->host)},
    };
    struct tcpdiag_out out = {text, text + NAME_SERVICE_SIZE - 1, false};
    if (name->port != 0) {
        tcpdiag_put_number(&out, name->port, 1);
        record.service = (struct tcpdiag_text){text, (size_t)(out.at - text)};
    }
    *out.at = '\0';
    while (record.answer_count < TCPDIAG_ANSWERS_MAX && record.answer_count < name->address_count) {
        record.answers[record.answer_count] = name->addresses[record.answer_count];
        record.answer_count++;
    }
    return record;
}
