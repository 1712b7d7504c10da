// serializer/json through its C table: what it reads, what it refuses and how it says so, what it writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "plugins/serializer_rig.hpp"

namespace tenon::test_support {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Json : public ::testing::Test {
 protected:
  Json() { TENON_INIT(&event_); }

  // The event, or its error's text.
  std::string read(std::string_view text) {
    input_ = std::make_unique<Input>(text);
    outcome_ = json_.read_event(*input_, event_);
    return outcome_.ok() ? dump(event_) : outcome_.text;
  }
  std::string refused(std::string_view text) {
    const std::string said = read(text);
    EXPECT_EQ(outcome_.status, TENON_ERR_BAD_DATA) << text;
    EXPECT_EQ(outcome_.fault, TENON_FAULT_CALLER);
    EXPECT_EQ(event_.type.data, nullptr) << "an error leaves the event untouched";
    return said;
  }
  std::string value(std::string_view text) {
    Record record;
    outcome_ = json_.read_value(Input(text), record.sink());
    return outcome_.ok() ? record.text() : outcome_.text;
  }
  std::string written(const tenon_event& event) {
    Buffer out;
    outcome_ = json_.write_event(event, out);
    EXPECT_TRUE(outcome_.ok() || out.view().empty());
    return outcome_.ok() ? out.text() : outcome_.text;
  }
  bool is_view(tenon_str text) const { return input_->holds(text.data); }

  Instance json_{"json"};
  std::unique_ptr<Input> input_;
  tenon_event event_;
  Outcome outcome_;
};

TEST_F(Json, DescribesItselfAsLineSafeText) {
  tenon_serializer_info info;
  TENON_INIT(&info);
  json_.table().describe(json_.self(), &info);
  EXPECT_EQ(view(info.content_type), "application/json");
  EXPECT_EQ(view(info.event_type), "application/cloudevents+json");
  EXPECT_EQ(info.flags, TENON_SERIALIZER_TEXT | TENON_SERIALIZER_LINE_SAFE);
}

TEST_F(Json, ReadsEveryAttributeAsAViewOfTheInput) {
  const std::string all =
      R"({"specversion":"1.0","id":"a","source":"/s","type":"t","time":"2026-11-22T10:18:32.5+01:00","subject":"x",)"
      R"("datacontenttype":"application/json","dataschema":"urn:s","topic":"a.b","target":"p.1","replyto":"r",)"
      R"("correlationid":"c","expirytime":"2026-11-22t10:18:32z","traceparent":"00","tracestate":"q=1","priority":7,)"
      R"("plain":"v","number":-42,"yes":true,"no":false,"data":{"k":[1,2]}})";
  EXPECT_EQ(read(all),
            "specversion=1.0\nid=a\nsource=/s\ntype=t\ntime=2026-11-22T10:18:32.5+01:00\nsubject=x\n"
            "datacontenttype=application/json\ndataschema=urn:s\ntopic=a.b\ntarget=p.1\nreplyto=r\ncorrelationid=c\n"
            "expirytime=2026-11-22t10:18:32z\ntraceparent=00\ntracestate=q=1\npriority=7\n"
            "plain:0=v\nnumber:1=-42\nyes:2=true\nno:2=false\ndata:1={\"k\":[1,2]}\n");
  EXPECT_EQ(view(event_.format), "application/json");
  EXPECT_TRUE(is_view(event_.id) && is_view(event_.tracestate) && is_view(event_.extensions[0].value));
  EXPECT_TRUE(is_view(event_.extensions[1].value)) << "a number's text is canonical as it stands";
  EXPECT_TRUE(input_->holds(event_.data.data));
  EXPECT_EQ(written(event_), all);
}

TEST_F(Json, UnescapesIntoItsOwnMemoryOnlyWhereThereIsABackslash) {
  read(R"({"id":"plain","source":"a\/b\u00e9\ud83d\ude00\"","type":"a\u0020b"})");
  EXPECT_TRUE(is_view(event_.id));
  EXPECT_FALSE(is_view(event_.source));
  EXPECT_EQ(view(event_.source), "a/b\xc3\xa9\xf0\x9f\x98\x80\"");
  EXPECT_EQ(view(event_.type), "a b");
}

TEST_F(Json, ReadsNamesThatAreEscaped) { EXPECT_EQ(read(R"({"\u0069d":"a","a\u0062c":1})"), "id=a\nabc:1=1\n"); }

TEST_F(Json, TakesNullForAnAbsentAttribute) {
  EXPECT_EQ(read(R"({"id":null,"priority":null,"other":null,"data_base64":null,"type":"t","x":"y"})"),
            "type=t\nx:0=y\n");
}

TEST_F(Json, KeepsDataOfEveryTypeAsItStands) {
  for (const char* data :
       {"null", "true", "false", "0", "-1.5e+3", "\"s\\n\"", "[]", "{}", "[ 1 , {\"a\" : [null]} ]"}) {
    EXPECT_EQ(read(std::string(" {\"data\" :\n") + data + "\t} "), "data:1=" + std::string(data) + "\n");
  }
}

TEST_F(Json, TakesAStringForThePayloadItselfUnderAContentTypeThatIsNotJson) {
  EXPECT_EQ(read(R"({"data":"a\nb","datacontenttype":"text/plain"})"), "datacontenttype=text/plain\ndata:2=a\nb\n");
  EXPECT_EQ(read(R"({"datacontenttype":"application/xml","data":"<a/>"})"),
            "datacontenttype=application/xml\ndata:2=<a/>\n");
  EXPECT_TRUE(input_->holds(event_.data.data));
  for (const char* type : {"application/json", "Text/JSON; charset=utf-8", "application/vnd.x+json ;a=b"}) {
    read(std::string(R"({"data":"a","datacontenttype":")") + type + "\"}");
    EXPECT_EQ(event_.data_kind, TENON_DATA_VALUE) << type;
  }
  read(R"({"data":{"a":1},"datacontenttype":"text/plain"})");
  EXPECT_EQ(event_.data_kind, TENON_DATA_VALUE);
}

TEST_F(Json, ReadsBase64WithoutDecodingIt) {
  EXPECT_EQ(read(R"({"data_base64":"AAEC\/w=="})"), "data:3=AAEC/w==\n");
  EXPECT_EQ(read(R"({"data_base64":""})"), "data:3=\n");
  for (const char* bad : {"A", "AA=", "A===", "====", "AA=A", "AA-_", "AA A", "AAA\xc3\xa9"}) {
    EXPECT_THAT(refused(std::string(R"({"data_base64":")") + bad + "\"}"), HasSubstr("is not base64")) << bad;
  }
  EXPECT_THAT(refused(R"({"data_base64":1})"), HasSubstr("must be a string of base64"));
}

TEST_F(Json, RefusesDataBesideBase64) {
  EXPECT_THAT(refused(R"({"data":1,"data_base64":"AAAA"})"), HasSubstr("attribute \"data_base64\" at octet 24"));
  EXPECT_THAT(refused(R"({"data_base64":"AAAA","data":1})"), HasSubstr("send only one"));
}

TEST_F(Json, RefusesIllegalAttributesByNameAndOctet) {
  EXPECT_THAT(refused(R"({"dataContentType":"x"})"), AllOf(HasSubstr("\"dataContentType\""), HasSubstr("letters a-z")));
  EXPECT_THAT(refused(R"({"a_b":1})"), HasSubstr("attribute \"a_b\" at octet 1"));
  EXPECT_THAT(refused(R"({"":1})"), HasSubstr("attribute \"\""));
  EXPECT_THAT(refused(R"({"n\n":1})"), HasSubstr("attribute \"n\\x0a\""));
  EXPECT_THAT(refused(R"({"id":"a","type":"b","id":"a"})"), HasSubstr("attribute \"id\" at octet 21: appears twice"));
  EXPECT_THAT(refused(R"({"id":null,"id":"a"})"), HasSubstr("appears twice"));
  EXPECT_THAT(refused(R"({"ext":1,"e\u0078t":2})"), HasSubstr("attribute \"ext\" at octet 9: appears twice"));
  EXPECT_THAT(refused(R"({"data":1,"data":2})"), HasSubstr("appears twice"));
}

TEST_F(Json, RefusesAttributesOfAnotherTypeByNameAndOctet) {
  EXPECT_THAT(refused(R"({"specversion":1.0})"), HasSubstr("attribute \"specversion\" at octet 15: must be a string"));
  EXPECT_THAT(refused(R"({"specversion":"0.3"})"), HasSubstr("must be \"1.0\""));
  EXPECT_THAT(refused(R"({"topic":{}})"), HasSubstr("\"topic\" at octet 9"));
  EXPECT_THAT(refused(R"({"id":""})"), HasSubstr("\"id\" at octet 6: must not be empty"));
  for (const char* bad : {"1.5", "1e2", "2147483648", "-2147483649", "[1]", "{}"}) {
    EXPECT_THAT(refused(std::string(R"({"ext":)") + bad + "}"), HasSubstr("attribute \"ext\" at octet 7: must be"))
        << bad;
  }
  for (const char* bad : {"0", "11", "-1", "\"5\"", "1.0", "true", "[]"}) {
    EXPECT_THAT(refused(std::string(R"({"priority":)") + bad + "}"), HasSubstr("integer from 1 (highest) to 10"))
        << bad;
  }
  EXPECT_EQ(read(R"({"low":-2147483648,"high":2147483647,"zero":-0})"),
            "low:1=-2147483648\nhigh:1=2147483647\nzero:1=0\n");
}

TEST_F(Json, RefusesTimesThatAreNoTimestamps) {
  for (const char* bad :
       {"yesterday", "2026-11-22", "2026-11-22 10:18:32Z", "2026-13-22T10:18:32Z", "2026-02-29T10:18:32Z",
        "2026-11-22T24:00:00Z", "2026-11-22T10:18:32", "2026-11-22T10:18:32.Z", "2026-11-22T10:18:32+0100"}) {
    EXPECT_THAT(refused(std::string(R"({"time":")") + bad + "\"}"), HasSubstr("RFC 3339")) << bad;
  }
  EXPECT_EQ(read(R"({"time":"2024-02-29T23:59:60Z"})"), "time=2024-02-29T23:59:60Z\n");
}

TEST_F(Json, RefusesMoreThan64Extensions) {
  std::string text = "{";
  for (int i = 0; i < 64; ++i) text += "\"e" + std::to_string(i) + "\":1,";
  EXPECT_TRUE(read(text + R"("type":"t"})").ends_with("e63:1=1\n"));
  TENON_INIT(&event_);
  EXPECT_THAT(refused(text + R"("e64":1})"), HasSubstr("\"e64\""));
}

struct Bad {
  std::string text;
  const char* says;
};

TEST_F(Json, RefusesEveryBreachOfTheGrammarWithItsOctet) {
  const Bad bad[] = {
      {"", "octet 0: expected a JSON value"},
      {"  ", "octet 2"},
      {"[]", "octet 0: an event is a JSON object"},
      {"\"a\"", "octet 0"},
      {"{", "octet 1"},
      {"{\"a\"}", "octet 4: expected ':'"},
      {"{\"a\":}", "octet 5"},
      {"{\"id\":\"a\"", "octet 9: expected ',' or '}'"},
      {"{\"id\":\"a\",}", "octet 10: expected a member's name"},
      {"{id:1}", "octet 1"},
      {"{\"a\":1 \"b\":2}", "octet 7: expected ',' or '}'"},
      {"{}{}", "octet 2"},
      {"{}x", "octet 2"},
      {"{} ]", "octet 3"},
      {"{\"a\":nul}", "octet 5: not a JSON value"},
      {"{\"a\":truex}", "octet 5"},
      {"{\"a\":true\"b\"}", "octet 5"},
      {"{\"a\":01}", "octet 5: not a JSON number"},
      {"{\"a\":1.}", "octet 5"},
      {"{\"a\":-}", "octet 5"},
      {"{\"a\":1e}", "octet 5"},
      {"{\"a\":+1}", "octet 5"},
      {"{\"a\":.5}", "octet 5"},
      {"{\"a\":0x1}", "octet 5"},
      {"{\"a\":1\f}", "octet"},
      {"{\"id\":'a'}", "octet 6"},
      {"{\"id\":\"a}", "octet 6: a string begins here"},
      {"{\"id\":\"a\nb\"}", "octet 8: a control character"},
      {"{\"id\":\"\xff\"}", "octet 7: not UTF-8"},
      {"{\"id\":\"\xed\xa0\x80\"}", "octet 7: not UTF-8"},
      {"{\"id\":\"\\x\"}", "octet 7: an illegal escape"},
      {"{\"id\":\"\\u12\"}", "octet 7: an illegal escape"},
      {"{\"id\":\"\\ud800\"}", "octet 7"},
      {"{\"id\":\"\\udc00\"}", "octet 7"},
      {"{\"id\":\"\\ud800\\u0041\"}", "octet 7"},
      {"\xef\xbb\xbf{}", "octet 0"},
      {std::string("{\0}", 3), "octet 1"},
      {"{\"a\":1/*c*/}", "octet 5"},
      {"\\{}", "octet 0"},
  };
  for (const Bad& each : bad) EXPECT_THAT(refused(each.text), HasSubstr(each.says)) << each.text;
}

TEST_F(Json, ChecksDataToTheLastOctet) {
  const Bad bad[] = {
      {R"({"a":1 "b":nul})", "octet 15: expected ',' or '}'"},
      {R"({"a":1,"b":nul})", "octet 19: not a JSON value"},
      {"[1,]", "octet 11"},
      {"[1 2]", "octet 11"},
      {"[,1]", "octet 9"},
      {"{,}", "octet 9"},
      {"[1}", "octet 10"},
      {"{\"a\":1]", "octet 14"},
      {"[[[]]", "octet"},
      {"[tru]", "octet 9"},
      {"[1.2.3]", "octet 9"},
      {"[\"\\q\"]", "octet 10"},
      {"[\"a\" \"b\"]", "octet 13"},
      {"{\"a\\u\":1}", "octet 11"},
      {"{1:2}", "octet 9"},
      {"[NaN]", "octet 9"},
      {"[-Infinity]", "octet 9"},
      {"\"\\ud800\"", "octet 9: an illegal escape"},
  };
  for (const Bad& each : bad) EXPECT_THAT(refused(R"({"data":)" + each.text + "}"), HasSubstr(each.says)) << each.text;
}

TEST_F(Json, NestsDataUpTo512LevelsAndNoDeeper) {
  const auto nested = [](std::size_t levels) {
    return R"({"data":)" + std::string(levels, '[') + std::string(levels, ']') + "}";
  };
  EXPECT_TRUE(read(nested(512)).starts_with("data:1=[["));
  TENON_INIT(&event_);
  EXPECT_THAT(refused(nested(513)), HasSubstr("octet 520: nested deeper than 512 levels"));
  EXPECT_THAT(refused(nested(10'000)), HasSubstr("octet 520: nested deeper"));
  EXPECT_THAT(refused(R"({"data":)" + std::string(10'000, '[')), HasSubstr("nested deeper"));
  EXPECT_THAT(refused(R"({"ext":)" + std::string(10'000, '[')), HasSubstr("attribute \"ext\""));
}

TEST_F(Json, ReadsNothingOfTheOctetsBehindTheInput) {
  for (const char padding : {'7', '"', '}', '\\', '\0'}) {
    const Input input(R"({"a":12)", padding);
    tenon_event event;
    TENON_INIT(&event);
    EXPECT_EQ(json_.read_event(input, event).status, TENON_ERR_BAD_DATA);
    Record record;
    EXPECT_TRUE(json_.read_value(Input("12", padding), record.sink()).ok());
    EXPECT_EQ(record.text(), "u12");
  }
}

TEST_F(Json, GoesOnAfterALargeEvent) {
  const std::string large = R"({"data":[)" + std::string(3'000'000, ' ') + "\"" + std::string(1'000'000, 'x') + "\"]}";
  EXPECT_EQ(read(large).size(), large.size() - 9 + 8);
  for (int i = 0; i < 600; ++i) EXPECT_EQ(read(R"({"id":"a"})"), "id=a\n");
  EXPECT_EQ(read(large).size(), large.size() - 9 + 8);
}

TEST_F(Json, WritesWhatItReads) {
  for (const char* text : {R"({"id":"a\"\\/é😀"})", R"({"type":"t","n":-5,"b":true,"data":{"a": [1]}})",
                           R"({"priority":1,"data_base64":"AAEC/w=="})", "{}",
                           R"({"datacontenttype":"text/plain","data":"a\nb"})"}) {
    read(text);
    EXPECT_EQ(written(event_), text);
  }
}

TEST_F(Json, WritesOctetsAsTextWhereTheyAreTextElseAsBase64) {
  const auto with = [&](std::string_view type, std::string_view octets) {
    TENON_INIT(&event_);
    if (!type.empty()) event_.datacontenttype = str(type);
    event_.data_kind = TENON_DATA_BYTES;
    event_.data = bytes(octets);
    return written(event_);
  };
  EXPECT_EQ(with("", "{}"), R"({"data_base64":"e30="})");
  EXPECT_EQ(with("", ""), R"({"data_base64":""})");
  EXPECT_EQ(with("application/json", "{}"), R"({"datacontenttype":"application/json","data_base64":"e30="})");
  EXPECT_EQ(with("text/csv", "a,\"b\""), R"({"datacontenttype":"text/csv","data":"a,\"b\""})");
  EXPECT_EQ(with("text/csv", "\xff\xfe\xfd"), R"({"datacontenttype":"text/csv","data_base64":"//79"})");
  EXPECT_EQ(with("text/json", "1"), R"({"datacontenttype":"text/json","data_base64":"MQ=="})");
}

TEST_F(Json, RefusesToWriteWhatNoEventMayHold) {
  event_.data_kind = TENON_DATA_VALUE;
  event_.data = bytes("\x01");
  event_.format = str("application/msgpack");
  EXPECT_THAT(written(event_), HasSubstr("application/msgpack"));
  EXPECT_EQ(outcome_.status, TENON_ERR_UNTRANSLATABLE);
  const tenon_attribute bad[] = {attribute("a", "01x", TENON_ATTRIBUTE_INTEGER),
                                 attribute("a", "1,\"b\":2", TENON_ATTRIBUTE_INTEGER),
                                 attribute("a", "yes", TENON_ATTRIBUTE_BOOLEAN),
                                 attribute("A", "x", TENON_ATTRIBUTE_STRING),
                                 attribute("id", "x", TENON_ATTRIBUTE_STRING),
                                 attribute("data", "x", TENON_ATTRIBUTE_STRING),
                                 attribute("a", "x", 99)};
  for (const tenon_attribute& each : bad) {
    TENON_INIT(&event_);
    event_.extension_count = 1;
    event_.extensions = &each;
    EXPECT_THAT(written(event_), StartsWith("attribute \""));
    EXPECT_EQ(outcome_.status, TENON_ERR_INVALID_ARGUMENT);
  }
}

TEST_F(Json, LeavesTheBufferAsItWasAtTheHostsLimit) {
  read(R"({"id":"0123456789","data":"0123456789"})");
  for (std::size_t limit = 0; limit < 39; ++limit) {
    Buffer out(limit);
    const Outcome outcome = json_.write_event(event_, out);
    EXPECT_EQ(outcome.status, TENON_ERR_EXHAUSTED) << limit;
    EXPECT_EQ(out.view(), "");
  }
}

TEST_F(Json, SplicesAttributesInFrontAsARewriteWould) {
  const std::vector<tenon_attribute> added = {attribute("id", "a\"b", TENON_ATTRIBUTE_STRING),
                                              attribute("priority", "3", TENON_ATTRIBUTE_INTEGER),
                                              attribute("redelivered", "true", TENON_ATTRIBUTE_BOOLEAN)};
  const std::string front = R"({"id":"a\"b","priority":3,"redelivered":true)";
  std::string whole;
  for (const char* text : {R"({"type":"t","data":1})", " \r\n\t{\"type\":\"t\",\"data\":1}"}) {
    ASSERT_TRUE(json_.splice(Input(text), added, whole).ok());
    EXPECT_EQ(whole, front + R"(,"type":"t","data":1})");
    EXPECT_EQ(read(whole), "id=a\"b\ntype=t\npriority=3\nredelivered:2=true\ndata:1=1\n");
  }
  ASSERT_TRUE(json_.splice(Input("{ \n} "), added, whole).ok());
  EXPECT_EQ(whole, front + " \n} ");
  ASSERT_TRUE(json_.splice(Input(" {\"a\":1}"), {}, whole).ok());
  EXPECT_EQ(whole, "{\"a\":1}");
  EXPECT_EQ(json_.splice(Input("[]"), added, whole).status, TENON_ERR_BAD_DATA);
  EXPECT_EQ(json_.splice(Input(""), added, whole).status, TENON_ERR_BAD_DATA);
}

TEST_F(Json, StreamsValuesExactly) {
  EXPECT_EQ(value(R"( {"b":[true,false,null],"a":"\u0041é","c":{}} )"),
            "{? b: [? true false null ] a: \"A\xc3\xa9\" c: {? } }");
  EXPECT_EQ(value("18446744073709551615"), "u18446744073709551615");
  EXPECT_EQ(value("-9223372036854775808"), "i-9223372036854775808");
  EXPECT_EQ(value("[-0,-0.0,3.0,1e2,5e-324,1e-400,-1e-400,1.7976931348623157e308]"),
            "[? n-0 n-0 n3 n100 n5e-324 n0 n-0 n1.7976931348623157e+308 ]");
  EXPECT_THAT(value("[1e400]"), HasSubstr("octet 1: a number beyond"));
  EXPECT_EQ(outcome_.status, TENON_ERR_UNTRANSLATABLE);
  for (const char* large : {"18446744073709551616", "-9223372036854775809", "123456789012345678901234567890"}) {
    EXPECT_THAT(value(large), HasSubstr("octet 0: an integer beyond 64 bits")) << large;
    EXPECT_EQ(outcome_.status, TENON_ERR_UNTRANSLATABLE);
  }
  EXPECT_THAT(value("1 2"), HasSubstr("octet 2"));
  EXPECT_THAT(value(std::string(513, '[')), HasSubstr("nested deeper"));
}

TEST_F(Json, PassesOnNoMapThatHasAKeyTwice) {
  std::string many = "{\"k0\":0";
  for (int i = 1; i < 50; ++i) many += ",\"k" + std::to_string(i) + "\":{\"k0\":1}";
  EXPECT_THAT(value(many + "}"), HasSubstr("k49"));
  EXPECT_TRUE(outcome_.ok()) << "the same key in another map is another key";
  for (const std::string& text : {std::string(R"({"a":1,"b":{},"a":2})"), std::string(R"([{"x":{"a":1,"\u0061":2}}])"),
                                 many + R"(,"a":1,"a":1})"}) {
    EXPECT_THAT(value(text), HasSubstr("the key \"a\" comes twice")) << text;
    EXPECT_EQ(outcome_.status, TENON_ERR_UNTRANSLATABLE);
  }
  EXPECT_EQ(read(R"({"data":{"a":1,"a":2}})"), "data:1={\"a\":1,\"a\":2}\n")
      << "untouched, they are the sender's octets";
}

TEST_F(Json, RefusesControlCharactersInAttributes) {
  for (const char* text : {R"({"id":"a\u0000"})", R"({"source":"long enough for a word\n"})", R"({"type":"a\u007fb"})",
                           R"({"topic":"eight...\u0085"})", R"({"ext":"\ufffe"})", R"({"ext":"\ufdd0"})",
                           R"({"tracestate":"\ud83f\udfff"})", "{\"subject\":\"a\x7f\"}"}) {
    EXPECT_THAT(refused(text), HasSubstr("control character")) << text;
  }
  EXPECT_EQ(read(R"({"id":"\u00a0\ufdcf\ufffd\ud83d\ude00 plain"})"),
            "id=\xc2\xa0\xef\xb7\x8f\xef\xbf\xbd\xf0\x9f\x98\x80 plain\n");
}

TEST_F(Json, WritesValuesThatReadBackTheSame) {
  Instance writer("json");
  for (const char* text :
       {R"({"a":[1,-2,3.0,-0.0,1e+100,5e-324,0.1,18446744073709551615,-9223372036854775808],"b":{}})",
        R"([[],[[]],{"":null},"\u0000\\",true,false])", "\"\"", "null"}) {
    Buffer out;
    ASSERT_TRUE(transcode(json_, Input(text), writer, out).ok()) << text;
    EXPECT_EQ(out.view(), text);
  }
}

TEST_F(Json, RefusesValuesThatItHasNoWordFor) {
  const auto refused_by = [&](auto&& call) {
    Buffer out;
    tenon_value_sink sink;
    EXPECT_TRUE(json_.write_value(out, sink).ok());
    EXPECT_EQ(sink.begin_array(sink.context, 1), TENON_OK);
    EXPECT_EQ(call(sink), TENON_ERR_UNTRANSLATABLE);
    EXPECT_EQ(sink.null_value(sink.context), TENON_ERR_UNTRANSLATABLE) << "the stream has ended";
    const Outcome outcome = json_.finish_value();
    EXPECT_EQ(outcome.status, TENON_ERR_UNTRANSLATABLE);
    EXPECT_EQ(out.view(), "");
    return outcome.text;
  };
  EXPECT_THAT(refused_by([](tenon_value_sink& s) { return s.binary(s.context, bytes("x")); }), HasSubstr("binary"));
  EXPECT_THAT(refused_by([](tenon_value_sink& s) { return s.timestamp(s.context, 1, 2); }), HasSubstr("timestamp"));
  EXPECT_THAT(refused_by([](tenon_value_sink& s) { return s.extension(s.context, 5, bytes("x")); }),
              HasSubstr("type 5"));
  EXPECT_THAT(refused_by([](tenon_value_sink& s) { return s.string(s.context, str("\xff")); }), HasSubstr("UTF-8"));
  for (const double none : {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity()}) {
    EXPECT_THAT(refused_by([&](tenon_value_sink& s) { return s.number(s.context, none); }), HasSubstr("NaN"));
  }
}

TEST_F(Json, AcceptsOnlyWholeValuesInOrder) {
  Buffer out;
  tenon_value_sink sink;
  EXPECT_EQ(json_.finish_value().status, TENON_ERR_WRONG_STATE);
  ASSERT_TRUE(json_.write_value(out, sink).ok());
  tenon_value_sink second;
  EXPECT_EQ(json_.write_value(out, second).status, TENON_ERR_WRONG_STATE);
  EXPECT_EQ(json_.finish_value().status, TENON_ERR_WRONG_STATE) << "nothing was written";
  ASSERT_TRUE(json_.write_value(out, sink).ok());
  sink.begin_map(sink.context, UINT64_MAX);
  EXPECT_EQ(sink.null_value(sink.context), TENON_ERR_WRONG_STATE) << "a value without a key";
  EXPECT_EQ(json_.finish_value().status, TENON_ERR_WRONG_STATE);
  ASSERT_TRUE(json_.write_value(out, sink).ok());
  sink.begin_array(sink.context, 2);
  sink.null_value(sink.context);
  EXPECT_EQ(sink.end_array(sink.context), TENON_ERR_WRONG_STATE) << "one element of two";
  EXPECT_EQ(json_.finish_value().status, TENON_ERR_WRONG_STATE);
  EXPECT_EQ(out.view(), "");
}

}  // namespace
}  // namespace tenon::test_support
