// SPDX-License-Identifier: MIT
#include "probe/results/stats.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace
{

std::unique_ptr<stats> Of(const std::vector<int64_t> &times)
{
    auto s = std::make_unique<stats>();
    for (int64_t time : times)
        if (time < 0)
            stats_failed(s.get());
        else
            stats_connected(s.get(), time);
    return s;
}

TEST(Stats, NothingYet)
{
    auto s = Of({});
    char spark[STATS_SPARK_SIZE];
    stats_spark(s.get(), true, spark);
    EXPECT_EQ(0, stats_quantile(s.get(), 0.5));
    EXPECT_EQ(0, stats_jitter(s.get()));
    EXPECT_STREQ("", spark);
}

TEST(Stats, OneIsItsOwnMedian)
{
    auto s = Of({1234567});
    for (double share : {0.0, 0.5, 0.99, 1.0})
        EXPECT_EQ(1234567, stats_quantile(s.get(), share));
    EXPECT_EQ(0, stats_jitter(s.get()));
}

TEST(Stats, FailuresHaveNoTime)
{
    auto s = Of({-1, 100, -1, 300, -1});
    EXPECT_EQ(5U, s->tried);
    EXPECT_EQ(2U, s->connected);
    EXPECT_EQ(100, s->min);
    EXPECT_EQ(300, s->max);
    EXPECT_EQ(200, stats_jitter(s.get()));
}

// Against the exact quantiles, over nine decades: within the width of a bucket.
TEST(Stats, QuantilesAreWithinASixtyFourth)
{
    std::vector<int64_t> times;
    uint64_t state = 88172645463325252U;
    for (int i = 0; i < 20000; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        times.push_back(static_cast<int64_t>(std::pow(10.0, 1 + state % 9000 / 1000.0)));
    }
    auto s = Of(times);
    std::sort(times.begin(), times.end());
    for (double share : {0.01, 0.25, 0.5, 0.95, 0.99, 0.999}) {
        double exact = times[static_cast<size_t>(std::ceil(share * times.size())) - 1];
        EXPECT_NEAR(exact, stats_quantile(s.get(), share), exact / 64 + 1) << share;
    }
    EXPECT_EQ(times.back(), stats_quantile(s.get(), 1));
    EXPECT_EQ(times.front(), s->min);
}

TEST(Stats, AnyTimeHasABucket)
{
    auto s = Of({0, 1, 63, 64, 127, 128, INT64_MAX, INT64_MAX / 2});
    EXPECT_EQ(0, s->min);
    EXPECT_EQ(INT64_MAX, s->max);
    EXPECT_EQ(0, stats_quantile(s.get(), 0));
    EXPECT_EQ(64, stats_quantile(s.get(), 0.5));
}

TEST(Stats, SparkShowsTheLastOnes)
{
    std::vector<int64_t> times(100, 5);
    times.push_back(-1);
    times.push_back(70);
    times.push_back(0);
    char spark[STATS_SPARK_SIZE];
    stats_spark(Of(times).get(), false, spark);
    EXPECT_EQ(std::string(37, '_') + "x#_", spark);
    stats_spark(Of({-1, 7, 0}).get(), true, spark);
    EXPECT_STREQ("x\u2588\u2581", spark);
}

} // namespace
