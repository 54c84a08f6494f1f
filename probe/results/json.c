/* SPDX-License-Identifier: MIT */
#include "probe/results/json.h"

static void put_answers(FILE *file, const char *kind, const char *json)
{
    if (json)
        fprintf(file, "{\"%s\":%s}\n", kind, json);
}

void json_result(FILE *file, const struct result *result, bool quiet)
{
    char line[TCPDIAG_RECORD_MAX];
    fwrite_unlocked(line, 1, tcpdiag_record_json(&result->record, line), file);
    put_answers(file, "dns", quiet ? NULL : result->dns_json);
    put_answers(file, "control", quiet ? NULL : result->control_json);
    put_answers(file, "trace", result->trace_json);
}
