/* SPDX-License-Identifier: MIT */
/* Apart from the other words: only the tools give advice, and the shim should not carry it. */
#include <stddef.h>

#include "shim/diagnosis/outcome.h"

const char *tcpdiag_advice(enum tcpdiag_outcome outcome, enum tcpdiag_cause cause)
{
    static const char *const outcomes[TCPDIAG_OUTCOME_COUNT] = {"",
#define X(symbol, name, status, meaning, advice) advice,
                                                                TCPDIAG_OUTCOMES(X)
#undef X
    };
    static const char *const causes[TCPDIAG_CAUSE_COUNT] = {NULL,
#define X(symbol, name, outcome, meaning, advice) advice,
                                                            TCPDIAG_CAUSES(X)
#undef X
    };
    const char *advice = (unsigned)cause < TCPDIAG_CAUSE_COUNT ? causes[cause] : NULL;
    return advice ? advice : outcomes[(unsigned)outcome < TCPDIAG_OUTCOME_COUNT ? outcome : 0];
}
