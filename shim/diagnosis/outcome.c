/* SPDX-License-Identifier: MIT */
#include "shim/diagnosis/outcome.h"

#include <string.h>

static const struct tcpdiag_outcome_info outcomes[TCPDIAG_OUTCOME_COUNT] = {{"", 1, ""},
#define X(symbol, name, status, meaning, advice) {name, status, meaning},
                                                                            TCPDIAG_OUTCOMES(X)
#undef X
};

static const struct tcpdiag_cause_info causes[TCPDIAG_CAUSE_COUNT] = {
    {"", TCPDIAG_OUTCOME_NONE, ""},
#define X(symbol, name, outcome, meaning, advice) {name, TCPDIAG_##outcome, meaning},
    TCPDIAG_CAUSES(X)
#undef X
};

const struct tcpdiag_outcome_info *tcpdiag_outcome_info(enum tcpdiag_outcome outcome)
{
    return &outcomes[(unsigned)outcome < TCPDIAG_OUTCOME_COUNT ? outcome : 0];
}

const struct tcpdiag_cause_info *tcpdiag_cause_info(enum tcpdiag_cause cause)
{
    return &causes[(unsigned)cause < TCPDIAG_CAUSE_COUNT ? cause : 0];
}

enum tcpdiag_outcome tcpdiag_outcome_by_name(const char *name)
{
    for (int i = 1; name && i < TCPDIAG_OUTCOME_COUNT; i++)
        if (strcmp(outcomes[i].name, name) == 0)
            return (enum tcpdiag_outcome)i;
    return TCPDIAG_OUTCOME_NONE;
}

enum tcpdiag_cause tcpdiag_cause_by_name(enum tcpdiag_outcome outcome, const char *name)
{
    for (int i = 1; name && i < TCPDIAG_CAUSE_COUNT; i++)
        if (causes[i].outcome == outcome && strcmp(causes[i].name, name) == 0)
            return (enum tcpdiag_cause)i;
    return TCPDIAG_CAUSE_NONE;
}
