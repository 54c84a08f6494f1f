/* SPDX-License-Identifier: MIT */
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "probe/base/wrap.h"
#include "probe/results/csv.h"
#include "probe/results/json.h"
#include "probe/results/text.h"
#include "tests/probe/results.h"

namespace
{

std::vector<std::string> Lines(const std::string &text)
{
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

size_t Count(const std::string &text, const std::string &word)
{
    size_t count = 0;
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
        count++;
    return count;
}

// ---- results ----

std::string Target(const result &result)
{
    char text[RESULT_TARGET_SIZE];
    int length = result_target(&result, text);
    EXPECT_EQ(static_cast<size_t>(length), strlen(text));
    return text;
}

TEST(ResultTest, TheTargetIsNameAndAddressOrAddressAlone)
{
    EXPECT_EQ(Target(Refused()), "10.0.2.2:80");
    EXPECT_EQ(Target(Refused("db.test")), "db.test:80 [10.0.2.2]");
    EXPECT_EQ(Target(Lookup(EAI_NONAME)), "db.test:80");
    result several = Lookup(EAI_NONAME);
    several.port = 0;
    EXPECT_EQ(Target(several), "db.test");
    result six = Refused("::1");
    six.record.peer = {};
    six.record.peer.family = AF_INET6;
    six.record.peer.address[15] = 1;
    six.record.peer.port = 443;
    EXPECT_EQ(Target(six), "[::1]:443");
}

TEST(ResultTest, ACopyHasItsOwnTexts)
{
    char name[] = "db.test", asked[] = "asked", way[] = "way", json[] = "{}";
    result result = Refused(name);
    result.asked = asked;
    result.trace_text = way;
    result.control_json = json;
    struct result *copy = result_copy(&result);
    for (char *text : {name, asked, way, json})
        text[0] = '?';
    EXPECT_EQ(Target(*copy), "db.test:80 [10.0.2.2]");
    EXPECT_STREQ(copy->asked, "asked");
    EXPECT_STREQ(copy->trace_text, "way");
    EXPECT_STREQ(copy->control_json, "{}");
    EXPECT_EQ(copy->dns_json, nullptr);
    EXPECT_EQ(copy->trace_json, nullptr);
    free(copy);
}

// ---- text ----

class TextTest : public testing::Test
{
  protected:
    std::string Write(const result &result)
    {
        return Written([&](FILE *file) { text_result(&text_, file, &result); });
    }
    text text_ = {};
};

TEST_F(TextTest, OneAlignedLine)
{
    text_.width = 21;
    EXPECT_EQ(Write(Connect(TCPDIAG_CONNECTED)),
              "10.0.2.2:80           connected                       1.50 ms\n");
    text_.quiet = true;
    EXPECT_EQ(Write(Refused()),
              "10.0.2.2:80           refused   port-closed           1.50 ms  ECONNREFUSED\n");
}

TEST_F(TextTest, EachKindIsExplainedOnceAndWhatWasSeenEachTime)
{
    result refused = Refused();
    refused.asked = "something that was seen";
    std::string all = Write(refused) + Write(refused);
    EXPECT_EQ(Count(all, "  why:  "), 1u) << all;
    EXPECT_EQ(Count(all, "  next: "), 1u) << all;
    EXPECT_EQ(Count(all, "  seen: something that was seen\n"), 2u) << all;
    for (const std::string &line : Lines(all))
        EXPECT_LE(line.size(), 80u) << line;
    EXPECT_EQ(Count(Write(Connect(TCPDIAG_TIMEOUT)), "  why:  "), 1u);
}

TEST_F(TextTest, QuietOrExpectedMeansNoExplanation)
{
    result refused = Refused();
    refused.asked = "something that was seen";
    refused.expected = true;
    EXPECT_EQ(Lines(Write(refused)).size(), 1u);
    refused.expected = false;
    text_.quiet = true;
    EXPECT_EQ(Lines(Write(refused)).size(), 1u);
}

TEST_F(TextTest, ALookupThatDidWellStandsWithItsAddresses)
{
    EXPECT_EQ(Write(Lookup(0)), "");
    result connected = Connect(TCPDIAG_CONNECTED, TCPDIAG_CAUSE_NONE, "db.test");
    connected.name_ns = 2340000;
    EXPECT_NE(Write(connected).find("  name 2.34 ms\n"), std::string::npos);
    EXPECT_EQ(Write(Lookup(EAI_NONAME)).find("db.test:80 "), 0u);
}

TEST_F(TextTest, ALineFitsTheTerminal)
{
    std::string name(60, 'n');
    text_.columns = 80;
    text_.width = 36;
    text_.colour = true;
    result refused = Refused(name.c_str());
    refused.record.evidence.icmp = true;
    refused.record.evidence.icmp_from = refused.record.peer;
    refused.record.evidence.syn_retransmits = 2;
    refused.name_ns = 1000000;
    std::string written = Write(refused);
    EXPECT_NE(written.find("\033[31mrefused\033[0m"), std::string::npos);
    for (std::string line : Lines(written)) {
        for (const char *colour : {"\033[31m", "\033[0m"}) {
            size_t at = line.find(colour);
            if (at != std::string::npos)
                line.erase(at, strlen(colour));
        }
        EXPECT_LE(line.size(), 80u) << line;
    }
    EXPECT_NE(written.find(" by 10.0.2.2  2 SYNs resent"), std::string::npos) << written;
}

TEST_F(TextTest, TheWayComesLast)
{
    result refused = Refused();
    refused.trace_text = "  1  10.0.1.1\n";
    std::string written = Write(refused);
    EXPECT_EQ(Lines(written).back(), "  1  10.0.1.1");
}

// ---- wrap ----

std::string Wrapped(const char *label, const std::string &text)
{
    char buffer[4096];
    tcpdiag_out out = {buffer, buffer + sizeof buffer, false};
    wrap_text(&out, label, text.c_str());
    return std::string(buffer, out.at);
}

TEST(WrapTest, BreaksBetweenWordsUnderTheLabelsEnd)
{
    std::string word(30, 'w');
    EXPECT_EQ(Wrapped("  why:  ", word + " " + word + "\n" + word),
              "  why:  " + word + " " + word + "\n        " + word + "\n");
    EXPECT_EQ(Wrapped("", "  a   b\n"), "a b\n");
    EXPECT_EQ(Wrapped("  ", ""), "  \n");
}

TEST(WrapTest, ALineIsFilledToItsLastColumn)
{
    std::string first(40, 'a'), fits(39, 'b'), wide(40, 'b');
    EXPECT_EQ(Wrapped("", first + " " + fits), first + " " + fits + "\n");
    EXPECT_EQ(Wrapped("", first + " " + wide), first + "\n" + wide + "\n");
}

TEST(WrapTest, AWordLongerThanALineStandsAlone)
{
    std::string giant(100, 'g');
    EXPECT_EQ(Wrapped("  ", giant + " b"), "  " + giant + "\n  b\n");
    EXPECT_EQ(Wrapped("  ", "a " + giant), "  a\n  " + giant + "\n");
}

// ---- CSV ----

std::string Csv(const result &result)
{
    return Written([&](FILE *file) { csv_result(file, &result); });
}

TEST(CsvTest, AsManyFieldsAsHeadings)
{
    std::string header = Written(csv_header);
    EXPECT_EQ(header.find("time,host,address,port,outcome,cause,"), 0u);
    result connected = Connect(TCPDIAG_CONNECTED);
    connected.record.evidence.rtt_us = 120;
    for (const result &one : {connected, Refused(), Lookup(EAI_NONAME)}) {
        std::string row = Csv(one);
        size_t message = row.find(",\"");
        ASSERT_NE(message, std::string::npos) << row;
        EXPECT_EQ(std::count(row.begin(), row.begin() + message + 1, ','),
                  std::count(header.begin(), header.end(), ','))
            << row;
        EXPECT_EQ(Lines(row).size(), 1u);
    }
}

TEST(CsvTest, TheFieldsOfAConnectAndOfALookup)
{
    result refused = Refused("db.test");
    refused.name_ns = 2500000;
    refused.record.evidence.icmp = true;
    refused.record.evidence.icmp_type = 3;
    refused.record.evidence.icmp_code = 13;
    refused.record.evidence.icmp_from = refused.record.peer;
    EXPECT_NE(
        Csv(refused).find(",db.test,10.0.2.2,80,refused,port-closed,ECONNREFUSED,1.5,2.5,,,3,13,"
                          "10.0.2.2,\""),
        std::string::npos)
        << Csv(refused);
    EXPECT_NE(Csv(Lookup(EAI_NONAME)).find(",db.test,,80,dns,name-not-found,EAI_NONAME,1.5,1.5,"),
              std::string::npos)
        << Csv(Lookup(EAI_NONAME));
    EXPECT_EQ(Csv(Lookup(0)), "");
}

// ---- JSON ----

std::string Json(const result &result, bool quiet = false)
{
    return Written([&](FILE *file) { json_result(file, &result, quiet); });
}

TEST(JsonTest, TheRecordIsTheLogs)
{
    result refused = Refused();
    char record[TCPDIAG_RECORD_MAX];
    EXPECT_EQ(Json(refused), std::string(record, tcpdiag_record_json(&refused.record, record)));
    EXPECT_EQ(Lines(Json(Lookup(0))).size(), 1u);
}

TEST(JsonTest, TheAnswersBehindItFollowUnlessQuiet)
{
    result timeout = Connect(TCPDIAG_TIMEOUT);
    timeout.control_json = "{\"host\":\"silent\"}";
    timeout.trace_json = "{\"hops\":[]}";
    std::vector<std::string> lines = Lines(Json(timeout));
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[1], "{\"control\":{\"host\":\"silent\"}}");
    EXPECT_EQ(lines[2], "{\"trace\":{\"hops\":[]}}");
    lines = Lines(Json(timeout, true));
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[1], "{\"trace\":{\"hops\":[]}}");
    result failed = Lookup(EAI_NONAME);
    failed.dns_json = "{\"why\":\"not-found\"}";
    lines = Lines(Json(failed));
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[1], "{\"dns\":{\"why\":\"not-found\"}}");
}

} // namespace
