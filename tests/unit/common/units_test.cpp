#include "common/units.hpp"

#include <limits>

namespace tenon {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string duration_refusal(std::string_view text) {
  const auto result = parse_duration(text);
  return result.ok() ? "accepted" : result.error().message;
}

std::string bytes_refusal(std::string_view text) {
  const auto result = parse_bytes(text);
  return result.ok() ? "accepted" : result.error().message;
}

TEST(ParseDuration, ReadsEveryUnit) {
  EXPECT_EQ(*parse_duration("7ns"), 7ns);
  EXPECT_EQ(*parse_duration("250us"), 250us);
  EXPECT_EQ(*parse_duration("250ms"), 250ms);
  EXPECT_EQ(*parse_duration("5s"), 5s);
  EXPECT_EQ(*parse_duration("2m"), 2min);
  EXPECT_EQ(*parse_duration("3h"), 3h);
  EXPECT_EQ(*parse_duration("2d"), 48h);
}

TEST(ParseDuration, ReadsZeroWithAndWithoutUnit) {
  EXPECT_EQ(*parse_duration("0"), 0ns);
  EXPECT_EQ(*parse_duration("0ms"), 0ns);
  EXPECT_EQ(*parse_duration("0.0s"), 0ns);
}

TEST(ParseDuration, ReadsFractionsExactly) {
  EXPECT_EQ(*parse_duration("1.5h"), 90min);
  EXPECT_EQ(*parse_duration("0.1s"), 100ms);
  EXPECT_EQ(*parse_duration("2.000000001s"), 2s + 1ns);
  EXPECT_EQ(*parse_duration("0.9999999999s"), 999'999'999ns);  // finer than a nanosecond: cut off
}

TEST(ParseDuration, RefusesWithTheExpectation) {
  for (const char* text : {"", "s", "5", "-1s", "+1s", "5 s", " 5s", "5s ", "5S", "1.s", ".5s", "1e3s", "5sec", "0x5s",
                           "1h30m", "00", "5\u00b5s", "1,5s", "infs"}) {
    EXPECT_THAT(duration_refusal(text), HasSubstr("expected a duration")) << text;
  }
  EXPECT_THAT(duration_refusal(std::string_view("5\0s", 3)), HasSubstr("\\x00"));
  EXPECT_EQ(parse_duration("soon").error().code, errc::invalid_argument);
}

TEST(ParseDuration, RefusesOverflow) {
  EXPECT_EQ(parse_duration("9223372036854775807ns")->count(), INT64_MAX);
  EXPECT_THAT(duration_refusal("9223372036854775808ns"), HasSubstr("292 years"));
  EXPECT_EQ(parse_duration("106751d").value(), 106751 * 24h);
  EXPECT_THAT(duration_refusal("106752d"), HasSubstr("292 years"));
  EXPECT_THAT(duration_refusal("99999999999999999999s"), HasSubstr("292 years"));
}

TEST(FormatDuration, ShowsAtMostTwoUnits) {
  EXPECT_EQ(format_duration(0ns), "0 s");
  EXPECT_EQ(format_duration(850ns), "850 ns");
  EXPECT_EQ(format_duration(1500ns), "1.5 us");
  EXPECT_EQ(format_duration(800ms), "800 ms");
  EXPECT_EQ(format_duration(1500ms), "1.5 s");
  EXPECT_EQ(format_duration(59'999ms), "59 s");
  EXPECT_EQ(format_duration(60s), "1m");
  EXPECT_EQ(format_duration(3723s), "1h 2m");
  EXPECT_EQ(format_duration(76h), "3d 4h");
  EXPECT_EQ(format_duration(-1500ms), "-1.5 s");
  EXPECT_EQ(format_duration(Duration::min()), "-106751d 23h");
}

TEST(DurationToConfig, ReadsBackExactly) {
  EXPECT_EQ(duration_to_config(250ms), "250ms");
  EXPECT_EQ(duration_to_config(90s), "90s");
  EXPECT_EQ(duration_to_config(30min), "30m");
  EXPECT_EQ(duration_to_config(0s), "0s");
  for (Duration value :
       {Duration(1), Duration(1'000'001), Duration(60s), Duration(25h), Duration(48h), Duration::max()}) {
    EXPECT_EQ(*parse_duration(duration_to_config(value)), value) << duration_to_config(value);
  }
}

TEST(ParseBytes, ReadsBinaryDecimalAndPlainSizes) {
  EXPECT_EQ(*parse_bytes("0B"), 0u);
  EXPECT_EQ(*parse_bytes("0"), 0u);
  EXPECT_EQ(*parse_bytes("4096"), 4096u);
  EXPECT_EQ(*parse_bytes("64KiB"), 65'536u);
  EXPECT_EQ(*parse_bytes("256MiB"), 268'435'456u);
  EXPECT_EQ(*parse_bytes("1.5GiB"), 1'610'612'736u);
  EXPECT_EQ(*parse_bytes("1MB"), 1'000'000u);
  EXPECT_EQ(*parse_bytes("1kB"), 1'000u);
  EXPECT_EQ(*parse_bytes("2TiB"), 2'199'023'255'552u);
}

TEST(ParseBytes, RefusesWithTheExpectation) {
  for (const char* text : {"", "KiB", "-1B", "1 KiB", "1kib", "1K", "1M", "0x10", "1e6", "1.KiB", "64KiBs"}) {
    EXPECT_THAT(bytes_refusal(text), HasSubstr("expected a size")) << text;
  }
  EXPECT_THAT(bytes_refusal("0.3KiB"), HasSubstr("whole number of bytes"));
  EXPECT_THAT(bytes_refusal("1.5B"), HasSubstr("whole number of bytes"));
}

TEST(ParseBytes, RefusesOverflow) {
  EXPECT_EQ(*parse_bytes("18446744073709551615B"), UINT64_MAX);
  EXPECT_THAT(bytes_refusal("18446744073709551616B"), HasSubstr("below"));
  EXPECT_EQ(*parse_bytes("16777215TiB"), 16'777'215ull << 40);
  EXPECT_THAT(bytes_refusal("16777216TiB"), HasSubstr("below"));
}

TEST(FormatBytes, UsesBinaryUnits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(256ull << 20), "256 MiB");
  EXPECT_EQ(format_bytes(UINT64_MAX), "15 EiB");
}

}  // namespace
}  // namespace tenon
