/* SPDX-License-Identifier: MIT */
#include "shim/process/state.h"

#include "shim/process/sys.h"

enum { PAGE = 4096 };

/* Pages of its own: MADV_WIPEONFORK works on pages, and must wipe nothing else. */
static union {
    struct tcpdiag_this_process process;
    char page[PAGE];
} map __attribute__((aligned(PAGE)));

struct tcpdiag_this_process *const tcpdiag_this_process = &map.process;

void tcpdiag_state_init(void)
{
#ifdef MADV_WIPEONFORK /* Linux 4.14; before it, what was held in a fork stays held */
    sys_madvise(&map, sizeof map, MADV_WIPEONFORK);
#endif
}
