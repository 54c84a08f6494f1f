/* SPDX-License-Identifier: MIT */
#include "probe/results/status.h"

void status_fold(int *status, int one)
{
    *status = *status == STATUS_NONE || *status == one ? one : STATUS_MIXED;
}
