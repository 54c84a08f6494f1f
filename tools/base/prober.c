/* SPDX-License-Identifier: MIT */
/* tcpdiag probe: the standalone prober under the tool's name. */
#include "tools/base/prober.h"

#include <stdlib.h>
#include <unistd.h>

#include "tools/base/util.h"

/* As bazel lays them out, and as they are installed. */
static const char *const places[] = {"../probe/tcpdiag-probe", "tcpdiag-probe"};

char *probe_program(void)
{
    char *folder = own_folder();
    char *found = NULL;
    for (size_t i = 0; !found && i < sizeof places / sizeof places[0]; i++) {
        found = format("%s/%s", folder, places[i]);
        if (access(found, X_OK) != 0) {
            free(found);
            found = NULL;
        }
    }
    if (!found)
        complain("tcpdiag-probe is not next to this program, in %s", folder);
    free(folder);
    return found;
}

int tcpdiag_probe(int argc, char **argv)
{
    (void)argc;
    argv[0] = probe_program();
    if (!argv[0])
        return STATUS_BROKEN;
    execv(argv[0], argv);
    complain_errno("%s", argv[0]);
    free(argv[0]);
    return STATUS_BROKEN;
}
