/* SPDX-License-Identifier: MIT */
/* Any bytes as a target of the prober: the first line is the target, each further one more ports.
   Taken, it can be walked from end to end; refused, one printable line says why. */
#include "probe/targets/target.h"
#include "tests/fuzz/fuzz.h"

static uint16_t service(const char *name)
{
    return strcmp(name, "http") == 0 ? 80 : 0;
}

static uint32_t interface(const char *name)
{
    return strcmp(name, "eth0") == 0 ? 2 : 0;
}

static const struct target_machine machine = {service, interface};

static void check_error(const char *error)
{
    size_t length = strnlen(error, TARGET_ERROR_MAX);
    CLAIM(length > 0 && length < TARGET_ERROR_MAX);
    for (size_t i = 0; i < length; i++)
        CLAIM(error[i] >= ' ' && error[i] < 0x7f);
}

static void check_target(const struct target *target)
{
    struct tcpdiag_endpoint last = target_address(target, target->addresses - 1);
    CLAIM(memchr(target->host, '\0', sizeof target->host) && target->host[0]);
    CLAIM(target->addresses >= 1 && target->addresses <= UINT32_C(1) << TARGET_BLOCK_BITS);
    CLAIM(target->addresses == 1 || target->first.family != 0);
    CLAIM(last.family == target->first.family);
    CLAIM(target->range_count <= TARGET_RANGES_MAX);
    uint32_t count = target_port_count(target);
    CLAIM((count > 0) == (target->range_count > 0));
    for (unsigned i = 0; i < target->range_count; i++)
        CLAIM(target->ranges[i].first >= 1 && target->ranges[i].first <= target->ranges[i].last);
    if (count > 0) {
        CLAIM(target_port(target, 0) == target->ranges[0].first);
        CLAIM(target_port(target, count - 1) == target->ranges[target->range_count - 1].last);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target target;
    char error[TARGET_ERROR_MAX];
    char *text = strndup((const char *)data, size);
    CLAIM(text);
    char *rest = text;
    char *word = strsep(&rest, "\n");
    memset(error, 'x', sizeof error);
    bool taken = target_parse(&target, word, &machine, error);
    if (taken)
        check_target(&target);
    else
        check_error(error);
    while (taken && (word = strsep(&rest, "\n"))) {
        target_is_ports(word, &machine);
        memset(error, 'x', sizeof error);
        if (target_add_ports(&target, word, &machine, error))
            check_target(&target);
        else
            check_error(error);
    }
    free(text);
    return 0;
}
