/* SPDX-License-Identifier: MIT */
/* Prints the tables of shim/diagnosis/outcome.h, one row a line, the fields parted by tabs:
       outcome NAME EXIT-STATUS MEANING ADVICE
       cause NAME OUTCOME MEANING ADVICE
   docs/update makes the tables of the documentation from them. */
#include <stdio.h>

#include "shim/diagnosis/advice.h"

int main(void)
{
    for (int i = 1; i < TCPDIAG_OUTCOME_COUNT; i++) {
        enum tcpdiag_outcome outcome = (enum tcpdiag_outcome)i;
        const struct tcpdiag_outcome_info *row = tcpdiag_outcome_info(outcome);
        printf("outcome\t%s\t%d\t%s\t%s\n", row->name, row->exit_status, row->meaning,
               tcpdiag_advice(outcome, TCPDIAG_CAUSE_NONE));
    }
    for (int i = 1; i < TCPDIAG_CAUSE_COUNT; i++) {
        const struct tcpdiag_cause_info *row = tcpdiag_cause_info((enum tcpdiag_cause)i);
        printf("cause\t%s\t%s\t%s\t%s\n", row->name, tcpdiag_outcome_info(row->outcome)->name,
               row->meaning, tcpdiag_advice(row->outcome, (enum tcpdiag_cause)i));
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
