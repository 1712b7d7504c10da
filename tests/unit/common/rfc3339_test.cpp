#include "common/rfc3339.hpp"

namespace tenon {
namespace {

WallTime at(std::int64_t seconds, std::int64_t nanoseconds = 0) {
  return WallTime(Duration(seconds * 1'000'000'000 + nanoseconds));
}

std::string refusal(std::string_view text) {
  const auto result = parse_rfc3339(text);
  return result.ok() ? "accepted" : result.error().message;
}

TEST(FormatRfc3339, WritesEachPrecision) {
  const WallTime time = at(1'777'889'472, 345'678'901);
  EXPECT_EQ(format_rfc3339(time).str(), "2026-05-04T10:11:12.345Z");
  EXPECT_EQ(format_rfc3339(time, Rfc3339Precision::seconds).str(), "2026-05-04T10:11:12Z");
  EXPECT_EQ(format_rfc3339(time, Rfc3339Precision::microseconds).str(), "2026-05-04T10:11:12.345678Z");
  EXPECT_EQ(format_rfc3339(time, Rfc3339Precision::nanoseconds).str(), "2026-05-04T10:11:12.345678901Z");
}

TEST(FormatRfc3339, CutsTowardsThePastBefore1970) {
  EXPECT_EQ(format_rfc3339(at(0, -1)).str(), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_rfc3339(at(0)).str(), "1970-01-01T00:00:00.000Z");
}

TEST(FormatRfc3339, CoversEveryWallTime) {
  EXPECT_EQ(format_rfc3339(WallTime::max(), Rfc3339Precision::nanoseconds).str(), "2262-04-11T23:47:16.854775807Z");
  EXPECT_EQ(format_rfc3339(WallTime::min(), Rfc3339Precision::nanoseconds).str(), "1677-09-21T00:12:43.145224192Z");
}

TEST(ParseRfc3339, ReadsWhatWasWritten) {
  for (WallTime time : {at(0), at(1'777'889'472, 345'678'901), at(951'782'400), at(-1, 5), WallTime::max()}) {
    EXPECT_EQ(*parse_rfc3339(format_rfc3339(time, Rfc3339Precision::nanoseconds)), time);
  }
}

TEST(ParseRfc3339, AppliesOffsets) {
  EXPECT_EQ(*parse_rfc3339("2026-05-04T12:11:12+02:00"), at(1'777'889'472));
  EXPECT_EQ(*parse_rfc3339("2026-05-04T00:11:12-10:00"), at(1'777'889'472));
  EXPECT_EQ(*parse_rfc3339("2026-05-04t10:11:12z"), at(1'777'889'472));
  EXPECT_EQ(*parse_rfc3339("2026-05-04T10:11:12-00:00"), at(1'777'889'472));
}

TEST(ParseRfc3339, KeepsNineDigitsOfAFraction) {
  EXPECT_EQ(*parse_rfc3339("1970-01-01T00:00:00.5Z"), at(0, 500'000'000));
  EXPECT_EQ(*parse_rfc3339("1970-01-01T00:00:00.1234567899Z"), at(0, 123'456'789));
}

TEST(ParseRfc3339, TakesLeapSecondsWhereUtcHasThem) {
  EXPECT_EQ(*parse_rfc3339("2016-12-31T23:59:60Z"), at(1'483'228'800));
  EXPECT_EQ(*parse_rfc3339("2016-12-31T23:59:60.9Z"), at(1'483'228'800));
  EXPECT_EQ(*parse_rfc3339("2017-01-01T01:59:60+02:00"), at(1'483'228'800));
  EXPECT_EQ(refusal("2016-12-31T23:58:60Z").find("accepted"), std::string::npos);
  EXPECT_EQ(refusal("2016-12-30T23:59:60Z").find("accepted"), std::string::npos);
}

TEST(ParseRfc3339, KnowsTheCalendar) {
  EXPECT_TRUE(parse_rfc3339("2000-02-29T00:00:00Z").ok());
  EXPECT_FALSE(parse_rfc3339("1900-02-29T00:00:00Z").ok());
  EXPECT_FALSE(parse_rfc3339("2026-04-31T00:00:00Z").ok());
  EXPECT_FALSE(parse_rfc3339("2026-00-01T00:00:00Z").ok());
  EXPECT_FALSE(parse_rfc3339("2026-13-01T00:00:00Z").ok());
}

TEST(ParseRfc3339, RefusesEverythingElse) {
  for (const char* text :
       {"", "2026-05-04", "2026-05-04T10:11:12", "2026-05-04 10:11:12Z", "2026-05-04T10:11Z", "2026-05-04T24:00:00Z",
        "2026-05-04T10:60:00Z", "2026-05-04T10:11:61Z", "2026-05-04T10:11:12.Z", "2026-05-04T10:11:12Zx",
        "2026-05-04T10:11:12+0200", "2026-05-04T10:11:12+24:00", "26-05-04T10:11:12Z", "+2026-05-04T10:11:12Z",
        "2026-5-4T10:11:12Z", " 2026-05-04T10:11:12Z"}) {
    EXPECT_THAT(refusal(text), ::testing::HasSubstr("expected an RFC 3339 time")) << text;
  }
}

TEST(ParseRfc3339, RefusesWhatDoesNotFit) {
  EXPECT_THAT(refusal("2262-04-12T00:00:00Z"), ::testing::HasSubstr("2262"));
  EXPECT_THAT(refusal("0001-01-01T00:00:00Z"), ::testing::HasSubstr("1677"));
  EXPECT_THAT(refusal("9999-12-31T23:59:59Z"), ::testing::HasSubstr("2262"));
}

}  // namespace
}  // namespace tenon
