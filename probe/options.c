/* SPDX-License-Identifier: MIT */
#include "probe/options.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "probe/results/status.h"
#include "shim/diagnosis/duration.h"
#include "shim/diagnosis/version.h"

/* Fits a terminal of 80 columns and 24 lines. */
static const char usage[] =
    "usage: tcpdiag-probe [OPTION]... HOST PORT... | HOST:PORT... | URL... | -f FILE\n"
    "Connects to each address of each target, and says how it went and why.\n"
    "  -4, -6                 only IPv4, only IPv6\n"
    "  -w, --timeout SECONDS  give each connect so long (10; decimals are allowed)\n"
    "  -n, --count N          N connects to each target, 0: until interrupted\n"
    "  -i, --interval SECONDS from round to round (-n: 1; --wait: 0.1)\n"
    "  -s, --source ADDRESS   -p, --source-port PORT   connect from there\n"
    "  -I, --interface NAME   --mark N                 through it, with this SO_MARK\n"
    "  -j, --jobs N           at most so many connects at once (4096)\n"
    "  -f, --file FILE        targets, one a line; - is standard input\n"
    "      --wait[=SECONDS]   try until it opens      --wait-closed[=SECONDS]\n"
    "      --no-control       after silence, ask the host nothing else\n"
    "      --trace            where on the way it ends   -V, --version\n"
    "      --ordered          results in the order of the targets, not as they come\n"
    "      --json, --csv      the records of libtcpdiag's log; a table\n"
    "  -q, --quiet            no explanations         -v, -z  nc's habits, ignored\n"
    "HOST: a name, an address, a block (10.0.0.0/24). PORT: a number, a service, a\n"
    "range or a list (22,http,8000-8100). URL: tcp://HOST:PORT, http(s)://HOST\n"
    "Exit status:  0 connected     5 refused     8 abandoned\n"
    "              2 wrong usage   6 timeout     9 a local error\n"
    "              3 dns           7 denied     10 the targets differ\n"
    "              4 no-route\n";

enum {
    OPTION_MARK = 256,
    OPTION_ORDERED,
    OPTION_JSON,
    OPTION_CSV,
    OPTION_NO_CONTROL,
    OPTION_TRACE,
    OPTION_WAIT,
    OPTION_WAIT_CLOSED,
    OPTION_HELP
};

static const struct option long_options[] = {
    {"timeout", required_argument, NULL, 'w'},
    {"count", required_argument, NULL, 'n'},
    {"interval", required_argument, NULL, 'i'},
    {"source", required_argument, NULL, 's'},
    {"interface", required_argument, NULL, 'I'},
    {"source-port", required_argument, NULL, 'p'},
    {"mark", required_argument, NULL, OPTION_MARK},
    {"jobs", required_argument, NULL, 'j'},
    {"file", required_argument, NULL, 'f'},
    {"ordered", no_argument, NULL, OPTION_ORDERED},
    {"json", no_argument, NULL, OPTION_JSON},
    {"csv", no_argument, NULL, OPTION_CSV},
    {"quiet", no_argument, NULL, 'q'},
    {"no-control", no_argument, NULL, OPTION_NO_CONTROL},
    {"trace", no_argument, NULL, OPTION_TRACE},
    {"wait", optional_argument, NULL, OPTION_WAIT},
    {"wait-closed", optional_argument, NULL, OPTION_WAIT_CLOSED},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, 'V'},
    {0},
};

enum { JOBS = 4096, JOBS_MAX = 1000000 };
#define LIMIT (10 * TCPDIAG_SECOND)
/* In --wait a host that is still to come is silent: a fresh SYN each second finds it sooner than
   the kernel's second and third, which come after one and three seconds. */
#define WAIT_LIMIT TCPDIAG_SECOND
#define REPEAT_INTERVAL TCPDIAG_SECOND
#define WAIT_INTERVAL (100 * TCPDIAG_MILLISECOND)

/* What was given; the defaults depend on the mode, which may come last. */
struct given {
    int64_t limit_ns, interval_ns;
    bool count, interval;
};

static bool only(const char *text, const char *bytes)
{
    return *text && text[strspn(text, bytes)] == '\0';
}

static bool seconds(const char *what, const char *text, double least, int64_t *ns)
{
    char *end;
    double value = strtod(text, &end);
    if (only(text, "0123456789.") && *end == '\0' && value >= least && value <= 1e6) {
        *ns = (int64_t)(value * 1e9);
        return true;
    }
    warnx("%s %s: not a number of seconds between %g and 1000000", what, text, least);
    return false;
}

static bool whole(const char *what, const char *text, uint64_t least, uint64_t most,
                  uint64_t *number)
{
    errno = 0;
    *number = only(text, "0123456789") ? strtoull(text, NULL, 10) : 0;
    if (errno == 0 && only(text, "0123456789") && *number >= least && *number <= most)
        return true;
    warnx("%s %s: not a number between %llu and %llu", what, text, (unsigned long long)least,
          (unsigned long long)most);
    return false;
}

static bool take_mark(struct options *options, const char *text)
{
    char *end;
    errno = 0;
    unsigned long mark = strtoul(text, &end, 0);
    options->engine.dial.marked = true;
    options->engine.dial.mark = (uint32_t)mark;
    if (errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' && mark <= UINT32_MAX)
        return true;
    warnx("--mark %s: not a number between 0 and 4294967295", text);
    return false;
}

static bool take_source(struct options *options, const char *text)
{
    char error[TARGET_ERROR_MAX];
    struct target target;
    if (!target_parse(&target, text, &target_this_machine, error) || target.addresses != 1 ||
        target.range_count != 0 || target.first.family == 0) {
        warnx("-s %s: not an address", text);
        return false;
    }
    uint16_t port = options->engine.dial.source.port;
    options->engine.dial.source = target.first;
    options->engine.dial.source.port = port;
    return true;
}

static bool take_interface(struct options *options, const char *text)
{
    options->engine.dial.interface = text;
    if (strlen(text) < IFNAMSIZ && if_nametoindex(text) != 0)
        return true;
    warnx("-I %s: no interface of this machine has this name", text);
    return false;
}

static bool take_file(struct options *options, const char *text)
{
    if (options->source.file_count == SOURCE_FILES_MAX) {
        warnx("more than %d files", SOURCE_FILES_MAX);
        return false;
    }
    options->source.files[options->source.file_count++] = text;
    return true;
}

static bool take_mode(struct options *options, enum mode mode)
{
    if (options->mode == MODE_ONCE || options->mode == mode) {
        options->mode = mode;
        return true;
    }
    warnx("of -n, --wait and --wait-closed only one can be done at a time");
    return false;
}

static bool take_form(struct options *options, enum output_form form)
{
    options->output.form = form;
    return true;
}

static bool take_family(struct options *options, int family)
{
    if (options->source.family == AF_UNSPEC || options->source.family == family) {
        options->source.family = family;
        return true;
    }
    warnx("-4 and -6 leave no address to try");
    return false;
}

static bool take_wait(struct options *options, enum mode mode, const char *text)
{
    return take_mode(options, mode) &&
           (!text || seconds(mode == MODE_WAIT ? "--wait" : "--wait-closed", text, 0.001,
                             &options->wait_ns));
}

static bool take_numbers(struct options *options, struct given *given, int option)
{
    uint64_t number = 0;
    bool good = true;
    switch (option) {
    case 'w':
        return seconds("-w", optarg, 0.001, &given->limit_ns);
    case 'i':
        given->interval = true;
        return seconds("-i", optarg, 0, &given->interval_ns);
    case 'n':
        return whole("-n", optarg, 0, UINT32_MAX, &options->count) &&
               take_mode(options, MODE_REPEAT);
    case 'p':
        good = whole("-p", optarg, 1, 65535, &number);
        options->engine.dial.source.port = (uint16_t)number;
        return good;
    default:
        good = whole("-j", optarg, 1, JOBS_MAX, &number);
        options->engine.jobs = (unsigned)number;
        return good;
    }
}

static bool take(struct options *options, struct given *given, int option)
{
    switch (option) {
    case '4':
        return take_family(options, AF_INET);
    case '6':
        return take_family(options, AF_INET6);
    case 's':
        return take_source(options, optarg);
    case 'I':
        return take_interface(options, optarg);
    case OPTION_MARK:
        return take_mark(options, optarg);
    case 'f':
        return take_file(options, optarg);
    case OPTION_ORDERED:
        return options->ordered = true;
    case OPTION_JSON:
        return take_form(options, OUTPUT_JSON);
    case OPTION_CSV:
        return take_form(options, OUTPUT_CSV);
    case 'q':
        return options->output.quiet = true;
    case 'v':
    case 'z':
        return true;
    case OPTION_NO_CONTROL:
        return options->no_control = true;
    case OPTION_TRACE:
        return options->trace = true;
    case OPTION_WAIT:
        return take_wait(options, MODE_WAIT, optarg);
    case OPTION_WAIT_CLOSED:
        return take_wait(options, MODE_WAIT_CLOSED, optarg);
    case OPTION_HELP:
        fputs(usage, stdout);
        exit(fflush(stdout) == 0 ? 0 : STATUS_USAGE);
    case 'V':
        puts("tcpdiag-probe " TCPDIAG_VERSION);
        exit(fflush(stdout) == 0 ? 0 : STATUS_USAGE);
    case '?': /* getopt has said it */
        return false;
    default:
        return take_numbers(options, given, option);
    }
}

/* What the kernel would answer to each connect is better said once. */
static bool test_socket(const struct options *options)
{
    const struct dial_options *dial = &options->engine.dial;
    char address[TCPDIAG_ADDRESS_MAX];
    int error = dial_test(dial);
    if (error == 0 || error == EADDRINUSE)
        return true;
    errno = error;
    tcpdiag_address_text(&dial->source, address);
    if (error == EPERM && dial->marked)
        warnx("--mark: only root (CAP_NET_ADMIN) may mark packets");
    else if (error == EPERM && dial->interface)
        warn("-I %s", dial->interface);
    else if (error == EACCES)
        warnx("-p %u: only root (CAP_NET_BIND_SERVICE) may take this port", dial->source.port);
    else if (dial->source.family != 0)
        warn("-s %s", address);
    else
        warn("socket");
    return false;
}

/* The options that depend on others. */
static bool settle(struct options *options, const struct given *given)
{
    bool waits = options->mode == MODE_WAIT || options->mode == MODE_WAIT_CLOSED;
    int family = options->engine.dial.source.family;
    options->engine.limit_ns = given->limit_ns ? given->limit_ns : waits ? WAIT_LIMIT : LIMIT;
    options->interval_ns = given->interval                ? given->interval_ns
                           : options->mode == MODE_REPEAT ? REPEAT_INTERVAL
                                                          : WAIT_INTERVAL;
    if (options->mode == MODE_REPEAT && options->count == 1)
        options->mode = MODE_ONCE;
    if (options->trace && options->mode != MODE_ONCE) {
        warnx("--trace is for a single pass, without -n, --wait and --wait-closed");
        return false;
    }
    for (int i = 0; i < options->source.file_count && waits; i++)
        if (strcmp(options->source.files[i], "-") == 0) {
            warnx("standard input can be read once only, and --wait would read it again");
            return false;
        }
    return (family == 0 || take_family(options, family)) && test_socket(options);
}

bool options_parse(int argc, char **argv, struct options *options)
{
    struct given given = {0};
    *options = (struct options){.engine.jobs = JOBS, .source.family = AF_UNSPEC};
    for (int option;
         (option = getopt_long(argc, argv, "46w:n:i:s:I:p:j:f:qvzV", long_options, NULL)) != -1;)
        if (!take(options, &given, option))
            return false;
    options->source.words = argv + optind;
    options->source.word_count = argc - optind;
    if (options->source.word_count == 0 && options->source.file_count == 0) {
        warnx("wants a HOST and a PORT; tcpdiag-probe --help says more");
        return false;
    }
    return settle(options, &given);
}
