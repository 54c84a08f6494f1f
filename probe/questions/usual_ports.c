/* SPDX-License-Identifier: MIT */
#include "probe/questions/usual_ports.h"

const uint16_t usual_ports[USUAL_PORT_COUNT] = {80, 443, 22, 1};
