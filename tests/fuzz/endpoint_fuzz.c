/* SPDX-License-Identifier: MIT */
/* Any bytes as the sockaddr that a program hands to connect(): never read beyond its length, and
   what is taken for an address is the one that libc's own functions see. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "shim/diagnosis/endpoint.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const struct tcpdiag_endpoint *endpoint)
{
    char text[TCPDIAG_ADDRESS_MAX];
    uint8_t again[16] = {0};
    size_t length = tcpdiag_address_text(endpoint, text);
    CLAIM(length < sizeof text && strlen(text) == length);
    if (endpoint->family == 0) {
        CLAIM(length == 0);
        return;
    }
    text[strcspn(text, "%")] = '\0';
    CLAIM(inet_pton(endpoint->family, text, again) == 1);
    CLAIM(memcmp(again, endpoint->address, sizeof again) == 0);
}

/* What the kernel is given for it is read back as the same. */
static void check_sockaddr(const struct tcpdiag_endpoint *endpoint)
{
    struct sockaddr_storage address;
    struct tcpdiag_endpoint again;
    socklen_t length = tcpdiag_endpoint_to(endpoint, &address);
    tcpdiag_endpoint_from(&again, &address, length);
    CLAIM(memcmp(&again, endpoint, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tcpdiag_endpoint endpoint;
    struct tcpdiag_endpoint same;
    sa_family_t family = 0;
    tcpdiag_endpoint_from(&endpoint, data, (socklen_t)size);
    tcpdiag_endpoint_from(&same, data, (socklen_t)size);
    CLAIM(memcmp(&endpoint, &same, sizeof same) == 0);
    CLAIM(tcpdiag_same_address(&endpoint, &same));
    if (size >= sizeof family)
        memcpy(&family, data, sizeof family);
    if (family == AF_INET)
        CLAIM(endpoint.family == (size >= sizeof(struct sockaddr_in) ? AF_INET : 0));
    else if (family == AF_INET6)
        CLAIM((endpoint.family != 0) == (size >= 24));
    else
        CLAIM(endpoint.family == 0);
    if (endpoint.family == AF_INET6) {
        struct in6_addr address;
        memcpy(&address, endpoint.address, sizeof address);
        CLAIM(!IN6_IS_ADDR_V4MAPPED(&address));
    }
    check_text(&endpoint);
    if (endpoint.family != 0)
        check_sockaddr(&endpoint);
    return 0;
}
