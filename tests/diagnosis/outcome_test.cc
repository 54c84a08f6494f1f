// SPDX-License-Identifier: MIT
// The two tables that everything else quotes: each row complete, each name found again.
#include <set>
#include <string>

#include "shim/diagnosis/advice.h"
#include "gtest/gtest.h"

namespace
{

struct Outcome {
    tcpdiag_outcome value;
    const char *name;
    int status;
};

// What the manual promises. A new row of the table has to be written here as well, and there.
const Outcome kOutcomes[] = {
    {TCPDIAG_CONNECTED, "connected", 0},
    {TCPDIAG_RESOLVED, "resolved", 0},
    {TCPDIAG_DNS, "dns", 3},
    {TCPDIAG_NO_ROUTE, "no-route", 4},
    {TCPDIAG_REFUSED, "refused", 5},
    {TCPDIAG_TIMEOUT, "timeout", 6},
    {TCPDIAG_DENIED, "denied", 7},
    {TCPDIAG_ABANDONED, "abandoned", 8},
    {TCPDIAG_ERROR, "error", 9},
};

struct Cause {
    const char *name;
    tcpdiag_outcome outcome;
};

const Cause kCauses[] = {
    {"slow-handshake", TCPDIAG_CONNECTED},    {"slow-lookup", TCPDIAG_RESOLVED},
    {"name-not-found", TCPDIAG_DNS},          {"no-address", TCPDIAG_DNS},
    {"server-failed", TCPDIAG_DNS},           {"bad-service", TCPDIAG_DNS},
    {"gave-up-waiting", TCPDIAG_DNS},         {"resolver-error", TCPDIAG_DNS},
    {"no-local-route", TCPDIAG_NO_ROUTE},     {"local-unreachable", TCPDIAG_NO_ROUTE},
    {"blackhole-route", TCPDIAG_NO_ROUTE},    {"neighbour-silent", TCPDIAG_NO_ROUTE},
    {"router-unreachable", TCPDIAG_NO_ROUTE}, {"host-reject", TCPDIAG_NO_ROUTE},
    {"admin-prohibited", TCPDIAG_NO_ROUTE},   {"ttl-exceeded", TCPDIAG_NO_ROUTE},
    {"port-closed", TCPDIAG_REFUSED},         {"firewall-reject", TCPDIAG_REFUSED},
    {"connection-reset", TCPDIAG_REFUSED},    {"no-answer", TCPDIAG_TIMEOUT},
    {"gave-up-waiting", TCPDIAG_TIMEOUT},     {"host-silent", TCPDIAG_TIMEOUT},
    {"port-filtered", TCPDIAG_TIMEOUT},       {"local-firewall", TCPDIAG_DENIED},
    {"prohibited-route", TCPDIAG_DENIED},     {"permission", TCPDIAG_DENIED},
    {"out-of-sight", TCPDIAG_ABANDONED},      {"reason-unseen", TCPDIAG_ERROR},
    {"ports-used-up", TCPDIAG_ERROR},         {"wrong-family", TCPDIAG_ERROR},
    {"not-unicast", TCPDIAG_ERROR},           {"no-source-address", TCPDIAG_ERROR},
    {"no-interface", TCPDIAG_ERROR},          {"scope-missing", TCPDIAG_ERROR},
};

template <typename T, size_t n> constexpr int Size(const T (&)[n])
{
    return static_cast<int>(n);
}

static_assert(Size(kOutcomes) == TCPDIAG_OUTCOME_COUNT - 1, "an outcome is missing here");
static_assert(Size(kCauses) == TCPDIAG_CAUSE_COUNT - 1, "a cause is missing here");

// Names and sentences go into JSON as they are: nothing in them may need an escape.
void ExpectPlain(const char *text)
{
    for (const char *at = text; *at; at++)
        EXPECT_TRUE(*at >= ' ' && *at < 0x7f && *at != '"' && *at != '\\') << text;
}

void ExpectName(const char *name)
{
    EXPECT_NE(*name, '\0');
    EXPECT_EQ(std::string(name).find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string::npos)
        << name;
}

// A clause that follows a colon: no capital to begin with, no full stop at the end.
void ExpectClause(const char *text)
{
    ASSERT_GT(std::string(text).size(), 8u);
    ExpectPlain(text);
    EXPECT_FALSE(isupper(text[0])) << text;
    EXPECT_TRUE(isalpha(text[0])) << text;
    EXPECT_NE(std::string(text).back(), '.') << text;
    EXPECT_NE(std::string(text).back(), ' ') << text;
    EXPECT_EQ(std::string(text).find("  "), std::string::npos) << text;
}

TEST(Outcomes, EachRowIsAsDocumented)
{
    for (const Outcome &outcome : kOutcomes) {
        const auto *info = tcpdiag_outcome_info(outcome.value);
        EXPECT_STREQ(info->name, outcome.name);
        EXPECT_EQ(info->exit_status, outcome.status) << outcome.name;
    }
}

TEST(Outcomes, EachRowIsComplete)
{
    std::set<std::string> names;
    std::set<std::string> meanings;
    for (int i = 1; i < TCPDIAG_OUTCOME_COUNT; i++) {
        const auto outcome = static_cast<tcpdiag_outcome>(i);
        const auto *info = tcpdiag_outcome_info(outcome);
        ExpectName(info->name);
        ExpectClause(info->meaning);
        ExpectClause(tcpdiag_advice(outcome, TCPDIAG_CAUSE_NONE));
        EXPECT_TRUE(names.insert(info->name).second) << info->name << " is there twice";
        EXPECT_TRUE(meanings.insert(info->meaning).second) << info->meaning << " is there twice";
        EXPECT_EQ(tcpdiag_outcome_by_name(info->name), outcome);
    }
}

// 0 is success and 1 and 2 are the tool's own: a script must be able to tell outcomes apart.
TEST(Outcomes, ExitStatusesAreUniqueAndNobodyElses)
{
    std::set<int> statuses;
    for (int i = 1; i < TCPDIAG_OUTCOME_COUNT; i++) {
        const auto *info = tcpdiag_outcome_info(static_cast<tcpdiag_outcome>(i));
        if (i == TCPDIAG_CONNECTED || i == TCPDIAG_RESOLVED) {
            EXPECT_EQ(info->exit_status, 0);
            continue;
        }
        EXPECT_GE(info->exit_status, 3) << info->name;
        EXPECT_LT(info->exit_status, 10) << info->name << ": 10 says that addresses differ";
        EXPECT_TRUE(statuses.insert(info->exit_status).second) << info->name;
    }
}

TEST(Causes, EachRowIsAsDocumented)
{
    for (int i = 1; i < TCPDIAG_CAUSE_COUNT; i++) {
        const auto *info = tcpdiag_cause_info(static_cast<tcpdiag_cause>(i));
        EXPECT_STREQ(info->name, kCauses[i - 1].name);
        EXPECT_EQ(info->outcome, kCauses[i - 1].outcome) << info->name;
    }
}

TEST(Causes, EachRowIsComplete)
{
    std::set<std::string> names;
    std::set<std::string> meanings;
    for (int i = 1; i < TCPDIAG_OUTCOME_COUNT; i++)
        names.insert(tcpdiag_outcome_info(static_cast<tcpdiag_outcome>(i))->name);
    for (int i = 1; i < TCPDIAG_CAUSE_COUNT; i++) {
        const auto cause = static_cast<tcpdiag_cause>(i);
        const auto *info = tcpdiag_cause_info(cause);
        ExpectName(info->name);
        ExpectClause(info->meaning);
        if (cause != TCPDIAG_CAUSE_LOOKUP_GIVEN_UP) { // a lookup may be given up as a connect may
            EXPECT_TRUE(names.insert(info->name).second) << info->name << " is there twice";
        }
        EXPECT_TRUE(meanings.insert(info->meaning).second) << info->meaning << " is there twice";
        EXPECT_EQ(tcpdiag_cause_by_name(info->outcome, info->name), cause);
        ExpectClause(tcpdiag_advice(info->outcome, cause));
    }
}

// A cause without advice of its own has its outcome's.
TEST(Causes, AdviceIsTheOutcomesWhereThereIsNoOther)
{
    EXPECT_STREQ(tcpdiag_advice(TCPDIAG_DNS, TCPDIAG_CAUSE_NAME_NOT_FOUND),
                 tcpdiag_advice(TCPDIAG_DNS, TCPDIAG_CAUSE_NONE));
    EXPECT_STRNE(tcpdiag_advice(TCPDIAG_DNS, TCPDIAG_CAUSE_NO_ADDRESS),
                 tcpdiag_advice(TCPDIAG_DNS, TCPDIAG_CAUSE_NONE));
}

TEST(Names, WhatIsNoNameIsNone)
{
    for (const char *word : {"", " ", "Connected", "connected ", "refuse", "port-closed", "none"})
        EXPECT_EQ(tcpdiag_outcome_by_name(word), TCPDIAG_OUTCOME_NONE) << word;
    for (const char *word : {"", "refused", "PORT-CLOSED", "port-close", "port-closedd"})
        EXPECT_EQ(tcpdiag_cause_by_name(TCPDIAG_DNS, word), TCPDIAG_CAUSE_NONE) << word;
    EXPECT_EQ(tcpdiag_outcome_by_name(nullptr), TCPDIAG_OUTCOME_NONE);
    EXPECT_EQ(tcpdiag_cause_by_name(TCPDIAG_DNS, nullptr), TCPDIAG_CAUSE_NONE);
}

TEST(Names, WhatIsOutOfRangeIsTheEmptyRow)
{
    for (int i : {-1, 0, static_cast<int>(TCPDIAG_OUTCOME_COUNT), 1000, INT32_MIN, INT32_MAX}) {
        EXPECT_STREQ(tcpdiag_outcome_info(static_cast<tcpdiag_outcome>(i))->name, "") << i;
        EXPECT_STREQ(tcpdiag_advice(static_cast<tcpdiag_outcome>(i), TCPDIAG_CAUSE_NONE), "");
    }
    for (int i : {-1, 0, static_cast<int>(TCPDIAG_CAUSE_COUNT), 1000, INT32_MIN, INT32_MAX})
        EXPECT_STREQ(tcpdiag_cause_info(static_cast<tcpdiag_cause>(i))->name, "") << i;
}

// The commands in an advice can be typed as they stand, unless a stranger's name could do more.
TEST(Advice, HasTheAttemptsOwnNameAndAddress)
{
    char text[TCPDIAG_ADVICE_MAX];
    auto advice = [&](tcpdiag_outcome outcome, tcpdiag_cause cause, const char *name,
                      const char *address) {
        return std::string(tcpdiag_advice_for(outcome, cause, name, address, text, sizeof text));
    };
    std::string timeout = advice(TCPDIAG_TIMEOUT, TCPDIAG_CAUSE_NONE, "db.staging", "10.0.2.2");
    EXPECT_NE(timeout.find("(ping 10.0.2.2)"), std::string::npos) << timeout;
    EXPECT_NE(timeout.find("a firewall DROP the"), std::string::npos) << timeout;
    std::string dns = advice(TCPDIAG_DNS, TCPDIAG_CAUSE_NONE, "db.staging", nullptr);
    EXPECT_NE(dns.find("getent hosts db.staging, nslookup db.staging;"), std::string::npos) << dns;
    for (const char *name : {"", "a b", "x;reboot", "$(id)", "-f", "a\nb"})
        EXPECT_EQ(advice(TCPDIAG_DNS, TCPDIAG_CAUSE_NONE, name, "fe80::1%2"),
                  tcpdiag_advice(TCPDIAG_DNS, TCPDIAG_CAUSE_NONE));
}

TEST(Advice, LongestFitsAndAnyOtherIsCut)
{
    const std::string longest(253, 'n');
    for (int i = 1; i < TCPDIAG_CAUSE_COUNT; i++) {
        const tcpdiag_cause cause = static_cast<tcpdiag_cause>(i);
        const tcpdiag_outcome outcome = tcpdiag_cause_info(cause)->outcome;
        char text[TCPDIAG_ADVICE_MAX];
        tcpdiag_advice_for(outcome, cause, longest.c_str(), longest.c_str(), text, sizeof text);
        EXPECT_LT(strlen(text), sizeof text - 253) << text;
        char small[8];
        tcpdiag_advice_for(outcome, cause, longest.c_str(), longest.c_str(), small, sizeof small);
        EXPECT_LT(strlen(small), sizeof small);
    }
}

} // namespace
