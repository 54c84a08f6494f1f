/* SPDX-License-Identifier: MIT */
#include "probe/targets/target.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { WORD_MAX = 32 /* an interface has 15 bytes, a port 5; a service's name fits */ };

/* Bytes of the word that is being read. */
struct span {
    const char *at;
    size_t length;
};

/* What it is read with, and where it is said that it cannot be. */
struct reader {
    const struct target_machine *machine;
    char *error;
};

/* A word from a file may hold anything: what a terminal would obey is shown as \xNN. */
static const char *shown(struct span text, char buffer[4 * TARGET_WORD_SHOWN + 4])
{
    char *out = buffer;
    for (size_t i = 0; i < text.length && i < TARGET_WORD_SHOWN; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte >= 0x20 && byte < 0x7f)
            *out++ = (char)byte;
        else
            out += sprintf(out, "\\x%02x", byte);
    }
    sprintf(out, "%s", text.length > TARGET_WORD_SHOWN ? "..." : "");
    return buffer;
}

__attribute__((format(printf, 3, 4))) static bool wrong(const struct reader *reader,
                                                        struct span text, const char *why, ...)
{
    char word[4 * TARGET_WORD_SHOWN + 4];
    int length = snprintf(reader->error, TARGET_ERROR_MAX, "%s%s", shown(text, word),
                          text.length > 0 ? ": " : "");
    va_list arguments;
    va_start(arguments, why);
    vsnprintf(reader->error + length, TARGET_ERROR_MAX - (size_t)length, why, arguments);
    va_end(arguments);
    return false;
}

static struct span span(const char *text)
{
    return (struct span){text, strlen(text)};
}

static struct span part(struct span text, size_t from, size_t to)
{
    return (struct span){text.at + from, to - from};
}

/* The position of byte, or the length where there is none. */
static size_t find(struct span text, char byte)
{
    const char *at = text.length ? memchr(text.at, byte, text.length) : NULL;
    return at ? (size_t)(at - text.at) : text.length;
}

static size_t find_last(struct span text, char byte)
{
    const char *at = text.length ? memrchr(text.at, byte, text.length) : NULL;
    return at ? (size_t)(at - text.at) : text.length;
}

static bool all_digits(struct span text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    return text.length > 0;
}

/* Of digits; anything too large to be right becomes UINT32_MAX. */
static uint32_t number(struct span digits)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.length; i++) {
        value = value * 10 + (uint64_t)(digits.at[i] - '0');
        if (value > UINT32_MAX)
            return UINT32_MAX;
    }
    return (uint32_t)value;
}

static bool copy_word(struct span text, char *word, size_t size)
{
    if (text.length >= size || (text.length > 0 && memchr(text.at, '\0', text.length)))
        return false;
    memcpy(word, text.at, text.length);
    word[text.length] = '\0';
    return true;
}

/* ---- ports ---- */

static bool read_port(const struct reader *reader, struct span text, uint16_t *port)
{
    char name[WORD_MAX];
    if (all_digits(text)) {
        uint32_t value = number(text);
        *port = (uint16_t)value;
        return (value >= 1 && value <= 65535) ||
               wrong(reader, text, "a port is between 1 and 65535");
    }
    *port = copy_word(text, name, sizeof name) ? reader->machine->service(name) : 0;
    return *port != 0 || wrong(reader, text, "neither a port nor a TCP service of this machine");
}

/* "443", "https", "8000-8100". A hyphen is part of many services' names. */
static bool read_range(const struct reader *reader, struct span text, struct target_range *range)
{
    size_t hyphen = find(text, '-');
    struct span first = part(text, 0, hyphen);
    struct span last = hyphen < text.length ? part(text, hyphen + 1, text.length) : first;
    if (text.length == 0)
        return wrong(reader, text, "the port is empty");
    if (!all_digits(first) || !all_digits(last)) {
        bool good = read_port(reader, text, &range->first);
        range->last = range->first;
        return good;
    }
    if (!read_port(reader, first, &range->first) || !read_port(reader, last, &range->last))
        return false;
    return range->first <= range->last || wrong(reader, text, "the range of ports runs backwards");
}

static bool add_ports(const struct reader *reader, struct target *target, struct span text)
{
    struct span rest = text;
    for (;;) {
        size_t comma = find(rest, ',');
        if (target->range_count == TARGET_RANGES_MAX)
            return wrong(reader, text, "more than %d ports and ranges for one host",
                         TARGET_RANGES_MAX);
        if (!read_range(reader, part(rest, 0, comma), &target->ranges[target->range_count]))
            return false;
        target->range_count++;
        if (comma == rest.length)
            return true;
        rest = part(rest, comma + 1, rest.length);
    }
}

bool target_add_ports(struct target *target, const char *text, const struct target_machine *machine,
                      char error[TARGET_ERROR_MAX])
{
    const struct reader reader = {machine, error};
    return add_ports(&reader, target, span(text));
}

bool target_is_ports(const char *text, const struct target_machine *machine)
{
    if (*text && text[strspn(text, "0123456789,-")] == '\0')
        return true;
    char error[TARGET_ERROR_MAX];
    struct target scratch;
    scratch.range_count = 0;
    return target_add_ports(&scratch, text, machine, error);
}

uint32_t target_port_count(const struct target *target)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < target->range_count; i++)
        count += (uint32_t)(target->ranges[i].last - target->ranges[i].first) + 1;
    return count;
}

uint16_t target_port(const struct target *target, uint32_t index)
{
    for (unsigned i = 0; i < target->range_count; i++) {
        uint32_t length = (uint32_t)(target->ranges[i].last - target->ranges[i].first) + 1;
        if (index < length)
            return (uint16_t)(target->ranges[i].first + index);
        index -= length;
    }
    return 0;
}

/* ---- hosts ---- */

static bool read_scope(const struct reader *reader, struct span scope, struct target *target)
{
    char name[WORD_MAX];
    uint32_t index = 0;
    if (all_digits(scope))
        index = number(scope);
    else if (copy_word(scope, name, sizeof name))
        index = reader->machine->interface(name);
    target->first.scope = index;
    return (index != 0 && index != UINT32_MAX) ||
           wrong(reader, scope, "no interface of this machine has this name");
}

/* Clears the host bits: 10.0.0.5/24 means 10.0.0.0/24. */
static void mask(struct tcpdiag_endpoint *address, unsigned bits, unsigned prefix)
{
    for (unsigned bit = prefix; bit < bits; bit++)
        address->address[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
}

static bool read_prefix(const struct reader *reader, struct span text, struct span prefix,
                        struct target *target)
{
    unsigned bits = target->first.family == AF_INET ? 32 : 128;
    if (target->first.family == 0)
        return wrong(reader, text, "a block begins with an address");
    if (!all_digits(prefix) || number(prefix) > bits)
        return wrong(reader, text, "the prefix is a number between 0 and %u", bits);
    unsigned host_bits = bits - number(prefix);
    if (host_bits > TARGET_BLOCK_BITS)
        return wrong(reader, text, "a block of 2^%u addresses; at most 2^%d are taken", host_bits,
                     TARGET_BLOCK_BITS);
    mask(&target->first, bits, number(prefix));
    target->addresses = UINT32_C(1) << host_bits;
    return true;
}

/* The packets to a v4-mapped address are IPv4's. */
static void unmap(struct tcpdiag_endpoint *address)
{
    struct tcpdiag_endpoint carried;
    tcpdiag_endpoint_from_bytes(&carried, address->family, address->address);
    if (carried.family != address->family)
        *address = carried;
}

/* What no name and no address contains; a name that is not ASCII has an ASCII form (RFC 5891). */
static bool plausible(const struct reader *reader, struct span host)
{
    for (size_t i = 0; i < host.length; i++) {
        unsigned char byte = (unsigned char)host.at[i];
        if (byte >= 0x80)
            return wrong(reader, host, "the name is not ASCII: write its xn-- form");
        if (byte <= ' ' || byte == 0x7f || strchr("[]<>\"'`\\%/@:,;|(){}?#", byte))
            return wrong(reader, host, "not the name of a host");
    }
    return true;
}

static bool read_name(const struct reader *reader, struct span host, struct target *target)
{
    size_t length = host.length;
    if (length > 0 && host.at[length - 1] == '.')
        length--;
    if (length == 0)
        return wrong(reader, host, "the host is empty");
    if (length > TARGET_HOST_MAX)
        return wrong(reader, host, "the host's name has %zu bytes; a name has at most %d", length,
                     TARGET_HOST_MAX);
    return (target->first.family != 0 || plausible(reader, host)) &&
           copy_word(host, target->host, sizeof target->host);
}

/* ADDRESS, ADDRESS%SCOPE, ADDRESS/PREFIX or a name, without brackets and port. */
static bool read_host(const struct reader *reader, struct span text, struct target *target)
{
    char address[INET6_ADDRSTRLEN];
    size_t slash = find(text, '/');
    struct span host = part(text, 0, slash);
    size_t percent = find(host, '%');
    struct span bare = part(host, 0, percent);
    target->addresses = 1;
    if (copy_word(bare, address, sizeof address)) {
        if (inet_pton(AF_INET, address, target->first.address) == 1)
            target->first.family = AF_INET;
        else if (inet_pton(AF_INET6, address, target->first.address) == 1)
            target->first.family = AF_INET6;
    }
    if (percent < host.length) {
        if (target->first.family != AF_INET6)
            return wrong(reader, text, "only an IPv6 address has a scope");
        if (!read_scope(reader, part(host, percent + 1, host.length), target))
            return false;
    }
    if (slash < text.length &&
        !read_prefix(reader, text, part(text, slash + 1, text.length), target))
        return false;
    unmap(&target->first);
    if (target->first.family == 0 && find(host, ':') < host.length)
        return wrong(reader, text, "not an IPv6 address (with a port: [ADDRESS]:PORT)");
    return read_name(reader, host, target);
}

/* [ADDRESS], [ADDRESS%SCOPE], [ADDRESS]%SCOPE, [ADDRESS]/PREFIX, each with :PORTS or without. */
static bool read_bracketed(const struct reader *reader, struct span text, struct target *target)
{
    char host[TARGET_HOST_MAX + 1];
    size_t close = find(text, ']');
    if (close == text.length)
        return wrong(reader, text, "the bracket is not closed");
    struct span inside = part(text, 1, close);
    struct span after = part(text, close + 1, text.length);
    size_t colon = find(after, ':');
    if (inside.length + colon >= sizeof host || find(inside, ':') == inside.length)
        return wrong(reader, text, "no IPv6 address is between the brackets");
    if (colon > 0 && after.at[0] != '%' && after.at[0] != '/')
        return wrong(reader, text, "after the bracket comes :PORT");
    memcpy(host, inside.at, inside.length);
    memcpy(host + inside.length, after.at, colon);
    if (!read_host(reader, (struct span){host, inside.length + colon}, target))
        return false;
    return colon == after.length || add_ports(reader, target, part(after, colon + 1, after.length));
}

static bool read_authority(const struct reader *reader, struct span text, struct target *target)
{
    size_t colon = find(text, ':');
    if (text.length > 0 && text.at[0] == '[')
        return read_bracketed(reader, text, target);
    if (colon == text.length || colon != find_last(text, ':'))
        return read_host(reader, text, target);
    return read_host(reader, part(text, 0, colon), target) &&
           add_ports(reader, target, part(text, colon + 1, text.length));
}

/* ---- URLs ---- */

/* The length of "scheme://" at the head of the text; 0: none (RFC 3986, 3.1). */
static size_t scheme_length(struct span text)
{
    size_t colon = find(text, ':');
    if (colon == 0 || colon + 3 > text.length || memcmp(text.at + colon, "://", 3) != 0)
        return 0;
    return colon + 3;
}

static bool read_url(const struct reader *reader, struct span text, size_t scheme,
                     struct target *target)
{
    static const struct {
        const char *scheme;
        uint16_t port; /* 0: has no default */
    } known[] = {{"tcp://", 0}, {"http://", 80}, {"https://", 443}};
    size_t i = 0;
    while (
        i < sizeof known / sizeof known[0] &&
        (strlen(known[i].scheme) != scheme || strncasecmp(text.at, known[i].scheme, scheme) != 0))
        i++;
    if (i == sizeof known / sizeof known[0])
        return wrong(reader, text, "of the schemes only tcp, http and https are known");
    struct span authority = part(text, scheme, text.length);
    for (const char *stop = "/?#"; *stop; stop++)
        authority.length = find(authority, *stop);
    size_t at = find_last(authority, '@');
    if (at < authority.length)
        authority = part(authority, at + 1, authority.length);
    if (!read_authority(reader, authority, target))
        return false;
    if (target->range_count == 0 && known[i].port == 0)
        return wrong(reader, text, "tcp://HOST:PORT needs its port");
    if (target->range_count == 0)
        target->ranges[target->range_count++] = (struct target_range){known[i].port, known[i].port};
    return true;
}

bool target_parse(struct target *target, const char *text, const struct target_machine *machine,
                  char error[TARGET_ERROR_MAX])
{
    const struct reader reader = {machine, error};
    struct span all = span(text);
    size_t scheme = scheme_length(all);
    target->host[0] = '\0';
    target->first = (struct tcpdiag_endpoint){0};
    target->addresses = 1;
    target->range_count = 0;
    return scheme ? read_url(&reader, all, scheme, target) : read_authority(&reader, all, target);
}

struct tcpdiag_endpoint target_address(const struct target *target, uint32_t index)
{
    struct tcpdiag_endpoint address = target->first;
    unsigned last = address.family == AF_INET ? 3 : 15;
    /* The block's own bits are zero, and there are at most 16 of them. */
    address.address[last] |= (uint8_t)index;
    address.address[last - 1] |= (uint8_t)(index >> 8);
    return address;
}

static uint16_t service_port(const char *name)
{
    const struct servent *service = getservbyname(name, "tcp");
    return service ? ntohs((uint16_t)service->s_port) : 0;
}

static uint32_t interface_index(const char *name)
{
    return if_nametoindex(name);
}

const struct target_machine target_this_machine = {service_port, interface_index};
