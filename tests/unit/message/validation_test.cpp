#include "message/validation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tenon::message {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::unique_ptr<Schema> compile(std::string_view text) {
  auto schema = Schema::compile(text, "test.json");
  EXPECT_TRUE(schema.ok()) << (schema.ok() ? "" : schema.error().message);
  return schema.ok() ? std::move(*schema) : nullptr;
}

// "pointer: message" of each finding.
std::vector<std::string> judge(std::string_view schema, std::string_view json, std::size_t limit = 16) {
  std::vector<std::string> out;
  for (const SchemaFinding& f : compile(schema)->findings(json, limit)) out.push_back(f.pointer + ": " + f.message);
  return out;
}

std::string refusal(std::string_view schema) {
  auto compiled = Schema::compile(schema, "test.json");
  if (compiled.ok()) return "accepted";
  EXPECT_EQ(compiled.error().code, errc::bad_data);
  EXPECT_EQ(compiled.error().whose, fault::caller);
  return compiled.error().message;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(SchemaCheck, NamesPlaceValueAndRule) {
  const char* schema =
      R"({"properties":{"a":{"type":"array","items":{"type":"integer"}},"b/c":{"type":["string","null"]}}})";
  EXPECT_THAT(judge(schema, R"({"a":[1,"x"],"b/c":true})"),
              ElementsAre("/a/1: found \"x\", expected an integer", "/b~1c: found true, expected null or a string"));
}

TEST(SchemaCheck, NamesMissingAndUnknownMembers) {
  const char* schema = R"({"required":["task"],"properties":{"task":{}},"additionalProperties":false})";
  EXPECT_THAT(judge(schema, R"({"tusk":1})"), testing::UnorderedElementsAre(
      ": found an object of 1 members, expected the member \"task\"",
      ": found an object of 1 members, expected no member \"tusk\""));
}

TEST(SchemaCheck, SaysItAllAsOneError) {
  const Status status =
      compile(R"({"properties":{"a":{"minimum":3},"b":{"enum":["x","y"]}}})")->check(R"({"a":1,"b":"z"})");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, errc::bad_data);
  EXPECT_THAT(status.error().message, HasSubstr("test.json"));
  EXPECT_THAT(status.error().message, HasSubstr("\"/a\": found 1, expected at least 3"));
  EXPECT_THAT(status.error().message, HasSubstr("\"/b\": found \"z\", expected one of \"x\", \"y\""));
}

TEST(SchemaCheck, StopsAtTheLimitOfFindings) {
  EXPECT_THAT(judge(R"({"items":{"type":"string"}})", "[1,2,3,4,5]", 2), SizeIs(2));
}

TEST(SchemaCheck, ShortensWhatItFound) {
  const auto found = judge(R"({"type":"integer"})", '"' + std::string(100'000, 'x') + '"');
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_LT(found[0].size(), 200u);
}

TEST(SchemaCheck, TakesANumberWithoutFractionForAnInteger) {
  EXPECT_THAT(judge(R"({"type":"integer"})", "1.0"), IsEmpty());
  EXPECT_THAT(judge(R"({"type":"integer"})", "1e3"), IsEmpty());
  EXPECT_THAT(judge(R"({"type":"integer"})", "18446744073709551615"), IsEmpty());
  EXPECT_THAT(judge(R"({"type":"integer"})", "1.5"), SizeIs(1));
  EXPECT_THAT(judge(R"({"enum":[1]})", "1.0"), IsEmpty());
  EXPECT_THAT(judge(R"({"type":"number"})", "7"), IsEmpty());
}

TEST(SchemaCheck, ComparesLargeIntegersExactly) {
  EXPECT_THAT(judge(R"({"maximum":9007199254740992})", "9007199254740993"), SizeIs(1));
  EXPECT_THAT(judge(R"({"const":9007199254740993})", "9007199254740992"), SizeIs(1));
}

TEST(SchemaCheck, KnowsMultiplesOfFractionsAndRefusesFractionsOfIntegers) {
  EXPECT_THAT(judge(R"({"multipleOf":0.1})", "0.3"), IsEmpty());
  EXPECT_THAT(judge(R"({"multipleOf":2})", "2.5"), SizeIs(1));
  EXPECT_THAT(judge(R"({"multipleOf":2})", "-9223372036854775808"), IsEmpty());
  EXPECT_THAT(refusal(R"({"multipleOf":0})"), HasSubstr("expected a number above 0"));
}

TEST(SchemaCheck, CountsCharactersAcrossNulAndMultibyteText) {
  EXPECT_THAT(judge(R"({"maxLength":3})", R"("äöü")"), IsEmpty());
  EXPECT_THAT(judge(R"({"maxLength":3})", R"("a\u0000bcd")"), SizeIs(1));
}

TEST(SchemaCheck, ChecksFormatsOfTextsOnly) {
  EXPECT_THAT(judge(R"({"format":"date"})", R"("2024-02-29")"), IsEmpty());
  EXPECT_THAT(judge(R"({"format":"date"})", R"("2023-02-29")"), SizeIs(1));
  EXPECT_THAT(judge(R"({"format":"date"})", "[1,2]"), IsEmpty());  // valijson throws here
  EXPECT_THAT(judge(R"({"format":"date"})", "20240101"), IsEmpty());
  EXPECT_THAT(judge(R"({"format":"date-time"})", R"("2024-02-29T10:11:12.5+02:00")"), IsEmpty());
  EXPECT_THAT(judge(R"({"format":"date-time"})", R"("9999-12-31T23:59:59Z")"), IsEmpty());
  EXPECT_THAT(judge(R"({"format":"time"})", R"("23:59:60Z")"), IsEmpty());
  EXPECT_THAT(judge(R"({"format":"time"})", R"("24:00:00Z")"), SizeIs(1));
  EXPECT_THAT(judge(R"({"format":"colour"})", R"("x")"), IsEmpty());
}

TEST(SchemaCheck, FindsEqualValuesHoweverTheyAreWritten) {
  EXPECT_THAT(judge(R"({"uniqueItems":true})", R"([{"a":1,"b":2},{"b":2.0,"a":1}])"), SizeIs(1));
  EXPECT_THAT(judge(R"({"uniqueItems":true})", R"(["1",1,true,null,[],{}])"), IsEmpty());
}

TEST(SchemaCheck, ChecksAHundredThousandUniqueItemsInLinearTime) {
  std::string json = "[0";
  for (int i = 1; i < 100'000; ++i) json += "," + std::to_string(i);
  EXPECT_THAT(judge(R"({"uniqueItems":true})", json + "]"), IsEmpty());  // pairs would take minutes
  EXPECT_THAT(judge(R"({"uniqueItems":true})", json + ",7]"), SizeIs(1));
}

TEST(SchemaCheck, RefusesTwoMembersOfOneName) {
  EXPECT_THAT(judge("true", R"({"a":{"b":1,"c":2,"b":3}})"),
              ElementsAre("/a: found the member \"b\" twice, expected each name once"));
}

TEST(SchemaCheck, RefusesWhatIsNoJson) {
  for (const char* text : {"", "{", "[1,]", "nul", "{\"a\":1 \"b\":2}", "1 2", "\"\xff\""})
    EXPECT_THAT(judge("true", text), SizeIs(1)) << text;
}

TEST(SchemaCheck, RefusesTenThousandLevelsOfNesting) {
  const char* recursive = R"({"type":"array","items":{"$ref":"#"}})";
  EXPECT_THAT(judge(recursive, nested(200)), IsEmpty());
  EXPECT_THAT(judge(recursive, nested(10'000)),
              ElementsAre(": found more than 256 levels of nesting, expected less"));
}

TEST(SchemaCheck, MatchesPatternsWithoutExploding) {
  const std::string evil = '"' + std::string(2000, 'a') + "!\"";
  EXPECT_THAT(judge(R"({"pattern":"^(a+)+$"})", evil), SizeIs(1));
  EXPECT_THAT(judge(R"({"pattern":"^(a|aa)+$"})", '"' + std::string(2000, 'a') + '"'), IsEmpty());
  EXPECT_THAT(judge(R"({"pattern":"^a+$"})", '"' + std::string(1 << 20, 'a') + '"'), IsEmpty());
}

TEST(SchemaCheck, FindsTheOneThatDoesNotMatchAmongMany) {
  std::string strings = "[";
  for (int i = 0; i < 500; ++i) strings += '"' + std::string(2000, i == 480 ? 'B' : 'b') + "\",";
  strings.back() = ']';
  EXPECT_THAT(judge(R"({"items":{"pattern":"^[a-z]+(-[a-z]+)*$"}})", strings), ElementsAre(HasSubstr("/480: found")));
}

// Linear in the text, but with a factor that the pattern chooses: the check ends all the same.
TEST(SchemaCheck, GivesUpWhenAPatternIsTooMuchWork) {
  const char* schema = R"j({"items":{"pattern":"([a-c]|[a-b][a-c]|a*b*c*a*){1,60}([a-c]|[a-b][a-c]|a*b*c*a*){1,60}z$"}})j";
  std::string strings = "[";
  for (int i = 0; i < 500; ++i) strings += '"' + std::string(2000, i % 2 == 0 ? 'a' : 'b') + "z\",";
  strings.back() = ']';
  EXPECT_THAT(judge(schema, strings), ElementsAre(HasSubstr("takes too long")));
}

TEST(SchemaCheck, FindsAPatternAnywhereUnlessItIsAnchored) {
  EXPECT_THAT(judge(R"({"pattern":"b+c"})", R"("aa\nabbc!")"), IsEmpty());
  EXPECT_THAT(judge(R"({"pattern":"^b"})", R"("ab")"), SizeIs(1));
  EXPECT_THAT(judge(R"({"pattern":"b$"})", R"("abab")"), IsEmpty());
  EXPECT_THAT(judge(R"({"pattern":"^a|b$"})", R"("cb")"), IsEmpty());
  EXPECT_THAT(judge(R"({"pattern":"^.\\d$"})", "\"\u00e9" "1\""), IsEmpty());
  EXPECT_THAT(judge(R"({"pattern":"^$"})", R"("")"), IsEmpty());
}

TEST(SchemaCheck, MatchesNamesByPattern) {
  const char* schema = R"({"patternProperties":{"^x-":{"type":"string"}},"additionalProperties":false})";
  EXPECT_THAT(judge(schema, R"({"x-a":"1"})"), IsEmpty());
  EXPECT_THAT(judge(schema, R"({"x-a":1})"), ElementsAre("/x-a: found 1, expected a string"));
  EXPECT_THAT(judge(schema, R"({"y":1})"), SizeIs(1));
  EXPECT_THAT(judge(schema, "{\"x-" + std::string(200, 'a') + "\":\"\"}"), SizeIs(1));
}

TEST(SchemaCheck, AppliesTheCombinations) {
  EXPECT_THAT(judge(R"({"anyOf":[{"type":"string"},{"minimum":3}]})", "4"), IsEmpty());
  EXPECT_FALSE(judge(R"({"anyOf":[{"type":"string"},{"minimum":3}]})", "2").empty());
  EXPECT_FALSE(judge(R"({"oneOf":[{"type":"number"},{"minimum":3}]})", "4").empty());
  EXPECT_FALSE(judge(R"({"allOf":[{"type":"number"},{"minimum":3}]})", "2").empty());
  EXPECT_FALSE(judge(R"({"not":{"type":"string"}})", "\"a\"").empty());
  EXPECT_FALSE(judge("false", "1").empty());
  EXPECT_THAT(judge("true", "1"), IsEmpty());
  EXPECT_FALSE(judge(R"({"properties":{"a":false}})", R"({"a":1})").empty());
  EXPECT_FALSE(judge(R"({"contains":{"const":7}})", "[1,2]").empty());
  EXPECT_THAT(judge(R"({"contains":{"const":7}})", "[1,7]"), IsEmpty());
  EXPECT_FALSE(judge(R"({"items":[{"type":"string"}],"additionalItems":{"type":"integer"}})", R"(["a","b"])").empty());
  EXPECT_FALSE(judge(R"({"minItems":2})", "[1]").empty());
  EXPECT_FALSE(judge(R"({"maxProperties":1})", R"({"a":1,"b":2})").empty());
}

TEST(SchemaCheck, AppliesConditionsNamesAndDependenciesInsideReferences) {
  // valijson alone checks names and dependencies against the schema around them when a reference led there.
  const char* schema = R"({"properties":{"x":{"$ref":"#/definitions/d"}},"definitions":{"d":{
      "type":"object","propertyNames":{"maxLength":3},"dependencies":{"a":{"required":["b"]},"c":["d"]},
      "if":{"required":["e"]},"then":{"required":["f"]},"else":{"required":["g"]}}}})";
  EXPECT_THAT(judge(schema, R"({"x":{"g":1}})"), IsEmpty());
  EXPECT_THAT(judge(schema, R"({"x":{"e":1,"f":1,"a":1,"b":2}})"), IsEmpty());
  EXPECT_FALSE(judge(schema, R"({"x":{"g":1,"long":1}})").empty());
  EXPECT_FALSE(judge(schema, R"({"x":{"g":1,"a":1}})").empty());
  EXPECT_FALSE(judge(schema, R"({"x":{"g":1,"c":1}})").empty());
  EXPECT_FALSE(judge(schema, R"({"x":{"e":1}})").empty());
}

TEST(SchemaCheck, UnderstandsTheExclusiveBoundsOfDraft4) {
  const char* schema = R"({"$schema":"http://json-schema.org/draft-04/schema#","maximum":3,"exclusiveMaximum":true})";
  EXPECT_THAT(judge(schema, "3"), ElementsAre(": found 3, expected less than 3"));
  EXPECT_THAT(judge(schema, "2"), IsEmpty());
}

TEST(SchemaCheck, GivesUpOnASchemaThatBranchesWithoutBound) {
  // Every level is checked twice by each of four alternatives: 8 to the power of the depth.
  const char* schema =
      R"({"definitions":{"n":{"anyOf":[{"type":"array","minItems":1,"items":{"$ref":"#/definitions/n"}},
      {"type":"array","minItems":1,"items":{"$ref":"#/definitions/n"}},
       {"type":"array","minItems":1,"items":{"$ref":"#/definitions/n"}},
      {"type":"array","minItems":1,"items":{"$ref":"#/definitions/n"}}]}},"$ref":"#/definitions/n"})";
  const auto found = judge(schema, nested(100));
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0], HasSubstr("takes too long"));
}

TEST(SchemaCheck, BoundsWhatItCollectsAboutLargeData) {
  std::string json = "[0";
  for (int i = 1; i < 200'000; ++i) json += ",0";
  EXPECT_THAT(judge(R"({"items":{"type":"string"}})", json + "]"), SizeIs(16));
}

TEST(SchemaCompile, RefusesReferencesThatLeaveTheDocument) {
  for (const char* ref : {"http://127.0.0.1:1/x.json", "other.json", "file:///etc/passwd", "urn:x:y", ""})
    EXPECT_THAT(refusal(std::string(R"({"properties":{"a":{"$ref":")") + ref + R"("}}})"), HasSubstr("never fetched"))
        << ref;
  EXPECT_THAT(refusal(R"({"$ref":"#/definitions/none"})"), HasSubstr("points to nothing"));
  EXPECT_THAT(refusal(R"({"$ref":"#/title","title":"x"})"), HasSubstr("points to no schema"));
}

TEST(SchemaCompile, RefusesReferencesThatGoInCircles) {
  EXPECT_THAT(refusal(R"({"$ref":"#"})"), HasSubstr("refers to itself"));
  EXPECT_THAT(refusal(R"({"$ref":"#/definitions/a","definitions":{"a":{"allOf":[{"$ref":"#/definitions/b"}]},
      "b":{"not":{"$ref":"#/definitions/a"}}}})"), HasSubstr("refers to itself"));
}

TEST(SchemaCompile, RefusesBadKeywordsWithTheirPlace) {
  EXPECT_THAT(refusal("{\n \"type\": \"strin\"\n}"), HasSubstr("test.json:2:10"));
  EXPECT_THAT(refusal(R"({"minLength":-1})"), HasSubstr("$.minLength: found -1"));
  EXPECT_THAT(refusal(R"({"required":"a"})"), HasSubstr("array of names"));
  EXPECT_THAT(refusal(R"({"items":3})"), HasSubstr("expected a schema"));
  EXPECT_THAT(refusal(R"({"anyOf":[]})"), HasSubstr("at least one schema"));
  EXPECT_THAT(refusal(R"({"enum":{}})"), HasSubstr("array of values"));
  EXPECT_THAT(refusal("[]"), HasSubstr("expected a schema"));
  EXPECT_THAT(refusal("{"), HasSubstr("test.json:1:2"));
  EXPECT_THAT(refusal(R"({"$schema":"https://json-schema.org/draft/2020-12/schema"})"), HasSubstr("a draft up to 7"));
}

TEST(SchemaCompile, RefusesPatternsThatAreNoneOrCouldRunForEver) {
  EXPECT_THAT(refusal(R"({"pattern":"["})"), HasSubstr("expected a regular expression"));
  EXPECT_THAT(refusal(R"({"pattern":"(a)\\1"})"), HasSubstr("back references"));
  EXPECT_THAT(refusal(R"j({"pattern":"(?=a)"})j"), HasSubstr("look-around"));
  EXPECT_THAT(refusal(R"({"pattern":")("})"), HasSubstr("expected a regular expression"));
  EXPECT_THAT(refusal(R"({"pattern":"((a{100}){100}){100}"})"), HasSubstr("expected a regular expression"));
  EXPECT_THAT(refusal("{\"pattern\":\"" + std::string(2000, 'a') + "\"}"), HasSubstr("at most 1024 octets"));
  EXPECT_THAT(refusal(R"({"patternProperties":{"^(a+)+$":{}}})"), HasSubstr("repeats a group"));
  EXPECT_THAT(refusal(R"({"patternProperties":{"[":{}}})"), HasSubstr("no regular expression"));
  EXPECT_THAT(refusal(R"({"patternProperties":{"a*b*c*d*e*":{}}})"), HasSubstr("more than four repetitions"));
}

TEST(SchemaCompile, RefusesSchemasNestedWithoutMeasure) {
  std::string schema = "{}";
  for (int i = 0; i < 20; ++i) schema = "{\"not\":" + schema + "}";
  EXPECT_THAT(refusal(schema), HasSubstr("nested more than 16 deep"));
  for (int i = 0; i < 5000; ++i) schema = "{\"not\":" + schema + "}";
  EXPECT_NE(refusal(schema), "accepted");
}

}  // namespace
}  // namespace tenon::message
