/* SPDX-License-Identifier: MIT */
/* Any bytes as the answer of a name server. */
#include <arpa/nameser.h>

#include "probe/questions/dns.h"
#include "tests/fuzz/fuzz.h"

static bool is_answer(const uint8_t *data, size_t size)
{
    return size >= NS_HFIXEDSZ && data[2] & 0x80; /* QR: RFC 1035, 4.1.1 */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int types[] = {ns_t_ns, ns_t_a, ns_t_aaaa};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct dns_answer answer = {DNS_SILENT, -1, 0, -1};
        dns_read_packet(&answer, types[i], data, size);
        CLAIM(answer.reply >= DNS_FOUND && answer.reply <= DNS_OTHER);
        CLAIM(is_answer(data, size) || answer.reply == DNS_OTHER);
        CLAIM((answer.reply == DNS_FOUND || answer.reply == DNS_EMPTY) ==
              (answer.rcode == ns_r_noerror));
        CLAIM(answer.rcode == -1 || answer.rcode == (data[3] & 0x0f));
    }
    return 0;
}
