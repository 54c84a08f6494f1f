/* SPDX-License-Identifier: MIT */
#include "probe/results/order.h"

#include <gtest/gtest.h>

#include <vector>

#include "probe/results/status.h"
#include "tests/probe/results.h"

namespace
{

class OrderTest : public testing::Test
{
  protected:
    void Begin(bool ordered)
    {
        order_ = order_new(
            [](void *self, const result *result) {
                static_cast<OrderTest *>(self)->shown_.push_back(result->record.peer.port);
                static_cast<OrderTest *>(self)->asked_ += result->asked ? result->asked : "";
            },
            this, ordered);
    }
    void TearDown() override
    {
        order_free(order_);
    }
    void Add(uint16_t number, tcpdiag_outcome outcome = TCPDIAG_CONNECTED)
    {
        result result = Connect(outcome);
        result.record.peer.port = number;
        std::string asked = std::to_string(number) + ";";
        result.asked = asked.c_str();
        order_add(order_, number, &result);
    }
    order *order_ = nullptr;
    std::vector<int> shown_;
    std::string asked_;
};

TEST_F(OrderTest, AsTheyCome)
{
    Begin(false);
    for (uint16_t number : {2, 0, 1})
        Add(number);
    EXPECT_EQ(shown_, (std::vector<int>{2, 0, 1}));
    EXPECT_FALSE(order_full(order_, 1000000));
}

TEST_F(OrderTest, InTheOrderOfTheirNumbersWithTheirTexts)
{
    Begin(true);
    Add(2);
    Add(1);
    EXPECT_TRUE(shown_.empty());
    Add(0);
    EXPECT_EQ(shown_, (std::vector<int>{0, 1, 2}));
    Add(4);
    Add(3);
    EXPECT_EQ(shown_, (std::vector<int>{0, 1, 2, 3, 4}));
    EXPECT_EQ(asked_, "0;1;2;3;4;");
}

TEST_F(OrderTest, AnEarlyOneHoldsUpNoMoreThanTheWindow)
{
    Begin(true);
    for (uint16_t number = 1; number < ORDER_WINDOW; number++) {
        ASSERT_FALSE(order_full(order_, number));
        Add(number);
    }
    EXPECT_TRUE(order_full(order_, ORDER_WINDOW));
    Add(0);
    EXPECT_FALSE(order_full(order_, ORDER_WINDOW));
    ASSERT_EQ(shown_.size(), static_cast<size_t>(ORDER_WINDOW));
    for (int i = 0; i < ORDER_WINDOW; i++)
        ASSERT_EQ(shown_[i], i);
}

TEST_F(OrderTest, WhatWaitsForOneThatNeverCameIsFreed)
{
    Begin(true);
    Add(1);
    Add(2);
    EXPECT_TRUE(shown_.empty());
}

TEST_F(OrderTest, CountsWhatWasTriedAndWhatConnected)
{
    Begin(false);
    Add(0);
    Add(1, TCPDIAG_REFUSED);
    Add(2, TCPDIAG_DNS);
    Add(3, TCPDIAG_RESOLVED);
    EXPECT_EQ(order_total(order_), 3u);
    EXPECT_EQ(order_connected(order_), 1u);
}

TEST(StatusTest, OneThatAllHaveElseMixed)
{
    int status = STATUS_NONE;
    status_fold(&status, 5);
    status_fold(&status, 5);
    EXPECT_EQ(status, 5);
    status_fold(&status, 0);
    EXPECT_EQ(status, STATUS_MIXED);
    status_fold(&status, 5);
    EXPECT_EQ(status, STATUS_MIXED);
}

} // namespace
