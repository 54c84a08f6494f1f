/* SPDX-License-Identifier: MIT */
#include "probe/results/order.h"

#include <stdlib.h>

#include "probe/base/memory.h"

struct order {
    void (*show)(void *context, const struct result *result);
    void *context;
    uint64_t connected, total;
    struct result **waiting; /* NULL: results are shown as they come */
    uint64_t next;
};

struct order *order_new(void (*show)(void *context, const struct result *result), void *context,
                        bool ordered)
{
    struct order *order = memory_new(sizeof *order);
    order->show = show;
    order->context = context;
    if (ordered)
        order->waiting = memory_new(ORDER_WINDOW * sizeof(struct result *));
    return order;
}

void order_free(struct order *order)
{
    for (size_t i = 0; order->waiting && i < ORDER_WINDOW; i++)
        free(order->waiting[i]);
    free(order->waiting);
    free(order);
}

static void count(struct order *order, enum tcpdiag_outcome outcome)
{
    order->total += outcome != TCPDIAG_RESOLVED;
    order->connected += outcome == TCPDIAG_CONNECTED;
}

void order_add(struct order *order, uint64_t number, const struct result *result)
{
    count(order, result->record.verdict.outcome);
    if (!order->waiting) {
        order->show(order->context, result);
        return;
    }
    if (number != order->next) {
        order->waiting[number % ORDER_WINDOW] = result_copy(result);
        return;
    }
    order->show(order->context, result);
    for (;;) {
        struct result **at = &order->waiting[++order->next % ORDER_WINDOW];
        if (!*at)
            return;
        order->show(order->context, *at);
        free(*at);
        *at = NULL;
    }
}

bool order_full(const struct order *order, uint64_t number)
{
    return order->waiting && number - order->next >= ORDER_WINDOW;
}

uint64_t order_total(const struct order *order)
{
    return order->total;
}

uint64_t order_connected(const struct order *order)
{
    return order->connected;
}
