#include "common/json_writer.hpp"

#include <cmath>
#include <limits>

#include "common/json_document.hpp"

namespace tenon {
namespace {

std::string string_literal(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string double_literal(double value) {
  std::string out;
  append_json_double(out, value);
  return out;
}

TEST(JsonWriter, WritesNestedObjectsAndArraysCompactly) {
  JsonWriter w;
  w.begin_object().member("id", "counter.1").member("pid", 42).member("ok", true);
  w.key("tags").begin_array().value("a").null().begin_object().end_object().begin_array().end_array().end_array();
  w.member("share", 0.5).end_object();
  EXPECT_TRUE(w.complete());
  EXPECT_EQ(w.take(), R"({"id":"counter.1","pid":42,"ok":true,"tags":["a",null,{},[]],"share":0.5})");
}

TEST(JsonWriter, PrettyPutsAMemberOnALine) {
  JsonWriter w(JsonWriter::Style::pretty);
  w.begin_object()
      .key("a")
      .begin_array()
      .value(1)
      .value(2)
      .end_array()
      .key("e")
      .begin_object()
      .end_object()
      .end_object();
  EXPECT_EQ(w.take(), "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"e\": {}\n}");
}

TEST(JsonWriter, WritesTheEdgesOf64Bits) {
  JsonWriter w;
  w.begin_array().value(INT64_MIN).value(UINT64_MAX).value(std::int8_t{-1}).value(char{65}).end_array();
  EXPECT_EQ(w.take(), "[-9223372036854775808,18446744073709551615,-1,65]");
}

TEST(JsonWriter, DoublesAreShortAndReadBackExactly) {
  EXPECT_EQ(double_literal(0.1), "0.1");
  EXPECT_EQ(double_literal(3), "3.0");
  EXPECT_EQ(double_literal(-0.0), "-0.0");
  EXPECT_EQ(double_literal(1e300), "1e+300");
  for (double value : {5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1.0 / 3, 123456789012345678.0}) {
    const auto document = JsonDocument::parse(double_literal(value), "d");
    ASSERT_TRUE(document.ok()) << double_literal(value);
    EXPECT_EQ(document->root().kind(), JsonKind::number);
    EXPECT_EQ(document->root().as_double(), value);
  }
}

TEST(JsonWriter, WhatIsNotFiniteBecomesNull) {
  EXPECT_EQ(double_literal(std::nan("")), "null");
  EXPECT_EQ(double_literal(std::numeric_limits<double>::infinity()), "null");
}

TEST(JsonWriter, EscapesWhatJsonAsksFor) {
  EXPECT_EQ(string_literal("a\"b\\c\n\r\t\b\f"), R"("a\"b\\c\n\r\t\b\f")");
  EXPECT_EQ(string_literal(std::string_view("\0\x1f\x7f", 3)), R"("\u0000\u001f\u007f")");
  EXPECT_EQ(string_literal("é漢😀/"), "\"é漢😀/\"");
  EXPECT_EQ(string_literal(""), "\"\"");
}

TEST(JsonWriter, ReplacesInvalidUtf8) {
  EXPECT_EQ(string_literal("a\xFF z"), "\"a\xEF\xBF\xBD z\"");
  EXPECT_EQ(string_literal("\xE2\x82"), "\"\xEF\xBF\xBD\"");                              // cut off
  EXPECT_EQ(string_literal("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // a surrogate
  EXPECT_EQ(string_literal("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                  // overlong
}

TEST(JsonWriter, EveryByteStringComesOutAsReadableJson) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i), all += "x";
  const auto document = JsonDocument::parse(string_literal(all), "all");
  ASSERT_TRUE(document.ok()) << document.error().message;
  EXPECT_TRUE(document->root().is_string());
}

TEST(JsonWriter, MayBeUsedAgainAfterTake) {
  JsonWriter w;
  EXPECT_FALSE(w.complete());
  w.value("a");
  EXPECT_EQ(w.take(), "\"a\"");
  EXPECT_FALSE(w.complete());
  w.raw("[1]");
  EXPECT_EQ(w.take(), "[1]");
}

TEST(JsonWriter, OptionalsAreTheValueOrNull) {
  JsonWriter w;
  w.begin_array().value(std::optional<int>(3)).value(std::optional<int>()).end_array();
  EXPECT_EQ(w.take(), "[3,null]");
}

using JsonWriterDeathTest = ::testing::Test;
TEST(JsonWriterDeathTest, EndsTheProgramOnACallOutOfTurn) {
  EXPECT_DEATH(
      {
        JsonWriter w;
        w.begin_object().value(1);
      },
      "without a key");
  EXPECT_DEATH(
      {
        JsonWriter w;
        w.begin_array().key("k");
      },
      "a key where");
  EXPECT_DEATH(
      {
        JsonWriter w;
        w.begin_object().key("a").key("b");
      },
      "a key where");
  EXPECT_DEATH(
      {
        JsonWriter w;
        w.begin_object().key("a").end_object();
      },
      "without a value");
  EXPECT_DEATH(
      {
        JsonWriter w;
        w.begin_object().end_array();
      },
      "not begun");
  EXPECT_DEATH(
      {
        JsonWriter w;
        w.value(1).value(2);
      },
      "second value");
  EXPECT_DEATH(
      {
        JsonWriter w;
        w.begin_array();
        w.take();
      },
      "before the value");
}

}  // namespace
}  // namespace tenon
