/* SPDX-License-Identifier: MIT */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "probe/probe.h"

enum { STATUS_USAGE = 2, NAME_MAX_BYTES = 253 /* RFC 1035 */, WRAP = 80 };

static const char usage[] =
    "usage: tcpdiag-probe [-46q] [-w SECONDS] [--json] HOST PORT\n"
    "Connects to each address of HOST until one answers, and says how it went.\n"
    "\n"
    "  -w, --wait SECONDS  give each address so long (10; decimals are allowed)\n"
    "  -4, -6              only IPv4, only IPv6\n"
    "  -j, --json          the records of libtcpdiag's log, one a line\n"
    "  -q, --quiet         no advice\n"
    "  -v, -z              accepted and ignored: nc's habits\n"
    "\n"
    "Exit status:  0 connected     5 refused     8 abandoned\n"
    "              2 wrong usage   6 timeout     9 a local error\n"
    "              3 dns           7 denied     10 the addresses differ\n"
    "              4 no-route\n";

struct output {
    bool json;
    bool quiet;
};

/* "  next: ...", broken between words. The text is ours, so every byte is one column. */
static void print_advice(const char *text)
{
    static const char label[] = "  next:";
    int column = printf("%s", label);
    while (*text) {
        int word = (int)strcspn(text, " ");
        if (column + 1 + word > WRAP)
            column = printf("\n%*s", (int)sizeof label - 1, "") - 1;
        column += printf(" %.*s", word, text);
        text += word;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_record(void *context, const struct tcpdiag_record *record)
{
    const struct output *output = context;
    static char line[TCPDIAG_RECORD_MAX];
    bool well = tcpdiag_outcome_info(record->verdict.outcome)->exit_status == 0;
    if (output->json) {
        fwrite(line, 1, tcpdiag_record_json(record, line), stdout);
    } else if (record->event == TCPDIAG_CONNECT || !well) {
        tcpdiag_record_message(record, line, sizeof line);
        puts(line);
        /* A slow handshake did connect, and still something is to be done. */
        if (!output->quiet && (!well || record->verdict.cause != TCPDIAG_CAUSE_NONE))
            print_advice(tcpdiag_advice(record->verdict.outcome, record->verdict.cause));
    }
    fflush(stdout); /* the next address may take long */
}

static bool only(const char *text, const char *bytes)
{
    return *text && text[strspn(text, bytes)] == '\0';
}

static bool parse_wait(const char *text, int64_t *limit_ns)
{
    char *end;
    double seconds = strtod(text, &end);
    if (!only(text, "0123456789.") || *end || !(seconds >= 1e-3 && seconds <= 1e6)) {
        warnx("-w %s: not a number of seconds between 0.001 and 1000000", text);
        return false;
    }
    *limit_ns = (int64_t)(seconds * 1e9);
    return true;
}

static bool parse_port(const char *text, uint16_t *port)
{
    if (only(text, "0123456789")) {
        unsigned long number = strlen(text) < 10 ? strtoul(text, NULL, 10) : 0;
        *port = (uint16_t)number;
        if (number >= 1 && number <= 65535)
            return true;
        warnx("port %s: not between 1 and 65535", text);
        return false;
    }
    const struct servent *service = getservbyname(text, "tcp");
    if (!service) {
        warnx("port %s: neither a number nor a TCP service of this machine", text);
        return false;
    }
    *port = ntohs((uint16_t)service->s_port);
    return true;
}

static bool check_host(const char *host)
{
    size_t length = strlen(host);
    if (length == 0) {
        warnx("the host is empty");
        return false;
    }
    length -= host[length - 1] == '.';
    if (length <= NAME_MAX_BYTES)
        return true;
    warnx("the host's name has %zu bytes; a name has at most %d", length, NAME_MAX_BYTES);
    return false;
}

static bool parse_arguments(int argc, char **argv, struct probe *probe, struct output *output)
{
    static const struct option options[] = {{"wait", required_argument, NULL, 'w'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    for (int option; (option = getopt_long(argc, argv, "w:46jqvzh", options, NULL)) != -1;)
        switch (option) {
        case 'w':
            if (!parse_wait(optarg, &probe->limit_ns))
                return false;
            break;
        case '4':
            probe->family = AF_INET;
            break;
        case '6':
            probe->family = AF_INET6;
            break;
        case 'j':
            output->json = true;
            break;
        case 'q':
            output->quiet = true;
            break;
        case 'v':
        case 'z':
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            return false;
        }
    if (argc - optind != 2) {
        warnx("wants a HOST and a PORT; tcpdiag-probe --help says more");
        return false;
    }
    probe->host = argv[optind];
    return check_host(probe->host) && parse_port(argv[optind + 1], &probe->port);
}

int main(int argc, char **argv)
{
    struct output output = {false, false};
    struct probe wanted = {.family = AF_UNSPEC,
                           .limit_ns = INT64_C(10000000000),
                           .report = print_record,
                           .context = &output};
    if (argc > 0)
        argv[0] = program_invocation_short_name; /* getopt's messages begin with it, as err's do */
    if (!parse_arguments(argc, argv, &wanted, &output))
        return STATUS_USAGE;
    int status = probe(&wanted);
    if (ferror(stdout) || fflush(stdout) != 0) {
        warn("standard output");
        return STATUS_USAGE;
    }
    return status;
}
