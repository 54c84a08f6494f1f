/* SPDX-License-Identifier: MIT */
#include "tools/compare/process.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/base/file.h"
#include "tools/base/util.h"

enum { ENVIRONMENT_MAX = 1 << 20, PROXY_MAX = 300, RESOLVER_MAX = 1 << 16 };

static bool stat_of(long pid, const char *file, struct stat *status)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/%s", pid, file);
    return stat(path, status) == 0;
}

static FILE *open_of(long pid, const char *file)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/%s", pid, file);
    return fopen(path, "re");
}

bool process_other_network(long pid)
{
    struct stat its, own;
    return stat_of(pid, "ns/net", &its) && stat_of((long)getpid(), "ns/net", &own) &&
           (its.st_ino != own.st_ino || its.st_dev != own.st_dev);
}

long process_other_user(long pid)
{
    struct stat status;
    return stat_of(pid, "", &status) && status.st_uid != geteuid() ? (long)status.st_uid : -1;
}

static int seccomp_of(long pid)
{
    char line[256];
    int mode = -1;
    FILE *file = open_of(pid, "status");
    while (file && mode < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, "Seccomp:", 8) == 0)
            mode = atoi(line + 8);
    if (file)
        fclose(file);
    return mode;
}

bool process_filtered(long pid)
{
    return seccomp_of(pid) > 0 && seccomp_of((long)getpid()) == 0;
}

/* "http://user:secret@proxy:3128/" -> "proxy" and 3128; what stands before the @ is nobody's. */
static bool split_proxy(const char *value, char host[PROXY_MAX], long *port)
{
    const char *scheme = strstr(value, "://");
    const char *at = scheme ? scheme + 3 : value;
    const char *end = at + strcspn(at, "/?#");
    for (const char *look = at; look < end; look++)
        if (*look == '@')
            at = look + 1;
    bool bracket = *at == '[';
    const char *stop = bracket ? strchr(at, ']') : NULL;
    const char *colon = stop ? stop + 1 : at + strcspn(at, ":/?#");
    size_t length = bracket && stop ? (size_t)(stop - at - 1) : (size_t)(colon - at);
    if (length == 0 || length >= PROXY_MAX || *colon != ':' || (bracket && !stop))
        return false;
    memcpy(host, at + bracket, length);
    host[length] = '\0';
    *port = strtol(colon + 1, NULL, 10);
    return true;
}

static char *match_proxy(const char *variable, const char *host, const char *address, long port)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "ftp_proxy"};
    char proxy[PROXY_MAX];
    long proxy_port;
    size_t length = strcspn(variable, "=");
    if (variable[length] != '=' || !split_proxy(variable + length + 1, proxy, &proxy_port) ||
        proxy_port != port || (strcasecmp(proxy, host) != 0 && strcasecmp(proxy, address) != 0))
        return NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == length && strncasecmp(names[i], variable, length) == 0)
            return format("%.*s=%s:%ld", (int)length, variable, proxy, port);
    return NULL;
}

char *process_proxy(long pid, const char *host, const char *address, long port)
{
    char *found = NULL;
    FILE *file = open_of(pid, "environ");
    if (!file)
        return NULL;
    char *variables = need(malloc(ENVIRONMENT_MAX + 1));
    size_t length = fread(variables, 1, ENVIRONMENT_MAX, file);
    variables[length] = '\0';
    for (size_t at = 0; !found && at < length; at += strlen(variables + at) + 1)
        found = match_proxy(variables + at, host, address, port);
    free(variables);
    fclose(file);
    return found;
}

/* "nameserver 10.0.0.1, search corp.test". The file is a stranger's: no more of it is read than one
   of its kind has. */
static char *resolver_in(FILE *file)
{
    char line[512];
    char *words;
    size_t size;
    FILE *to = need(open_memstream(&words, &size));
    const char *separator = "";
    for (size_t read = 0; read < RESOLVER_MAX && fgets(line, sizeof line, file);) {
        read += strlen(line) + 1;
        line[strcspn(line, "#;\n")] = '\0';
        for (size_t end = strlen(line); end > 0 && isspace((unsigned char)line[end - 1]);)
            line[--end] = '\0';
        if (strncmp(line, "nameserver", 10) != 0 && strncmp(line, "search", 6) != 0)
            continue;
        fprintf(to, "%s%s", separator, line);
        separator = ", ";
    }
    if (fclose(to) != 0)
        need(NULL);
    fclose(file);
    return words;
}

char *process_resolver(long pid)
{
    FILE *own_file = file_stream("/etc/resolv.conf", 0);
    FILE *its_file = file_of_root(pid, "etc/resolv.conf");
    char *own = own_file ? resolver_in(own_file) : NULL;
    char *its = its_file ? resolver_in(its_file) : NULL;
    if (its && own && strcmp(its, own) != 0) {
        free(own);
        return its;
    }
    free(its);
    free(own);
    return NULL;
}

char *rule_against(long uid)
{
    char line[1024], owner[64];
    char *found = NULL;
    snprintf(owner, sizeof owner, "skuid %ld", uid);
    FILE *rules = popen("PATH=$PATH:/usr/sbin:/sbin nft list ruleset 2>/dev/null", "re");
    while (rules && fgets(line, sizeof line, rules)) {
        const char *match = strstr(line, owner);
        bool whole = match && !isdigit((unsigned char)match[strlen(owner)]);
        line[strcspn(line, "\n")] = '\0';
        if (whole && !found && (strstr(line, "drop") || strstr(line, "reject")))
            found = copy(line + strspn(line, " \t"));
    }
    if (rules)
        pclose(rules);
    return found;
}
