/* SPDX-License-Identifier: MIT */
#include "probe/questions/dns_setup.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shim/diagnosis/endpoint.h"

/* Calls visit with the words of each line; what follows a '#' is no part of it. */
static bool each_line(const char *path, void (*visit)(char **words, void *context), void *context)
{
    char line[1024], *words[64];
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    while (fgets(line, sizeof line, file)) {
        unsigned count = 0;
        line[strcspn(line, "#\n")] = '\0';
        for (char *rest = line, *word; count < 63 && (word = strsep(&rest, " \t:[]"));)
            if (*word)
                words[count++] = word;
        words[count] = NULL;
        if (count > 0)
            visit(words, context);
    }
    fclose(file);
    return true;
}

/* hosts: files mdns4_minimal [NOTFOUND=return] dns */
static void read_switch_line(char **words, void *context)
{
    struct dns_result *result = context;
    if (strcmp(words[0], "hosts") != 0)
        return;
    result->files_used = result->dns_used = false;
    for (char **word = words + 1; *word; word++) {
        result->files_used = result->files_used || strcmp(*word, "files") == 0;
        /* systemd-resolved asks the DNS for libc. */
        result->dns_used =
            result->dns_used || strcmp(*word, "dns") == 0 || strcmp(*word, "resolve") == 0;
    }
}

static void strip_dot(char *name)
{
    size_t length = strlen(name);
    if (length > 1 && name[length - 1] == '.')
        name[length - 1] = '\0';
}

/* The address is split at its colons here: a line of hosts is read as it is. */
static void read_hosts(struct dns_result *result)
{
    char line[1024];
    FILE *file = fopen("/etc/hosts", "re");
    while (file && fgets(line, sizeof line, file)) {
        unsigned char address[16];
        line[strcspn(line, "#\n")] = '\0';
        char *rest = line, *word;
        const char *first = NULL;
        while ((word = strsep(&rest, " \t"))) {
            if (!*word)
                continue;
            if (!first) {
                first = word;
                continue;
            }
            strip_dot(word);
            if (strcasecmp(word, result->names[0]) != 0)
                continue;
            result->hosts_has_v4 = result->hosts_has_v4 || inet_pton(AF_INET, first, address) == 1;
            result->hosts_has_v6 = result->hosts_has_v6 || inet_pton(AF_INET6, first, address) == 1;
        }
    }
    if (file)
        fclose(file);
}

static void see_server(char **words, void *context)
{
    struct dns_result *result = context;
    result->servers_named =
        result->servers_named || (strcmp(words[0], "nameserver") == 0 && words[1]);
}

/* An IPv6 server is in libc's list of its own, at the same index (res_init.c keeps them so). */
static void list_servers(struct dns_result *result, res_state state)
{
    for (int i = 0; i < state->nscount && result->server_count < DNS_SERVERS_MAX; i++) {
        const struct sockaddr_in6 *v6 = state->_u._ext.nsaddrs[i];
        struct tcpdiag_endpoint *endpoint = &result->servers[result->server_count].endpoint;
        if (state->nsaddr_list[i].sin_family == AF_INET)
            tcpdiag_endpoint_from(endpoint, &state->nsaddr_list[i], sizeof state->nsaddr_list[i]);
        else if (v6)
            tcpdiag_endpoint_from(endpoint, v6, sizeof *v6);
        result->server_count += endpoint->family != 0;
    }
}

static void add_name(struct dns_result *result, const char *name, const char *domain)
{
    char *to = result->names[result->name_count];
    int length = snprintf(to, DNS_NAME_SIZE, *domain ? "%s.%s" : "%s%s", name, domain);
    strip_dot(to);
    if (length > 0 && length < DNS_NAME_SIZE)
        result->name_count++;
}

static void list_names(struct dns_result *result, res_state state)
{
    char bare[DNS_NAME_SIZE];
    snprintf(bare, sizeof bare, "%s", result->name);
    size_t length = strlen(bare);
    result->trailing_dot = length > 1 && bare[length - 1] == '.';
    strip_dot(bare);
    result->single_label = strchr(bare, '.') == NULL;
    result->searched = !result->trailing_dot && (state->options & (RES_DNSRCH | RES_DEFNAMES));
    result->tld_queries = !(state->options & RES_NOTLDQUERY);
    add_name(result, bare, "");
    for (int i = 0; i < MAXDNSRCH && state->dnsrch[i] && result->name_count < DNS_NAMES_MAX; i++)
        if (*state->dnsrch[i] && strcmp(state->dnsrch[i], ".") != 0)
            add_name(result, bare, state->dnsrch[i]);
}

bool dns_setup(struct dns_result *result, res_state state)
{
    memset(state, 0, sizeof *state);
    result->files_used = result->dns_used = true; /* libc's own default */
    each_line("/etc/nsswitch.conf", read_switch_line, result);
    result->resolv_conf = each_line("/etc/resolv.conf", see_server, result);
    if (res_ninit(state) != 0)
        return false;
    list_servers(result, state);
    list_names(result, state);
    read_hosts(result);
    return true;
}
