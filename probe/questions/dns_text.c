/* SPDX-License-Identifier: MIT */
#include "probe/questions/dns_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "probe/base/format.h"
#include "probe/base/wrap.h"
#include "probe/questions/dns_why.h"
#include "shim/diagnosis/names.h"
#include "shim/diagnosis/record.h"

const char *dns_why_name(enum dns_why why)
{
    static const char *const names[] = {
        [DNS_WHY_UNKNOWN] = "unknown",
        [DNS_WHY_BAD_NAME] = "bad-name",
        [DNS_WHY_HOSTS] = "hosts",
        [DNS_WHY_HOSTS_UNUSED] = "hosts-unused",
        [DNS_WHY_DNS_UNUSED] = "dns-unused",
        [DNS_WHY_NO_SERVER] = "no-server",
        [DNS_WHY_ALL_SILENT] = "all-silent",
        [DNS_WHY_ALL_UNREACHABLE] = "all-unreachable",
        [DNS_WHY_ALL_REFUSE] = "all-refuse",
        [DNS_WHY_NAME_FAILS] = "name-fails",
        [DNS_WHY_OTHER_FAMILY] = "other-family",
        [DNS_WHY_NO_ADDRESS] = "no-address",
        [DNS_WHY_ONLY_SEARCH] = "only-search",
        [DNS_WHY_ONLY_BARE] = "only-bare",
        [DNS_WHY_SERVERS_DIFFER] = "servers-differ",
        [DNS_WHY_SINGLE_LABEL] = "single-label",
        [DNS_WHY_NOT_FOUND] = "not-found",
        [DNS_WHY_RESOLVES] = "resolves",
    };
    return names[why];
}

static const char *reply_name(enum dns_reply reply)
{
    static const char *const names[] = {
        [DNS_NOT_ASKED] = "not-asked",
        [DNS_SILENT] = "silent",
        [DNS_UNREACHABLE] = "unreachable",
        [DNS_FOUND] = "found",
        [DNS_EMPTY] = "no-such-type",
        [DNS_NXDOMAIN] = "nxdomain",
        [DNS_REFUSED] = "refused",
        [DNS_SERVFAIL] = "servfail",
        [DNS_OTHER] = "other",
    };
    return names[reply];
}

static const char *family_name(const struct dns_result *result)
{
    return result->family == AF_INET ? "IPv4" : result->family == AF_INET6 ? "IPv6" : "any";
}

static const char *other_family(const struct dns_result *result)
{
    return result->family == AF_INET ? "IPv6" : "IPv4";
}

/* What the files say: no server's answer is needed for it. */
static bool put_local(struct tcpdiag_out *out, const struct dns_result *result)
{
    switch (result->why) {
    case DNS_WHY_BAD_NAME:
        format_put(out, "This can be no name: a label between dots has 1 to 63 bytes, a name at "
                        "most 253.");
        return true;
    case DNS_WHY_HOSTS:
        format_put(out,
                   "/etc/hosts has the name, but only with an %s address, and the DNS has no "
                   "%s one.",
                   other_family(result), family_name(result));
        return true;
    case DNS_WHY_HOSTS_UNUSED:
        format_put(out,
                   "/etc/hosts has the name, but /etc/nsswitch.conf does not ask it: \"files\" "
                   "is missing in the line \"hosts:\".");
        return true;
    case DNS_WHY_DNS_UNUSED:
        format_put(out, "/etc/nsswitch.conf asks no DNS for hosts: \"dns\" is missing in the line "
                        "\"hosts:\".");
        return true;
    case DNS_WHY_NO_SERVER:
        format_put(out, "%s, and this machine runs no name server of its own: no name resolves.",
                   result->resolv_conf ? "/etc/resolv.conf names no server"
                                       : "There is no /etc/resolv.conf");
        return true;
    default:
        return false;
    }
}

struct shown {
    char text[DNS_NAME_SIZE];
};

/* A name from outside, fit for a terminal. */
static struct shown shown_name(const struct dns_result *result)
{
    struct shown shown = {""};
    const char *name = result->names[result->why_name];
    for (unsigned i = 0; name[i]; i++)
        shown.text[i] = (char)(name[i] > ' ' && name[i] < 0x7f ? name[i] : '?');
    return shown;
}

static bool put_servers_fault(struct tcpdiag_out *out, const struct dns_result *result)
{
    switch (result->why) {
    case DNS_WHY_ALL_SILENT:
        format_put(out, "No name server answers, for any name: it is this machine's DNS setting "
                        "(/etc/resolv.conf) or its way to the servers.");
        return true;
    case DNS_WHY_ALL_UNREACHABLE:
        format_put(out, "No name server can be reached: it is this machine's DNS setting "
                        "(/etc/resolv.conf) or its network.");
        return true;
    case DNS_WHY_ALL_REFUSE:
        format_put(out,
                   "No name server could answer for this name or for the root: the servers fail, "
                   "or serve some names only. Look at /etc/resolv.conf and at the servers.");
        return true;
    case DNS_WHY_NAME_FAILS:
        format_put(out, "The name servers work, but fail for this name: ask who runs its zone.");
        return true;
    case DNS_WHY_SERVERS_DIFFER:
        format_put(out,
                   "The name servers disagree: one knows %s, another says that it does not "
                   "exist. All servers in /etc/resolv.conf must know the same names.",
                   shown_name(result).text);
        return true;
    default:
        return false;
    }
}

static void put_about_name(struct tcpdiag_out *out, const struct dns_result *result)
{
    const struct shown shown = shown_name(result);
    const char *name = shown.text;
    switch (result->why) {
    case DNS_WHY_OTHER_FAMILY:
        format_put(out, "%s has %s addresses, but no %s one, which was asked for.", name,
                   other_family(result), family_name(result));
        break;
    case DNS_WHY_NO_ADDRESS:
        format_put(out, "%s exists, but has no address, neither IPv4 nor IPv6.", name);
        break;
    case DNS_WHY_ONLY_SEARCH:
        format_put(out, "The name exists as %s; the dot at its end turns the search domains off.",
                   name);
        break;
    case DNS_WHY_ONLY_BARE:
        format_put(out,
                   "%s exists, but \"options no-tld-query\" in /etc/resolv.conf asks for it "
                   "only under the search domains. Write %s. with a dot at its end.",
                   name, name);
        break;
    case DNS_WHY_SINGLE_LABEL:
        format_put(out, result->name_count > 1
                            ? "No such name, neither as it stands nor under the search domains: it "
                              "has no dot; write it in full."
                            : "No such name: it has no dot, and /etc/resolv.conf has no search "
                              "domain to complete it; write it in full.");
        break;
    case DNS_WHY_NOT_FOUND:
        format_put(out, "The name servers work and say that the name does not exist: check its "
                        "spelling.");
        break;
    case DNS_WHY_RESOLVES:
        format_put(out, "Asked just now, %s has the address.",
                   result->hosts_has_v4 || result->hosts_has_v6 ? "/etc/hosts" : name);
        break;
    default:
        format_put(out, "Nothing that was asked explains it.");
    }
}

static const char *worded(const struct dns_answer *answer)
{
    const char *name = tcpdiag_errno_name(answer->error);
    switch (answer->reply) {
    case DNS_SILENT:
        return "no answer";
    case DNS_UNREACHABLE:
        return answer->error == ECONNREFUSED ? "no name server there" : name ? name : "unreachable";
    case DNS_FOUND:
        return "has it";
    case DNS_EMPTY:
        return "no such record";
    case DNS_NXDOMAIN:
        return "NXDOMAIN";
    case DNS_REFUSED:
        return "REFUSED";
    case DNS_SERVFAIL:
        return "SERVFAIL";
    default:
        return "nonsense";
    }
}

/* The answer for the name of why that says most: the wanted family's, or the one that was found. */
static const struct dns_answer *telling(const struct dns_result *result,
                                        const struct dns_server *server)
{
    const struct dns_answer *a = &server->a[result->why_name];
    const struct dns_answer *aaaa = &server->aaaa[result->why_name];
    if (result->family == AF_INET6 || (result->family == AF_UNSPEC && aaaa->reply == DNS_FOUND))
        return aaaa;
    return a;
}

static void put_servers(struct tcpdiag_out *out, const struct dns_result *result)
{
    for (unsigned i = 0; i < result->server_count; i++) {
        const struct dns_server *server = &result->servers[i];
        const struct dns_answer *answer = telling(result, server);
        char address[TCPDIAG_ADDRESS_MAX];
        tcpdiag_address_text(&server->endpoint, address);
        format_put(out, "%s%s: %s", i ? "; " : " ", address, worded(answer));
        bool failed = answer->reply == DNS_SILENT || answer->reply == DNS_REFUSED ||
                      answer->reply == DNS_SERVFAIL;
        if (failed && result->any_name_resolves)
            format_put(out, dns_works(result, server) ? " (other names: yes)" : " (for any name)");
    }
    format_put(out, ".");
}

static bool asked_servers(const struct dns_result *result)
{
    return result->server_count > 0 && result->servers[0].root.reply != DNS_NOT_ASKED;
}

static size_t explain(const struct dns_result *result, char *buffer, size_t size, bool servers)
{
    struct tcpdiag_out out = format_begin(buffer, size);
    if (!put_local(&out, result) && !put_servers_fault(&out, result))
        put_about_name(&out, result);
    bool by_files = result->why == DNS_WHY_HOSTS_UNUSED || result->why == DNS_WHY_NO_SERVER ||
                    (result->why == DNS_WHY_RESOLVES && result->files_used &&
                     (result->hosts_has_v4 || result->hosts_has_v6));
    if (servers && asked_servers(result) && !by_files) {
        format_put(&out, " Asked:");
        put_servers(&out, result);
    }
    return format_end(&out, buffer);
}

unsigned dns_lines(const struct dns_result *result, char lines[DNS_LINES_MAX][DNS_LINE_SIZE])
{
    char plain[2048], wrapped[2560];
    struct tcpdiag_out out = format_begin(wrapped, sizeof wrapped);
    unsigned count = 0;
    explain(result, plain, sizeof plain, true);
    wrap_text(&out, "", plain);
    format_end(&out, wrapped);
    char *rest = wrapped, *line;
    while (count < DNS_LINES_MAX && (line = strsep(&rest, "\n")) && *line)
        snprintf(lines[count++], DNS_LINE_SIZE, "%s", line);
    return count;
}

static void put_answer(struct tcpdiag_out *out, const char *key, const struct dns_answer *answer)
{
    const char *error = tcpdiag_errno_name(answer->error);
    format_put(out, ",\"%s\":{\"reply\":\"%s\"", key, reply_name(answer->reply));
    if (answer->rcode >= 0 && answer->reply == DNS_OTHER)
        format_put(out, ",\"rcode\":%d", answer->rcode);
    if (answer->reply == DNS_UNREACHABLE && error)
        format_put(out, ",\"errno\":\"%s\"", error);
    if (answer->rtt_us >= 0) {
        format_put(out, ",\"rtt_ms\":");
        tcpdiag_put_ms(out, answer->rtt_us);
    }
    format_put(out, "}");
}

static void put_server(struct tcpdiag_out *out, const struct dns_result *result,
                       const struct dns_server *server)
{
    format_put(out, "{");
    format_json_address(out, "address", &server->endpoint);
    format_put(out, ",\"port\":%u,\"works\":%s", server->endpoint.port,
               dns_works(result, server) ? "true" : "false");
    put_answer(out, "root", &server->root);
    format_put(out, ",\"names\":[");
    for (unsigned i = 0; i < result->name_count; i++) {
        format_put(out, i ? ",{" : "{");
        format_json_string(out, "name", result->names[i]);
        put_answer(out, "a", &server->a[i]);
        put_answer(out, "aaaa", &server->aaaa[i]);
        format_put(out, "}");
    }
    format_put(out, "]}");
}

size_t dns_json(const struct dns_result *result, char *buffer, size_t size)
{
    struct tcpdiag_out out = format_begin(buffer, size);
    char plain[2048];
    format_put(&out, "{");
    format_json_string(&out, "server.address", result->name);
    format_put(&out,
               ",\"family\":\"%s\",\"why\":\"%s\",\"any_name_resolves\":%s,\"resolv_conf\":%s"
               ",\"servers_named\":%s,\"nsswitch\":{\"files\":%s,\"dns\":%s}"
               ",\"hosts\":{\"ipv4\":%s,\"ipv6\":%s},\"servers\":[",
               family_name(result), dns_why_name(result->why),
               result->any_name_resolves ? "true" : "false", result->resolv_conf ? "true" : "false",
               result->servers_named ? "true" : "false", result->files_used ? "true" : "false",
               result->dns_used ? "true" : "false", result->hosts_has_v4 ? "true" : "false",
               result->hosts_has_v6 ? "true" : "false");
    for (unsigned i = 0; asked_servers(result) && i < result->server_count; i++) {
        format_put(&out, i ? "," : "");
        put_server(&out, result, &result->servers[i]);
    }
    format_put(&out, "],\"duration_ms\":");
    tcpdiag_put_ms(&out, result->duration_ns / 1000);
    format_put(&out, ",");
    explain(result, plain, sizeof plain, false);
    format_json_string(&out, "message", plain);
    format_put(&out, "}");
    return format_end(&out, buffer);
}
