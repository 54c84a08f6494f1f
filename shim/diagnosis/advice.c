/* SPDX-License-Identifier: MIT */
#include "shim/diagnosis/advice.h"

#include <stdbool.h>
#include <string.h>

#include "shim/diagnosis/text.h"

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

static bool is_upper(char byte)
{
    return byte >= 'A' && byte <= 'Z';
}

static bool harmless(const char *word)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._:%";
    return word && word[0] && word[0] != '-' && word[strspn(word, letters)] == '\0';
}

char *tcpdiag_advice_for(enum tcpdiag_outcome outcome, enum tcpdiag_cause cause, const char *name,
                         const char *address, char *buffer, size_t size)
{
    const struct {
        const char *word;
        const char *meant;
    } places[] = {{"NAME", name}, {"ADDRESS", address}};
    struct tcpdiag_out out = {buffer, buffer + size - 1, false};
    for (const char *at = tcpdiag_advice(outcome, cause); *at;) {
        size_t length = 1;
        while (is_upper(at[0]) && is_upper(at[length]))
            length++;
        const char *text = at;
        size_t put = length;
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
            if (length == strlen(places[i].word) && memcmp(at, places[i].word, length) == 0 &&
                harmless(places[i].meant)) {
                text = places[i].meant;
                put = strlen(text);
            }
        tcpdiag_put(&out, text, put);
        at += length;
    }
    *out.at = '\0';
    return buffer;
}
