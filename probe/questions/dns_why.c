/* SPDX-License-Identifier: MIT */
#include "probe/questions/dns_why.h"

#include <sys/socket.h>

static bool knows(enum dns_reply reply)
{
    return reply == DNS_FOUND || reply == DNS_EMPTY || reply == DNS_NXDOMAIN;
}

bool dns_works(const struct dns_result *result, const struct dns_server *server)
{
    bool works = knows(server->root.reply);
    for (unsigned i = 0; i < result->name_count; i++)
        works = works || knows(server->a[i].reply) || knows(server->aaaa[i].reply);
    return works;
}

/* libc would ask for names[i] by itself. */
static bool applied(const struct dns_result *result, unsigned i)
{
    if (i > 0)
        return result->searched;
    return result->tld_queries || !result->single_label || result->trailing_dot ||
           !result->searched;
}

static bool wants(const struct dns_result *result, int family)
{
    return result->family == AF_UNSPEC || result->family == family;
}

static bool has(const struct dns_result *result, const struct dns_server *server, unsigned i)
{
    return (wants(result, AF_INET) && server->a[i].reply == DNS_FOUND) ||
           (wants(result, AF_INET6) && server->aaaa[i].reply == DNS_FOUND);
}

enum said { WANTED, OTHER_FAMILY, EMPTY, MISSING };

static bool says(const struct dns_result *result, const struct dns_server *server, unsigned i,
                 enum said what)
{
    enum dns_reply a = server->a[i].reply, aaaa = server->aaaa[i].reply;
    switch (what) {
    case WANTED:
        return has(result, server, i);
    case OTHER_FAMILY:
        return !has(result, server, i) && (a == DNS_FOUND || aaaa == DNS_FOUND);
    case EMPTY:
        return a != DNS_FOUND && aaaa != DNS_FOUND && (a == DNS_EMPTY || aaaa == DNS_EMPTY);
    default:
        return a == DNS_NXDOMAIN && aaaa == DNS_NXDOMAIN;
    }
}

static bool some_server_says(const struct dns_result *result, unsigned i, enum said what)
{
    for (unsigned s = 0; s < result->server_count; s++)
        if (says(result, &result->servers[s], i, what))
            return true;
    return false;
}

static bool refusal(enum dns_reply reply)
{
    return reply == DNS_REFUSED || reply == DNS_SERVFAIL || reply == DNS_OTHER;
}

static enum dns_why none_works(const struct dns_result *result)
{
    bool refuses = false, silent = false;
    for (unsigned s = 0; s < result->server_count; s++) {
        refuses = refuses || refusal(result->servers[s].root.reply);
        for (unsigned i = 0; i < result->name_count; i++) {
            enum dns_reply reply = result->servers[s].a[i].reply;
            silent = silent || reply == DNS_SILENT;
            refuses = refuses || refusal(reply);
        }
    }
    if (refuses)
        return DNS_WHY_ALL_REFUSE;
    if (!result->servers_named)
        return DNS_WHY_NO_SERVER;
    return silent ? DNS_WHY_ALL_SILENT : DNS_WHY_ALL_UNREACHABLE;
}

/* The first of the names (those that libc would ask for, or the others) that some server says this
   of; name_count: none. */
static unsigned find(const struct dns_result *result, bool apply, enum said what)
{
    unsigned i = 0;
    while (i < result->name_count &&
           !(applied(result, i) == apply && some_server_says(result, i, what)))
        i++;
    return i;
}

static enum dns_why about(struct dns_result *result, unsigned i, enum dns_why why)
{
    result->why_name = i;
    return why;
}

static enum dns_why by_dns(struct dns_result *result)
{
    unsigned none = result->name_count, i;
    if ((i = find(result, true, WANTED)) < none)
        return about(result, i,
                     some_server_says(result, i, MISSING) ? DNS_WHY_SERVERS_DIFFER
                                                          : DNS_WHY_RESOLVES);
    if ((i = find(result, true, OTHER_FAMILY)) < none)
        return about(result, i, DNS_WHY_OTHER_FAMILY);
    if ((i = find(result, false, WANTED)) < none)
        return about(result, i, i == 0 ? DNS_WHY_ONLY_BARE : DNS_WHY_ONLY_SEARCH);
    if ((i = find(result, true, EMPTY)) < none)
        return about(result, i, DNS_WHY_NO_ADDRESS);
    if (find(result, true, MISSING) == none)
        return DNS_WHY_NAME_FAILS;
    return result->single_label ? DNS_WHY_SINGLE_LABEL : DNS_WHY_NOT_FOUND;
}

void dns_conclude(struct dns_result *result)
{
    bool hosts_wanted = (wants(result, AF_INET) && result->hosts_has_v4) ||
                        (wants(result, AF_INET6) && result->hosts_has_v6);
    bool hosts_any = result->hosts_has_v4 || result->hosts_has_v6;
    for (unsigned s = 0; s < result->server_count; s++)
        result->any_name_resolves =
            result->any_name_resolves || dns_works(result, &result->servers[s]);
    enum dns_why dns = !result->any_name_resolves ? none_works(result) : by_dns(result);
    result->why = dns;
    if (hosts_wanted && result->files_used)
        result->why = about(result, 0, DNS_WHY_RESOLVES);
    else if (dns == DNS_WHY_RESOLVES && result->dns_used)
        return;
    else if (hosts_wanted)
        result->why = DNS_WHY_HOSTS_UNUSED;
    else if (hosts_any && result->files_used)
        result->why = DNS_WHY_HOSTS;
    else if (!result->dns_used)
        result->why = DNS_WHY_DNS_UNUSED;
}
