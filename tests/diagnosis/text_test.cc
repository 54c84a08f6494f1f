// SPDX-License-Identifier: MIT
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "shim/diagnosis/text.h"
#include "gtest/gtest.h"

namespace
{

// What a writer makes, in a buffer of exactly `size` bytes on the heap: a sanitizer sees one more.
template <typename Write> std::string Written(Write write, size_t size = 512)
{
    std::vector<char> buffer(size);
    tcpdiag_out out = {buffer.data(), buffer.data() + size, false};
    write(&out);
    return std::string(buffer.data(), static_cast<size_t>(out.at - buffer.data()));
}

std::string Number(uint64_t value, int width = 1)
{
    return Written([=](tcpdiag_out *out) { tcpdiag_put_number(out, value, width); });
}

std::string Hex(uint64_t value)
{
    return Written([=](tcpdiag_out *out) { tcpdiag_put_hex(out, value); });
}

std::string Milliseconds(int64_t us)
{
    return Written([=](tcpdiag_out *out) { tcpdiag_put_ms(out, us); });
}

std::string Time(int64_t wall_ns)
{
    return Written([=](tcpdiag_out *out) { tcpdiag_put_time(out, wall_ns); });
}

std::string Json(const std::string &text, size_t room = 256)
{
    // A copy without the NUL: nothing behind the last byte may be looked at.
    std::vector<char> exact(text.begin(), text.end());
    return Written(
        [&](tcpdiag_out *out) { tcpdiag_put_json(out, exact.data(), exact.size(), room); });
}

TEST(Out, WhatDoesNotFitIsDroppedAndSaid)
{
    char buffer[8] = "1234567";
    tcpdiag_out out = {buffer, buffer + 4, false};
    tcpdiag_put_literal(&out, "abc");
    EXPECT_FALSE(out.full);
    tcpdiag_put_literal(&out, "de");
    EXPECT_TRUE(out.full);
    EXPECT_EQ(out.at, buffer + 3);
    EXPECT_STREQ(buffer, "abc4567");
}

// A text with a hole in the middle would say something else; a cut one only says less.
TEST(Out, NothingFollowsWhatWasDropped)
{
    const std::string text = Written(
        [](tcpdiag_out *out) {
            tcpdiag_put_literal(out, "refused");
            tcpdiag_put_literal(out, " by a firewall");
            tcpdiag_put_literal(out, "!");
        },
        10);
    EXPECT_EQ(text, "refused");
}

TEST(Numbers, Decimal)
{
    EXPECT_EQ(Number(0), "0");
    EXPECT_EQ(Number(0, 0), "0");
    EXPECT_EQ(Number(7, 2), "07");
    EXPECT_EQ(Number(123, 2), "123");
    EXPECT_EQ(Number(42, 6), "000042");
    EXPECT_EQ(Number(UINT64_MAX), "18446744073709551615");
}

TEST(Numbers, Hexadecimal)
{
    EXPECT_EQ(Hex(0), "0");
    EXPECT_EQ(Hex(0x10), "10");
    EXPECT_EQ(Hex(0xdeadbeef), "deadbeef");
    EXPECT_EQ(Hex(UINT64_MAX), "ffffffffffffffff");
}

TEST(Numbers, MicrosecondsAsMilliseconds)
{
    EXPECT_EQ(Milliseconds(0), "0");
    EXPECT_EQ(Milliseconds(1), "0.001");
    EXPECT_EQ(Milliseconds(10), "0.01");
    EXPECT_EQ(Milliseconds(100), "0.1");
    EXPECT_EQ(Milliseconds(312), "0.312");
    EXPECT_EQ(Milliseconds(1000), "1");
    EXPECT_EQ(Milliseconds(1001), "1.001");
    EXPECT_EQ(Milliseconds(1002500), "1002.5");
    EXPECT_EQ(Milliseconds(-5), "0");
    EXPECT_EQ(Milliseconds(INT64_MIN), "0");
    EXPECT_EQ(Milliseconds(INT64_MAX), "9223372036854775.807");
    for (int64_t us = 0; us < 20000; us++)
        ASSERT_EQ(std::stod(Milliseconds(us)), static_cast<double>(us) / 1000) << us;
}

std::string ByLibc(int64_t wall_ns)
{
    int64_t seconds = wall_ns / 1000000000;
    int64_t rest = wall_ns % 1000000000;
    if (rest < 0) {
        seconds--;
        rest += 1000000000;
    }
    time_t when = static_cast<time_t>(seconds);
    struct tm parts;
    gmtime_r(&when, &parts);
    char text[64];
    char whole[96];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(whole, sizeof whole, "%s.%06dZ", text, static_cast<int>(rest / 1000));
    return whole;
}

TEST(Time, TheDayThatTheManualShows)
{
    EXPECT_EQ(Time(0), "1970-01-01T00:00:00.000000Z");
    EXPECT_EQ(Time(INT64_C(951782400123456789)), "2000-02-29T00:00:00.123456Z");
    EXPECT_EQ(Time(-1), "1969-12-31T23:59:59.999999Z");
}

TEST(Time, EachDayOfFourCenturiesAsLibcHasIt)
{
    const int64_t day = INT64_C(86400) * 1000000000;
    for (int64_t n = INT64_MIN / day; n <= INT64_MAX / day; n++)
        ASSERT_EQ(Time(n * day), ByLibc(n * day)) << n;
}

TEST(Time, EachSecondAroundLeapDaysAsLibcHasIt)
{
    const int64_t noons[] = {951825600, 1078056000, 1709208000, 4107542400, -58060800, -2203891200};
    for (int64_t noon : noons) {
        for (int64_t second = noon - 50000; second < noon + 50000; second += 7)
            ASSERT_EQ(Time(second * 1000000000 + 999999999),
                      ByLibc(second * 1000000000 + 999999999));
    }
}

TEST(Time, RandomInstantsAsLibcHasThem)
{
    std::mt19937_64 random(1);
    for (int i = 0; i < 100000; i++) {
        const auto wall_ns = static_cast<int64_t>(random());
        ASSERT_EQ(Time(wall_ns), ByLibc(wall_ns)) << wall_ns;
    }
    for (int64_t edge : {INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_C(-1000000000), INT64_C(-999)})
        EXPECT_EQ(Time(edge), ByLibc(edge)) << edge;
}

#define REPLACEMENT "\xef\xbf\xbd"
#define ELLIPSIS "\xe2\x80\xa6"

TEST(Json, PlainTextStaysAsItIs)
{
    EXPECT_EQ(Json(""), "");
    EXPECT_EQ(Json("db.staging"), "db.staging");
    EXPECT_EQ(Json("b\xc3\xbc"
                   "cher.example"),
              "b\xc3\xbc"
              "cher.example");
    EXPECT_EQ(Json("\xe4\xbe\x8b\xf0\x9f\x98\x80"), "\xe4\xbe\x8b\xf0\x9f\x98\x80");
    EXPECT_EQ(Json("a/b"), "a/b");
}

TEST(Json, QuotesAndControlsAreEscaped)
{
    EXPECT_EQ(Json("a\"b\\c"), "a\\\"b\\\\c");
    EXPECT_EQ(Json("\n\t\r"), "\\u000a\\u0009\\u000d");
    EXPECT_EQ(Json(std::string("a\0b", 3)), "a\\u0000b");
    EXPECT_EQ(Json("\x1b[31m\x7f"), "\\u001b[31m\\u007f");
    for (int byte = 0; byte < 0x20; byte++) {
        char expected[8];
        snprintf(expected, sizeof expected, "\\u%04x", byte);
        EXPECT_EQ(Json(std::string(1, static_cast<char>(byte))), expected);
    }
}

TEST(Json, WhatActsOnATerminalOrAPageIsEscaped)
{
    EXPECT_EQ(Json("\xc2\x80\xc2\x9b\xc2\x9f"), "\\u0080\\u009b\\u009f");
    EXPECT_EQ(Json("\xe2\x80\x8e\xe2\x80\x8f"), "\\u200e\\u200f");
    EXPECT_EQ(Json("\xe2\x80\xa8\xe2\x80\xa9"), "\\u2028\\u2029");
    EXPECT_EQ(Json("\xe2\x80\xaa\xe2\x80\xae"), "\\u202a\\u202e");
    EXPECT_EQ(Json("\xe2\x81\xa6\xe2\x81\xa9"), "\\u2066\\u2069");
    /* Their neighbours are letters, spaces and signs. */
    for (const char *plain : {"\xc2\xa0", "\xe2\x80\x8d", "\xe2\x80\x90", "\xe2\x80\xa7",
                              "\xe2\x80\xaf", "\xe2\x81\xa5", "\xe2\x81\xaa"})
        EXPECT_EQ(Json(plain), plain);
}

TEST(Json, EachByteThatIsNoUtf8IsReplaced)
{
    const struct {
        const char *what;
        std::string in;
        int replaced; // the whole of it
    } cases[] = {
        {"a continuation byte alone", "\x80", 1},
        {"two of them", "\xbf\xbf", 2},
        {"a first byte without its second", "\xc3", 1},
        {"two of three bytes", "\xe2\x80", 2},
        {"three of four bytes", "\xf0\x9f\x98", 3},
        {"overlong slash, two bytes", "\xc0\xaf", 2},
        {"overlong slash, three bytes", "\xe0\x80\xaf", 3},
        {"overlong slash, four bytes", "\xf0\x80\x80\xaf", 4},
        {"overlong NUL", "\xc0\x80", 2},
        {"the largest overlong, two bytes", "\xc1\xbf", 2},
        {"the largest overlong, three bytes", "\xe0\x9f\xbf", 3},
        {"the largest overlong, four bytes", "\xf0\x8f\xbf\xbf", 4},
        {"a high surrogate", "\xed\xa0\x80", 3},
        {"a low surrogate", "\xed\xbf\xbf", 3},
        {"a surrogate pair (CESU-8)", "\xed\xa0\xbd\xed\xb8\x80", 6},
        {"beyond U+10FFFF", "\xf4\x90\x80\x80", 4},
        {"five bytes", "\xf8\x88\x80\x80\x80", 5},
        {"0xfe and 0xff", "\xfe\xff", 2},
    };
    for (const auto &one : cases) {
        std::string expected;
        for (int i = 0; i < one.replaced; i++)
            expected += REPLACEMENT;
        EXPECT_EQ(Json(one.in), expected) << one.what;
        EXPECT_EQ(Json("a" + one.in + "b"), "a" + expected + "b") << one.what;
    }
}

TEST(Json, TheEdgesOfUtf8AreKept)
{
    for (const char *edge : {"\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                             "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
        EXPECT_EQ(Json(edge), edge);
}

TEST(Json, TooLongATextIsCutAndSaysSo)
{
    EXPECT_EQ(Json("0123456789", 10), "0123456789");
    EXPECT_EQ(Json("0123456789a", 10), "0123456" ELLIPSIS);
    EXPECT_EQ(Json("\"\"\"\"\"\"", 10), "\\\"\\\"\\\"" ELLIPSIS);
    EXPECT_EQ(Json("0123456\x01", 10), "0123456" ELLIPSIS);
    EXPECT_EQ(Json("0123\x01", 10), "0123\\u0001");
    EXPECT_EQ(Json("01234567\xc3\xbc", 10), "01234567\xc3\xbc");
    EXPECT_EQ(Json("012345678\xc3\xbc", 10), "0123456" ELLIPSIS);
    EXPECT_EQ(Json("0123456\xff", 10), "0123456" REPLACEMENT);
}

// Whatever the room: never beyond it, and never a torn character or escape at the end.
TEST(Json, NoCutTearsACharacter)
{
    const std::string text = "a\"\xc3\xbc\x01\xe4\xbe\x8b\xff\xf0\x9f\x98\x80z";
    const std::string whole = Json(text);
    std::vector<std::string> ends = {""}; // the beginnings that end between two characters
    for (size_t length = 1; length <= text.size(); length++) {
        const std::string part = Json(text.substr(0, length));
        if (whole.compare(0, part.size(), part) == 0)
            ends.push_back(part);
    }
    for (size_t room = 3; room < whole.size(); room++) {
        std::string cut = Json(text, room);
        EXPECT_LE(cut.size(), room);
        ASSERT_GE(cut.size(), 3u);
        EXPECT_EQ(cut.substr(cut.size() - 3), ELLIPSIS) << room;
        cut.resize(cut.size() - 3);
        EXPECT_NE(std::find(ends.begin(), ends.end(), cut), ends.end()) << room << ": " << cut;
    }
    EXPECT_EQ(Json(text, whole.size()), whole);
}

} // namespace
