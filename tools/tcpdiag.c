/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "shim/diagnosis/version.h"
#include "tools/base/prober.h"
#include "tools/base/util.h"
#include "tools/compare/compare.h"
#include "tools/report/report.h"
#include "tools/run/run.h"

static const struct command {
    const char *name;
    int (*function)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"run", tcpdiag_run, "run a program under diagnosis, with a summary when it ends"},
    {"report", tcpdiag_report, "what failed, why, and what to do next"},
    {"compare", tcpdiag_compare, "ask again what failed, and put both answers side by side"},
    {"probe", tcpdiag_probe, "try one destination now and say how it goes"},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void help(FILE *to)
{
    fputs("usage: tcpdiag COMMAND [ARGUMENTS]\n"
          "Says why TCP connections fail: not a name, no route, refused, or no answer.\n\n",
          to);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
    fputs("\ntcpdiag COMMAND --help says more; tcpdiag --version (-V) says which this is.\n", to);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help(stdout);
        return finish_output(0);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts("tcpdiag " TCPDIAG_VERSION);
        return finish_output(0);
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            argv[1] =
                program_invocation_short_name; /* getopt's messages begin with it, as err's do */
            return commands[i].function(argc - 1, argv + 1);
        }
    complain("%s: no such command; tcpdiag --help lists them", argv[1]);
    return STATUS_USAGE;
}
