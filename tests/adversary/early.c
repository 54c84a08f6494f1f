/* SPDX-License-Identifier: MIT */
/* A library whose constructor runs before that of a preload library, and its destructor after. */
#include <stdlib.h>

#include "tests/shim/scene.h"

void tcpdiag_test_early(void);

static void refused_once(void)
{
    struct sockaddr_in address = refusing();
    CHECK(to(tcp(0), &address) == -1 && errno == ECONNREFUSED);
    close(in_progress(&address));
}

__attribute__((constructor)) static void first(void)
{
    refused_once();
}

__attribute__((destructor)) static void last(void)
{
    refused_once();
}

/* So that a program needs this library. */
void tcpdiag_test_early(void)
{
}
