/* SPDX-License-Identifier: MIT */
/* tcpdiag probe: the standalone prober under the tool's name. */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/tcpdiag.h"
#include "tools/util.h"

int tcpdiag_probe(int argc, char **argv)
{
    /* As bazel lays them out, and as they are installed. */
    static const char *const places[] = {"../probe/tcpdiag-probe", "tcpdiag-probe"};
    char *folder = own_folder();
    (void)argc;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char *path = format("%s/%s", folder, places[i]);
        argv[0] = path;
        execv(path, argv);
        if (errno != ENOENT && errno != ENOTDIR)
            warn("%s", path);
        free(path);
    }
    warnx("tcpdiag-probe is not next to this program, in %s", folder);
    free(folder);
    return STATUS_BROKEN;
}
