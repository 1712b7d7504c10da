// serializer/msgpack through its C table: every form of the format, what it refuses and how it says so, what it writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "plugins/serializer_rig.hpp"

namespace tenon::test_support {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::string_literals;

// MessagePack by hand, so that the tests owe nothing to what they test.
std::string text(std::string_view s) { return std::string(1, static_cast<char>(0xa0 | s.size())) + std::string(s); }
std::string map(std::size_t pairs) { return std::string(1, static_cast<char>(0x80 | pairs)); }

class Msgpack : public ::testing::Test {
 protected:
  Msgpack() { TENON_INIT(&event_); }

  std::string read(std::string_view octets) {
    input_ = std::make_unique<Input>(octets, '\xc0');
    outcome_ = msgpack_.read_event(*input_, event_);
    return outcome_.ok() ? dump(event_) : outcome_.text;
  }
  std::string refused(std::string_view octets) {
    const std::string said = read(octets);
    EXPECT_EQ(outcome_.status, TENON_ERR_BAD_DATA) << said;
    EXPECT_EQ(outcome_.fault, TENON_FAULT_CALLER);
    EXPECT_EQ(event_.type.data, nullptr) << "an error leaves the event untouched";
    return said;
  }
  std::string value(std::string_view octets) {
    Record record;
    outcome_ = msgpack_.read_value(Input(octets, '\xc0'), record.sink());
    return outcome_.ok() ? record.text() : outcome_.text;
  }
  std::string written(const tenon_event& event) {
    Buffer out;
    outcome_ = msgpack_.write_event(event, out);
    EXPECT_TRUE(outcome_.ok() || out.view().empty());
    return outcome_.ok() ? out.text() : outcome_.text;
  }
  // What `call` writes into a stream.
  template <class Call>
  std::string streamed(Call&& call) {
    Buffer out;
    tenon_value_sink sink;
    EXPECT_TRUE(msgpack_.write_value(out, sink).ok());
    call(sink);
    outcome_ = msgpack_.finish_value();
    return outcome_.ok() ? out.text() : outcome_.text;
  }

  Instance msgpack_{"msgpack"};
  std::unique_ptr<Input> input_;
  tenon_event event_;
  Outcome outcome_;
};

TEST_F(Msgpack, DescribesItselfAsBinary) {
  tenon_serializer_info info;
  TENON_INIT(&info);
  msgpack_.table().describe(msgpack_.self(), &info);
  EXPECT_EQ(view(info.content_type), "application/msgpack");
  EXPECT_EQ(view(info.event_type), "application/cloudevents+msgpack");
  EXPECT_EQ(info.flags, 0u);
}

TEST_F(Msgpack, ReadsEveryAttributeAsAViewOfTheInputAndWritesItBack) {
  std::string octets = "\xde\x00\x15"s;
  const char* texts[] = {"specversion",
                         "1.0",
                         "id",
                         "a",
                         "source",
                         "/s",
                         "type",
                         "t",
                         "time",
                         "2026-11-22T10:18:32Z",
                         "subject",
                         "x",
                         "datacontenttype",
                         "a/b",
                         "dataschema",
                         "urn:s",
                         "topic",
                         "a.b",
                         "target",
                         "p.1",
                         "replyto",
                         "r",
                         "correlationid",
                         "c",
                         "expirytime",
                         "2026-11-22T10:18:32Z",
                         "traceparent",
                         "00",
                         "tracestate",
                         "q=1"};
  for (const char* each : texts) octets += text(each);
  octets += text("priority") + "\x07" + text("plain") + text("v") + text("number") + "\xd0\xd6" + text("yes") + "\xc3" +
            text("raw") + "\xc4\x02\x01\x02" + text("data") + "\xc4\x03" "abc";
  EXPECT_EQ(
      read(octets),
      "specversion=1.0\nid=a\nsource=/s\ntype=t\ntime=2026-11-22T10:18:32Z\nsubject=x\ndatacontenttype=a/b\n"
      "dataschema=urn:s\ntopic=a.b\ntarget=p.1\nreplyto=r\ncorrelationid=c\nexpirytime=2026-11-22T10:18:32Z\n"
      "traceparent=00\ntracestate=q=1\npriority=7\nplain:0=v\nnumber:1=-42\nyes:2=true\nraw:3=AQI=\ndata:2=abc\n");
  EXPECT_EQ(view(event_.format), "application/msgpack");
  EXPECT_TRUE(input_->holds(event_.id.data) && input_->holds(event_.tracestate.data));
  EXPECT_TRUE(input_->holds(event_.data.data));
  EXPECT_EQ(written(event_), octets);
}

TEST_F(Msgpack, TakesNilForAnAbsentAttribute) {
  EXPECT_EQ(read(map(4) + text("id") + "\xc0" + text("priority") + "\xc0" + text("x") + "\xc0" + text("y") + text("")),
            "y:0=\n");
}

TEST_F(Msgpack, AcceptsLongerFormsThanNecessary) {
  const std::string expected = "id=a\npriority=3\nn:1=-1\nb:3=AQ==\ndata:2=z\n";
  EXPECT_EQ(
      read("\xdf\x00\x00\x00\x05"s +
           "\xd9\x02id\xda\x00\x01"
           "a"s +
           "\xdb\x00\x00\x00\x08priority\xce\x00\x00\x00\x03"s + text("n") + "\xd3\xff\xff\xff\xff\xff\xff\xff\xff"s +
           text("b") + "\xc6\x00\x00\x00\x01\x01"s + text("data") + "\xc5\x00\x01z"s),
      expected);
  EXPECT_EQ(read("\xde\x00\x05"s + text("id") + "\xd9\x01""a"s + text("priority") + "\xcd\x00\x03"s + text("n") +
                 "\xd1\xff\xff"s + text("b") + "\xc4\x01\x01"s + text("data") + "\xc6\x00\x00\x00\x01z"s),
            expected);
}

TEST_F(Msgpack, KeepsDataOfEveryOtherTypeAsAValue) {
  for (const std::string& data : {"\xc0"s, "\xc2"s, "\x05"s, "\xff"s, "\xcb\x3f\xf0\0\0\0\0\0\0"s, "\xa1x"s, "\x90"s,
                                  "\x80"s, "\x92\x01\x81\xa1k\xc4\x01z"s, "\xd6\xff\0\0\0\x01"s,
                                  "\xc7\x03\x05"
                                  "abc"s,
                                  "\x81\x01\x02"s}) {
    EXPECT_EQ(read(map(2) + text("data") + data + text("id") + text("a")), "id=a\ndata:1=" + data + "\n");
  }
  EXPECT_EQ(read(map(1) + text("data") + "\xc4\0"s), "data:2=\n");
}

TEST_F(Msgpack, RefusesIllegalAttributesByNameAndOctet) {
  EXPECT_THAT(refused(map(1) + text("aB") + "\x01"),
              AllOf(HasSubstr("attribute \"aB\" at octet 1"), HasSubstr("letters a-z")));
  EXPECT_THAT(refused(map(1) + text("data_base64") + text("AAAA")), HasSubstr("send data as bin"));
  EXPECT_THAT(refused(map(2) + text("id") + text("a") + text("id") + text("a")),
              HasSubstr("\"id\" at octet 6: appears twice"));
  EXPECT_THAT(refused(map(2) + text("x") + "\xc0" + text("x") + "\x01"), HasSubstr("appears twice"));
  EXPECT_THAT(refused(map(1) + text("id") + "\x01"), HasSubstr("\"id\" at octet 4: must be a str"));
  EXPECT_THAT(refused(map(1) + text("id") + "\xc4\x01z"), HasSubstr("must be a str"));
  EXPECT_THAT(refused(map(1) + text("id") + text("")), HasSubstr("must not be empty"));
  EXPECT_THAT(refused(map(1) + text("specversion") + text("0.3")), HasSubstr("must be \"1.0\""));
  EXPECT_THAT(refused(map(1) + text("time") + "\xd6\xff\0\0\0\x01"s), HasSubstr("\"time\""));
  for (const std::string& bad : {"\xca\0\0\0\0"s, "\x90"s, "\x80"s, "\xd4\x05z"s, "\xce\x80\0\0\0"s,
                                 "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"s, "\xd3\xff\xff\xff\xff\x7f\xff\xff\xff"s}) {
    EXPECT_THAT(refused(map(1) + text("ext") + bad), HasSubstr("attribute \"ext\" at octet 5: must be"));
  }
  for (const std::string& bad : {"\0"s, "\x0b"s, "\xff"s, text("5"), "\xcf\x80\0\0\0\0\0\0\x05"s}) {
    EXPECT_THAT(refused(map(1) + text("priority") + bad), HasSubstr("integer from 1 (highest) to 10"));
  }
  EXPECT_EQ(read(map(2) + text("l") + "\xd2\x80\0\0\0"s + text("h") + "\xce\x7f\xff\xff\xff"),
            "l:1=-2147483648\nh:1=2147483647\n");
}

TEST_F(Msgpack, RefusesWhatIsNoMapOfTextKeys) {
  EXPECT_THAT(refused("\x90"), HasSubstr("octet 0: an event is a MessagePack map"));
  EXPECT_THAT(refused(map(1) + "\x01\x02"), HasSubstr("octet 1: an event's keys are text"));
  EXPECT_THAT(refused("\xc1"), HasSubstr("octet 0: 0xc1"));
  EXPECT_THAT(refused(map(1) + text("data") + "\x91\xc1"), HasSubstr("0xc1"));
  EXPECT_THAT(refused(map(1) + text("id") + text("a") + "\x01"), HasSubstr("octet 6: an event is one"));
  EXPECT_THAT(refused(""), HasSubstr("octet 0: the input ends here"));
}

TEST_F(Msgpack, RefusesTextThatIsNotUtf8ByItsOctet) {
  EXPECT_THAT(refused(map(1) + text("id") + text("ab\xff")), HasSubstr("octet 7: text that is not UTF-8"));
  EXPECT_THAT(refused(map(1) + text("x\xc3") + "\x01"), HasSubstr("octet 3: text that is not UTF-8"));
  EXPECT_THAT(refused(map(1) + text("data") + "\x91" + text("\xed\xa0\x80")),
              HasSubstr("octet 8: text that is not UTF-8"));
  EXPECT_THAT(refused(map(1) + text("data") + map(1) + text("\xc0\x80") + "\x01"), HasSubstr("not UTF-8"));
  EXPECT_EQ(read(map(1) + text("id") +
                 text("\xf0\x9f\x98\x80"
                      "12345678\xc3\xa9")),
            "id=\xf0\x9f\x98\x80"
            "12345678\xc3\xa9\n");
}

TEST_F(Msgpack, RefusesEveryTruncationOfAnEvent) {
  const std::string whole = map(4) + text("id") +
                            "\xd9\x01"
                            "a" +
                            text("n") + "\xd1\xff\xfe" + text("p") + "\xc4\x02\x01\x02" + text("data") + "\x82" +
                            text("k") + "\x92\x01\xcb\x3f\xf0\0\0\0\0\0\0"s + text("l") + "\xc7\x01\x05z";
  ASSERT_TRUE(read(whole).starts_with("id=a"));
  TENON_INIT(&event_);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(refused(whole.substr(0, size)), AllOf(StartsWith("octet "), HasSubstr("the input ends"))) << size;
  }
}

TEST_F(Msgpack, AllocatesNothingForClaimsOfFourGibibytes) {
  for (const std::string& claim : {"\xdb"s, "\xc6"s, "\xdd"s, "\xdf"s, "\xc9"s}) {
    const std::string forged = claim + "\xff\xff\xff\xff" + "\xa1z\xa1z";
    EXPECT_THAT(refused(map(1) + text("data") + forged), StartsWith("octet ")) << static_cast<int>(claim[0]);
    EXPECT_THAT(refused(map(1) + text("ext") + forged), HasSubstr("octet"));
    EXPECT_THAT(value(forged), StartsWith("octet "));
  }
  EXPECT_THAT(refused("\xdf\xff\xff\xff\xff" + text("id") + text("a")), HasSubstr("the input ends here"));
}

TEST_F(Msgpack, NestsDataUpTo512LevelsAndNoDeeper) {
  const auto nested = [](std::size_t levels) { return std::string(levels, '\x91') + '\x01'; };
  EXPECT_TRUE(read(map(1) + text("data") + nested(512)).starts_with("data:1="));
  TENON_INIT(&event_);
  EXPECT_THAT(refused(map(1) + text("data") + nested(513)), HasSubstr("nested deeper than 512 levels"));
  EXPECT_THAT(refused(map(1) + text("data") + nested(10'000)), HasSubstr("nested deeper than 512 levels"));
  EXPECT_THAT(refused(map(1) + text("data") + std::string(10'000, '\x81')), HasSubstr("octet"));
  EXPECT_THAT(value(nested(10'000)), HasSubstr("nested deeper"));
}

TEST_F(Msgpack, RefusesTimestampsOfNoLegalFormInDataToo) {
  for (const std::string& bad : {"\xc7\x02\xff\0\0"s, "\xd7\xff\xff\xff\xff\xff\0\0\0\0"s}) {
    EXPECT_THAT(refused(map(1) + text("data") + bad), HasSubstr("a timestamp of no legal form"));
  }
}

TEST_F(Msgpack, RefusesMoreThan64Extensions) {
  std::string octets = "\xdc\x00\x41"s;
  octets[0] = '\xde';
  for (int i = 0; i < 65; ++i) octets += text("e" + std::to_string(i)) + "\x01";
  EXPECT_THAT(refused(octets), HasSubstr("\"e64\""));
}

TEST_F(Msgpack, RefusesToWriteWhatNoEventMayHold) {
  event_.data_kind = TENON_DATA_VALUE;
  event_.data = bytes("1");
  event_.format = str("application/json");
  EXPECT_THAT(written(event_), HasSubstr("application/json"));
  EXPECT_EQ(outcome_.status, TENON_ERR_UNTRANSLATABLE);
  const tenon_attribute bad[] = {
      attribute("a", "1x", TENON_ATTRIBUTE_INTEGER), attribute("a", "yes", TENON_ATTRIBUTE_BOOLEAN),
      attribute("A", "x", TENON_ATTRIBUTE_STRING),   attribute("id", "x", TENON_ATTRIBUTE_STRING),
      attribute("a", "x", TENON_ATTRIBUTE_BINARY),   attribute("a", "x", 99)};
  for (const tenon_attribute& each : bad) {
    TENON_INIT(&event_);
    event_.extension_count = 1;
    event_.extensions = &each;
    EXPECT_THAT(written(event_), StartsWith("attribute \""));
    EXPECT_EQ(outcome_.status, TENON_ERR_INVALID_ARGUMENT);
  }
}

TEST_F(Msgpack, WritesBase64AsTheOctetsBehindIt) {
  for (const auto& [letters, octets] : {std::pair{"", ""}, {"YQ==", "a"}, {"YWI=", "ab"}, {"YWJj", "abc"}}) {
    TENON_INIT(&event_);
    event_.data_kind = TENON_DATA_BASE64;
    event_.data = bytes(letters);
    EXPECT_EQ(written(event_), map(1) + text("data") + "\xc4"s + static_cast<char>(std::strlen(octets)) + octets);
  }
}

TEST_F(Msgpack, LeavesTheBufferAsItWasAtTheHostsLimit) {
  event_.id = str("0123456789");
  for (std::size_t limit = 0; limit < 15; ++limit) {
    Buffer out(limit);
    EXPECT_EQ(msgpack_.write_event(event_, out).status, TENON_ERR_EXHAUSTED) << limit;
    EXPECT_EQ(out.view(), "");
  }
}

TEST_F(Msgpack, SplicesAttributesInFrontAndWidensTheHeader) {
  const std::vector<tenon_attribute> added = {attribute("id", "a", TENON_ATTRIBUTE_STRING),
                                              attribute("priority", "3", TENON_ATTRIBUTE_INTEGER),
                                              attribute("redelivered", "true", TENON_ATTRIBUTE_BOOLEAN)};
  const std::string front = text("id") + text("a") + text("priority") + "\x03" + text("redelivered") + "\xc3";
  std::string whole;
  ASSERT_TRUE(msgpack_.splice(Input(map(1) + text("type") + text("t")), added, whole).ok());
  EXPECT_EQ(whole, map(4) + front + text("type") + text("t"));
  EXPECT_EQ(read(whole), "id=a\ntype=t\npriority=3\nredelivered:2=true\n");
  std::string many;
  for (int i = 0; i < 13; ++i) many += text("e" + std::to_string(i)) + "\x01";
  ASSERT_TRUE(msgpack_.splice(Input(map(13) + many), added, whole).ok());
  EXPECT_EQ(whole, "\xde\x00\x10"s + front + many);
  ASSERT_TRUE(msgpack_.splice(Input("\xdf\0\0\0\x0d"s + many), {}, whole).ok());
  EXPECT_EQ(whole, map(13) + many) << "the shortest header that holds the count";
  EXPECT_EQ(msgpack_.splice(Input("\x90"), added, whole).status, TENON_ERR_BAD_DATA);
  EXPECT_EQ(msgpack_.splice(Input(""), added, whole).status, TENON_ERR_BAD_DATA);
  EXPECT_EQ(msgpack_.splice(Input("\xdf\xff\xff\xff\xff"), added, whole).status, TENON_ERR_UNTRANSLATABLE);
}

TEST_F(Msgpack, StreamsEveryTypeOfTheSpecification) {
  EXPECT_EQ(
      value(
          "\x9d\xc0\xc2\xc3\x7f\xe0\xcc\xff\xd0\x80\xca\x3f\x80\0\0\xcb\x80\0\0\0\0\0\0\0\xa1x\xc4\x01y\xd4\x05z\x80"s),
      "[13 null false true u127 i-32 u255 i-128 n1 n-0 \"x\" b<y> x5<z> {0 } ]");
  EXPECT_EQ(
      value(
          "\x96\xcd\xff\xff\xce\xff\xff\xff\xff\xcf\xff\xff\xff\xff\xff\xff\xff\xff"s +
                  "\xd1\x80\0\xd2\x80\0\0\0\xd3\x80\0\0\0\0\0\0\0"s),
      "[6 u65535 u4294967295 u18446744073709551615 i-32768 i-2147483648 i-9223372036854775808 ]");
  EXPECT_EQ(value("\xd0\x05"), "u5") << "a signed form of a natural number";
  EXPECT_EQ(value("\x95\xd9\x01x\xda\0\x01y\xdb\0\0\0\x01z\xc5\0\x01q\xc6\0\0\0\0"s),
            "[5 \"x\" \"y\" \"z\" b<q> b<> ]");
  EXPECT_EQ(value("\xdc\0\x01\xdd\0\0\0\x01\xde\0\x01\xa1k\xdf\0\0\0\0"s), "[1 [1 {1 k: {0 } } ] ]");
  EXPECT_EQ(
      value(
          "\x97\xd5\x01zz\xd6\x01zzzz\xd7\x01zzzzzzzz\xd8\x80zzzzzzzzzzzzzzzz"s +
                  "\xc7\x01\x01z\xc8\0\x01\x01z\xc9\0\0\0\x01\x01z"s),
      "[7 x1<zz> x1<zzzz> x1<zzzzzzzz> x-128<zzzzzzzzzzzzzzzz> x1<z> x1<z> x1<z> ]");
  EXPECT_EQ(
      value(
          "\x93\xd6\xff\0\0\0\x07\xd7\xff\0\0\0\x1c\0\0\0\x09\xc7\x0c\xff\0\0\0\x05\xff\xff\xff\xff\xff\xff\xff\xff"s),
      "[3 t7,0 t9,7 t-1,5 ]");
}

TEST_F(Msgpack, RefusesValuesThatAreNoneOrCannotBeStreamed) {
  EXPECT_THAT(value("\xc7\x02\xff\0\0"s), HasSubstr("timestamp"));
  EXPECT_THAT(value("\xd7\xff\xff\xff\xff\xff\0\0\0\0"s), HasSubstr("timestamp"));
  EXPECT_THAT(value("\x01\x02"), HasSubstr("octet 1: one value"));
  EXPECT_THAT(value(""), HasSubstr("octet 0"));
  for (const std::string& key :
       {"\x01"s, "\xc0"s, "\xc3"s, "\x90"s, "\x80"s, "\xc4\x01z"s, "\xcb\0\0\0\0\0\0\0\0"s, "\xd4\x05z"s}) {
    EXPECT_THAT(value("\x81" + key + "\x01"), HasSubstr("a map key that is not text"));
    EXPECT_EQ(outcome_.status, TENON_ERR_UNTRANSLATABLE);
  }
}

TEST_F(Msgpack, PassesOnNoMapThatHasAKeyTwice) {
  EXPECT_THAT(value("\x82\xa1k\x01\xd9\x01k\x02"), HasSubstr("the key \"k\" comes twice"));
  EXPECT_EQ(outcome_.status, TENON_ERR_UNTRANSLATABLE);
  EXPECT_EQ(value("\x82\xa1k\x81\xa1k\x01\xa1l\x80"), "{2 k: {1 k: u1 } l: {0 } }");
}

TEST_F(Msgpack, RefusesControlCharactersInAttributes) {
  EXPECT_THAT(refused(map(1) + text("id") + text("a\nb")), HasSubstr("attribute \"id\" at octet"));
  EXPECT_THAT(refused(map(1) + text("ext") + text("\xc2\x85")), HasSubstr("control character"));
  EXPECT_EQ(read(map(1) + text("data") + text("a\nb")), "data:1=\xa3""a\nb\n") << "data may be any text";
}

TEST_F(Msgpack, WritesEveryIntegerInItsShortestForm) {
  const auto natural = [&](std::uint64_t v) {
    return streamed([v](tenon_value_sink& s) { s.unsigned_integer(s.context, v); });
  };
  const auto negative = [&](std::int64_t v) {
    return streamed([v](tenon_value_sink& s) { s.signed_integer(s.context, v); });
  };
  EXPECT_EQ(natural(127), "\x7f");
  EXPECT_EQ(natural(128), "\xcc\x80");
  EXPECT_EQ(natural(256), "\xcd\x01\0"s);
  EXPECT_EQ(natural(65536), "\xce\0\x01\0\0"s);
  EXPECT_EQ(natural(std::uint64_t{1} << 32), "\xcf\0\0\0\x01\0\0\0\0"s);
  EXPECT_EQ(negative(-32), "\xe0");
  EXPECT_EQ(negative(-33), "\xd0\xdf");
  EXPECT_EQ(negative(-129), "\xd1\xff\x7f");
  EXPECT_EQ(negative(-32769), "\xd2\xff\xff\x7f\xff");
  EXPECT_EQ(negative(std::int64_t{-2147483649}), "\xd3\xff\xff\xff\xff\x7f\xff\xff\xff");
}

TEST_F(Msgpack, KeepsDoublesDoubles) {
  const auto real = [&](double v) { return streamed([v](tenon_value_sink& s) { s.number(s.context, v); }); };
  EXPECT_EQ(real(3.0), "\xcb\x40\x08\0\0\0\0\0\0"s);
  EXPECT_EQ(real(-0.0), "\xcb\x80\0\0\0\0\0\0\0"s);
  EXPECT_EQ(real(std::numeric_limits<double>::infinity()), "\xcb\x7f\xf0\0\0\0\0\0\0"s);
  EXPECT_EQ(real(18446744073709551616.0).size(), 9u);
}

TEST_F(Msgpack, WritesTimestampsInTheirShortestForm) {
  const auto stamp = [&](std::int64_t s, std::uint32_t n) {
    return streamed([s, n](tenon_value_sink& sink) { sink.timestamp(sink.context, s, n); });
  };
  EXPECT_EQ(stamp(4294967295, 0), "\xd6\xff\xff\xff\xff\xff");
  EXPECT_EQ(stamp(4294967296, 0), "\xd7\xff\0\0\0\x01\0\0\0\0"s);
  EXPECT_EQ(stamp(9, 7), "\xd7\xff\0\0\0\x1c\0\0\0\x09"s);
  EXPECT_EQ(stamp(-1, 5), "\xc7\x0c\xff\0\0\0\x05\xff\xff\xff\xff\xff\xff\xff\xff"s);
  stamp(0, 1'000'000'000);
  EXPECT_EQ(outcome_.status, TENON_ERR_UNTRANSLATABLE);
}

TEST_F(Msgpack, WidensContainersWhoseSizeWasUnknown) {
  const auto nested = [](tenon_value_sink& s, std::uint64_t inner, std::uint64_t announced) {
    s.begin_array(s.context, announced == UINT64_MAX ? UINT64_MAX : 17);
    for (int i = 0; i < 16; ++i) s.unsigned_integer(s.context, 1);
    s.begin_map(s.context, announced == UINT64_MAX ? UINT64_MAX : 1);
    s.key(s.context, str("k"));
    s.begin_array(s.context, announced == UINT64_MAX ? UINT64_MAX : inner);
    for (std::uint64_t i = 0; i < inner; ++i) s.null_value(s.context);
    s.end_array(s.context), s.end_map(s.context), s.end_array(s.context);
  };
  for (const std::uint64_t inner : {0u, 15u, 16u, 65535u, 65536u}) {
    const std::string unknown = streamed([&](tenon_value_sink& s) { nested(s, inner, UINT64_MAX); });
    ASSERT_TRUE(outcome_.ok()) << outcome_.text;
    EXPECT_EQ(unknown, streamed([&](tenon_value_sink& s) { nested(s, inner, 0); })) << inner;
    EXPECT_TRUE(value(unknown).starts_with("[17 u1")) << inner;
  }
}

TEST_F(Msgpack, RefusesAnotherCountThanAnnounced) {
  streamed([](tenon_value_sink& s) {
    s.begin_map(s.context, 2), s.key(s.context, str("k")), s.null_value(s.context);
    EXPECT_EQ(s.end_map(s.context), TENON_ERR_WRONG_STATE);
  });
  EXPECT_EQ(outcome_.status, TENON_ERR_WRONG_STATE);
  streamed([](tenon_value_sink& s) {
    EXPECT_EQ(s.begin_array(s.context, std::uint64_t{1} << 32), TENON_ERR_UNTRANSLATABLE);
  });
  streamed([](tenon_value_sink& s) { EXPECT_EQ(s.extension(s.context, 128, bytes("x")), TENON_ERR_UNTRANSLATABLE); });
}

TEST_F(Msgpack, HandsTheSinksStatusBackAndStops) {
  Record record(TENON_ERR_UNTRANSLATABLE);
  EXPECT_EQ(msgpack_.read_value(Input("\x92\xc4\x01x\xc0"), record.sink()).status, TENON_ERR_UNTRANSLATABLE);
  EXPECT_EQ(record.text(), "[2");
}

}  // namespace
}  // namespace tenon::test_support
