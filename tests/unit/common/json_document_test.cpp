#include "common/json_document.hpp"

#include "common/ids.hpp"

namespace tenon {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

JsonDocument parsed(std::string text, JsonOptions options = {}) {
  auto document = JsonDocument::parse(std::move(text), "t.json", options);
  EXPECT_TRUE(document.ok()) << (document.ok() ? "" : document.error().message);
  return *std::move(document);
}

std::string refusal(std::string text, JsonOptions options = {}) {
  auto document = JsonDocument::parse(std::move(text), "t.json", options);
  if (document.ok()) return "accepted";
  EXPECT_EQ(document.error().whose, fault::caller);
  return document.error().message;
}

constexpr JsonOptions kComments{.comments = true};

TEST(JsonDocument, KnowsTheKindOfEveryValue) {
  const auto document = parsed(R"([null, true, 1, -1, 1.0, 1e3, "s", [], {}])");
  std::vector<JsonKind> kinds;
  for (JsonValue element : document.root().elements()) kinds.push_back(element.kind());
  EXPECT_THAT(kinds,
              ElementsAre(JsonKind::null, JsonKind::boolean, JsonKind::integer, JsonKind::integer, JsonKind::number,
                          JsonKind::number, JsonKind::string, JsonKind::array, JsonKind::object));
}

TEST(JsonDocument, KeepsIntegersExactAtTheEdgesOf64Bits) {
  const auto document = parsed(
      "[9223372036854775807, 9223372036854775808, 18446744073709551615, "
      "-9223372036854775808, 18446744073709551616, -9223372036854775809]");
  const JsonValue root = document.root();
  EXPECT_EQ(root.at(0).as_i64(), INT64_MAX);
  EXPECT_EQ(root.at(0).as_u64(), 9223372036854775807ull);
  EXPECT_EQ(root.at(1).as_i64(), std::nullopt);
  EXPECT_EQ(root.at(1).as_u64(), 9223372036854775808ull);
  EXPECT_EQ(root.at(2).as_u64(), UINT64_MAX);
  EXPECT_EQ(root.at(3).as_i64(), INT64_MIN);
  EXPECT_EQ(root.at(3).as_u64(), std::nullopt);
  EXPECT_EQ(root.at(4).kind(), JsonKind::number);
  EXPECT_EQ(root.at(4).as_u64(), std::nullopt);
  EXPECT_EQ(root.at(4).as_double(), 18446744073709551616.0);
  EXPECT_EQ(root.at(5).as_i64(), std::nullopt);
}

TEST(JsonDocument, ReadsDoublesToTheLastBit) {
  const auto document = parsed("[0.1, 2.2250738585072011e-308, 1.7976931348623157e308, 1e-400, 9007199254740993.0]");
  EXPECT_EQ(document.root().at(0).as_double(), 0.1);
  EXPECT_EQ(document.root().at(1).as_double(), 2.2250738585072011e-308);
  EXPECT_EQ(document.root().at(2).as_double(), 1.7976931348623157e308);
  EXPECT_EQ(document.root().at(3).as_double(), 0.0);
  EXPECT_EQ(document.root().at(4).as_double(), 9007199254740992.0);
}

TEST(JsonDocument, GivesNothingForAnotherKind) {
  const auto document = parsed(R"({"s": "x", "i": 1})");
  const JsonValue s = *document.root().find("s");
  EXPECT_EQ(s.as_i64(), std::nullopt);
  EXPECT_EQ(s.as_bool(), std::nullopt);
  EXPECT_EQ(s.as_double(), std::nullopt);
  EXPECT_EQ(s.size(), 0u);
  EXPECT_EQ(s.members().size(), 0u);
  EXPECT_EQ(s.elements().size(), 0u);
  EXPECT_FALSE(s.find("s").has_value());
  EXPECT_EQ(document.root().find("i")->as_string(), std::nullopt);
}

TEST(JsonDocument, KeepsTheOrderOfMembers) {
  const auto document = parsed(R"({"z": 1, "a": 2, "m": 3})");
  std::vector<std::string> keys;
  for (const auto& [key, value] : document.root().members()) keys.emplace_back(key);
  EXPECT_THAT(keys, ElementsAre("z", "a", "m"));
}

TEST(JsonDocument, UnescapesKeysAndStringsEmbeddedNulIncluded) {
  const auto document = parsed(R"({"a\tb": "x\u0000y\ud83d\ude00\/"})");
  const JsonValue value = document.root().at(0);
  EXPECT_EQ(value.key(), "a\tb");
  EXPECT_EQ(value.as_string(), std::string_view("x\0y\xF0\x9F\x98\x80/", 8));
  EXPECT_EQ(value.raw(), R"("x\u0000y\ud83d\ude00\/")");
}

TEST(JsonDocument, PathsNameKeysAndIndices) {
  const auto document =
      parsed(R"({"supervision": {"children": [{}, {}, {"command": ["x"], "a b": 1, "": 2, "7": 3}]}})");
  const JsonValue child = document.root().find("supervision")->find("children")->at(2);
  EXPECT_EQ(document.root().path(), "$");
  EXPECT_EQ(child.find("command")->path(), "$.supervision.children[2].command");
  EXPECT_EQ(child.find("command")->at(0).path(), "$.supervision.children[2].command[0]");
  EXPECT_EQ(child.find("a b")->path(), R"($.supervision.children[2]["a b"])");
  EXPECT_EQ(child.find("")->path(), R"($.supervision.children[2][""])");
  EXPECT_EQ(child.find("7")->path(), R"($.supervision.children[2]["7"])");
}

TEST(JsonDocument, PositionsCountLinesAcrossCrLfAndColumnsInCharacters) {
  const auto document = parsed("{\r\n  \"a\": 1,\r\n\r\n  \"\xC3\xA9\xC3\xA9\": [true,\n false]}");
  const JsonValue a = document.root().at(0);
  EXPECT_EQ(a.position().line, 2u);
  EXPECT_EQ(a.position().column, 8u);
  EXPECT_EQ(a.key_position().column, 3u);
  const JsonValue list = document.root().at(1);
  EXPECT_EQ(list.position().line, 4u);
  EXPECT_EQ(list.position().column, 9u);  // the key's two letters are four bytes
  EXPECT_EQ(list.at(1).position().line, 5u);
  EXPECT_EQ(list.at(1).position().column, 2u);
  EXPECT_EQ(list.at(1).where(), "t.json:5:2");
  EXPECT_EQ(list.raw(), "[true,\n false]");
}

TEST(JsonDocument, PositionsStandOnTheTokenBehindCommentsAndSeparators) {
  const auto document =
      parsed("// head\n{ /* , : \" */ \"a\" /* x */ : // y: ,\n  [1 /*,*/, // z\n   \"s\" , -2.5]}", kComments);
  const JsonValue list = document.root().at(0);
  EXPECT_EQ(document.root().position().line, 2u);
  EXPECT_EQ(list.key_position().column, 15u);
  EXPECT_EQ(list.position().line, 3u);
  EXPECT_EQ(list.at(0).raw(), "1");
  EXPECT_EQ(list.at(1).raw(), "\"s\"");
  EXPECT_EQ(list.at(1).position().line, 4u);
  EXPECT_EQ(list.at(2).raw(), "-2.5");
}

TEST(JsonDocument, PositionOfClampsToTheText) {
  const auto document = parsed("[1,\n2]");
  EXPECT_EQ(document.position_of(999).offset, 6u);
  EXPECT_EQ(document.position_of(999).line, 2u);
}

TEST(JsonDocument, SkipsAByteOrderMark) {
  const auto document = parsed("\xEF\xBB\xBF[1]");
  EXPECT_EQ(document.root().position().column, 1u);
  EXPECT_THAT(refusal("\xEF\xBB\xBF"), HasSubstr("found nothing"));
}

TEST(JsonDocument, RefusesCommentsUnlessAskedFor) {
  EXPECT_THAT(refusal("[1, // one\n 2]"), AllOf(StartsWith("t.json:1:5: "), HasSubstr("comments are not allowed")));
  EXPECT_EQ(parsed("[1, // one\n 2]", kComments).root().size(), 2u);
  EXPECT_EQ(parsed("[] // to the end", kComments).root().size(), 0u);
  EXPECT_THAT(refusal("[1] /* open", kComments), HasSubstr("closing */"));
}

TEST(JsonDocument, RefusesDuplicateKeysAndNamesBothPlaces) {
  EXPECT_THAT(refusal("{\"a\": 1,\n \"b\": 2,\n \"a\": 3}"),
              AllOf(StartsWith("t.json:3:2: "), HasSubstr("\"a\" again"), HasSubstr("line 1")));
  EXPECT_THAT(refusal(R"({"a": 1, "\u0061": 2})"), HasSubstr("\"a\" again"));
  EXPECT_THAT(refusal(R"([{"x": {"k": 1, "k": 1}}])"), HasSubstr("\"k\" again"));
  EXPECT_EQ(parsed(R"({"a": {"a": 1}, "b": {"a": 1}})").root().size(), 2u);
}

TEST(JsonDocument, FindsADuplicateAmongManyKeys) {
  std::string text = "{";
  for (int i = 0; i < 50'000; ++i) text += "\"k" + std::to_string(i) + "\":0,";
  EXPECT_THAT(refusal(text + "\"k31337\":1}"), HasSubstr("\"k31337\" again"));
  EXPECT_EQ(parsed(text + "\"last\":1}").root().size(), 50'001u);
}

TEST(JsonDocument, TellsWhatWasFoundAndWhatWasExpected) {
  EXPECT_THAT(refusal(""), HasSubstr("found nothing, expected a JSON value"));
  EXPECT_THAT(refusal(" \n "), StartsWith("t.json:2:2: found nothing"));
  EXPECT_THAT(refusal("[1,]"), AllOf(StartsWith("t.json:1:4: "), HasSubstr("remove the comma")));
  EXPECT_THAT(refusal("{\"a\":1,\n}"), AllOf(StartsWith("t.json:2:1: "), HasSubstr("remove the comma")));
  EXPECT_THAT(refusal("{\"a\":1\n \"b\":2}"),
              AllOf(StartsWith("t.json:2:2: found \"\\\"b\\\"\""), HasSubstr("a comma or }")));
  EXPECT_THAT(refusal("[1 2]"), HasSubstr("found \"2\", expected a comma or ]"));
  EXPECT_THAT(refusal("{\"a\" 1}"), HasSubstr("expected a colon"));
  EXPECT_THAT(refusal("{a: 1}"), HasSubstr("a key in double quotes"));
  EXPECT_THAT(refusal("['a']"), HasSubstr("double quotes"));
  EXPECT_THAT(refusal("[True]"), HasSubstr("found \"True\", expected a value"));
  EXPECT_THAT(refusal("[NaN]"), HasSubstr("expected a value"));
  EXPECT_THAT(refusal("[\"a"), HasSubstr("closing quote"));
  EXPECT_THAT(refusal("[\"a\nb\"]"), HasSubstr("control character \"\\n\""));
  EXPECT_THAT(refusal(R"(["\q"])"), HasSubstr("unknown escape"));
  EXPECT_THAT(refusal(R"(["\u12g4"])"), HasSubstr("four hexadecimal digits"));
  EXPECT_THAT(refusal("[1.]"), HasSubstr("after the decimal point"));
  EXPECT_THAT(refusal("[1e]"), HasSubstr("in the exponent"));
  EXPECT_THAT(refusal("[1e999]"), HasSubstr("1.8e308"));
  EXPECT_THAT(refusal("[01]"), HasSubstr("a comma or ]"));
  EXPECT_THAT(refusal("[1] x"), HasSubstr("nothing more after the end"));
  EXPECT_THAT(refusal("[1"), HasSubstr("the end of the text"));
}

TEST(JsonDocument, RefusesHalfASurrogatePairInEitherOrder) {
  EXPECT_THAT(refusal(R"(["\ud800x"])"), HasSubstr("surrogate"));
  EXPECT_THAT(refusal(R"(["\udc00"])"), HasSubstr("surrogate"));
  EXPECT_THAT(refusal(R"({"\udc00": 1})"), HasSubstr("surrogate"));
}

TEST(JsonDocument, RefusesNulBytesEverywhere) {
  EXPECT_THAT(refusal(std::string("[1]\0", 4)), AllOf(StartsWith("t.json:1:4: "), HasSubstr("NUL")));
  EXPECT_THAT(refusal(std::string("[\"a\0b\"]", 7)), HasSubstr("NUL"));
  EXPECT_THAT(refusal(std::string("[1]\n\0garbage", 12)), StartsWith("t.json:2:1: "));
}

TEST(JsonDocument, RefusesInvalidUtf8InStringsAndComments) {
  EXPECT_THAT(refusal("[\"a\xFFz\"]"), AllOf(StartsWith("t.json:1:4: "), HasSubstr("\\xff"), HasSubstr("UTF-8")));
  EXPECT_THAT(refusal("[] // \xC3(", kComments), HasSubstr("UTF-8"));
}

TEST(JsonDocument, LimitsDepth) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(parsed(nested(64)).root().kind(), JsonKind::array);
  EXPECT_THAT(refusal(nested(65)), AllOf(StartsWith("t.json:1:65: "), HasSubstr("deeper than 64")));
  EXPECT_THAT(refusal(nested(10'000)), HasSubstr("deeper than 64"));
}

TEST(JsonDocument, DoesNotRecurseOnADepthOfAMillion) {
  constexpr std::size_t kDepth = 1'000'000;
  const std::string text = std::string(kDepth, '[') + std::string(kDepth, ']');
  const auto document = parsed(text, {.max_depth = kDepth});
  JsonValue value = document.root();
  while (value.size() > 0) value = value.at(0);
  EXPECT_EQ(value.path().size(), 1 + 3 * (kDepth - 1));
  EXPECT_EQ(document.root().to_json(), text);
}

TEST(JsonDocument, LimitsBytes) {
  EXPECT_THAT(refusal("[1,2,3]", {.max_bytes = 6}), AllOf(HasSubstr("found 7 bytes"), HasSubstr("at most 6")));
  EXPECT_EQ(JsonDocument::parse("[1,2,3]", "f", {.max_bytes = 6}).error().code, errc::exhausted);
  EXPECT_EQ(parsed("[1,2,3]", {.max_bytes = 7}).root().size(), 3u);
}

TEST(JsonDocument, MismatchNamesPlacePathFoundAndExpected) {
  const auto document = parsed("{\n  \"timeout\": \"abc\", \"o\": {\"a\": 1}, \"l\": [], \"n\": 1.50}");
  const Error error = document.root().find("timeout")->mismatch("a duration such as \"5s\"");
  EXPECT_EQ(error.code, errc::invalid_argument);
  EXPECT_EQ(error.message, "t.json:2:14: $.timeout: found \"abc\", expected a duration such as \"5s\"");
  EXPECT_EQ(document.root().find("o")->describe(), "an object with 1 member");
  EXPECT_EQ(document.root().find("l")->describe(), "an empty array");
  EXPECT_EQ(document.root().find("n")->describe(), "1.50");
}

TEST(JsonDocument, WritesAValueBackWithoutCommentsAndWithoutRounding) {
  const auto document = parsed(
      "{ \"a\" : [ 1.10, /* c */ 18446744073709551616, \"\\u00e9\\n\" ],\n \"\\\"\": {}, \"e\": [] }", kComments);
  EXPECT_EQ(document.root().to_json(), "{\"a\":[1.10,18446744073709551616,\"\\u00e9\\n\"],\"\\\"\":{},\"e\":[]}");
  EXPECT_EQ(document.root().at(0).at(0).to_json(), "1.10");
}

TEST(JsonDocument, HandlesSurviveAMoveOfTheDocument) {
  auto document = parsed(R"(["x"])");
  const JsonValue value = document.root().at(0);
  const JsonDocument moved = std::move(document);
  EXPECT_EQ(value.as_string(), "x");
}

TEST(JsonDocument, AcceptsAnyScalarAsRoot) {
  EXPECT_EQ(parsed("null").root().kind(), JsonKind::null);
  EXPECT_EQ(parsed(" \"x\" ").root().as_string(), "x");
  EXPECT_EQ(parsed("-0").root().as_i64(), 0);
}

TEST(JsonDocument, ReadsAConfigOfTenThousandProcesses) {
  std::string text = "{\"children\": [\n";
  for (int i = 0; i < 10'000; ++i) {
    text += "  { \"id\": \"worker" + std::to_string(i) + "\", // number " + std::to_string(i) + "\n" +
            "    \"command\": [\"./worker\", \"--number\", \"" + std::to_string(i) +
            "\"], \"cwd\": \"/srv/data/of/worker\",\n" +
            "    \"restart\": { \"policy\": \"always\", \"config\": { \"initial\": \"50ms\", \"factor\": 2 } } },\n";
  }
  text += "  {} ] }\n";
  ASSERT_GT(text.size(), 2'000'000u);
  const auto document = parsed(text, kComments);
  const JsonValue last = document.root().at(0).at(9'999);
  EXPECT_EQ(last.find("id")->as_string(), "worker9999");
  EXPECT_EQ(last.find("command")->at(2).position().line, 30'000u);
}

// Walks the whole document; each value must have the span of text that means the same alone.
void expect_spans_to_stand_alone(const JsonDocument& document) {
  std::vector<JsonValue> open{document.root()};
  while (!open.empty()) {
    const JsonValue value = open.back();
    open.pop_back();
    for (std::size_t i = 0; i < value.size(); ++i) open.push_back(value.at(i));
    const auto alone = JsonDocument::parse(std::string(value.raw()), "span", kComments);
    ASSERT_TRUE(alone.ok()) << value.raw() << " in " << document.text();
    ASSERT_EQ(alone->root().kind(), value.kind());
    ASSERT_EQ(alone->root().to_json(), value.to_json());
    ASSERT_EQ(alone->root().as_string(), value.as_string());
  }
}

TEST(JsonDocument, SpansStandAloneInWhateverMutationIsAccepted) {
  const std::string seed =
      "/*a*/{\"k\\n\": [1, -2.5e3, \"s\\u00e9/*\", null],//c\n \"o\":{\"\":{}, \"b\" : true /**/ }, \"//\": []}";
  constexpr std::string_view kBytes = "{}[],:\"\\/*\n 0-1.eutrn\xC3\xA9";
  Random random(11);
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = seed;
    for (std::uint64_t edits = 1 + random.below(3); edits > 0; --edits) {
      const std::size_t at = random.below(text.size());
      const char byte = kBytes[random.below(kBytes.size())];
      switch (random.below(3)) {
        case 0: text[at] = byte; break;
        case 1: text.insert(at, 1, byte); break;
        default: text.erase(at, 1); break;
      }
    }
    const auto document = JsonDocument::parse(text, "m.json", kComments);
    if (!document.ok()) {
      ASSERT_THAT(document.error().message, AllOf(StartsWith("m.json:"), HasSubstr("expected"))) << text;
      continue;
    }
    ++accepted;
    ASSERT_NO_FATAL_FAILURE(expect_spans_to_stand_alone(*document));
  }
  EXPECT_GT(accepted, 1'000);
}

}  // namespace
}  // namespace tenon
