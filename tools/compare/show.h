/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_TOOLS_COMPARE_SHOW_H
#define TCPDIAG_TOOLS_COMPARE_SHOW_H

#include "tools/compare/comparison.h"

void compare_show(const struct comparison *comparison);
void compare_print_json(const struct comparison *comparison);

#endif
