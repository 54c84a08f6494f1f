/* SPDX-License-Identifier: MIT */
#ifndef TCPDIAG_PROBE_WRAP_H
#define TCPDIAG_PROBE_WRAP_H

#include "shim/diagnosis/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The label and the text behind it, broken between words at TERMINAL_WIDTH. Each line ends in a
   newline; the second and the later ones begin with as many blanks as the label has characters. A
   word that is longer than a line stands alone. Each character counts as one column wide. */
void wrap_text(struct tcpdiag_out *out, const char *label, const char *text);

#ifdef __cplusplus
}
#endif
#endif
