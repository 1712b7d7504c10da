#include "message/encoder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tenon::message {
namespace {

using testing::HasSubstr;

// A format whose events read NAME(type=…;id=…;ext=…|data) and are preceded by what was spliced in: [name=value].
class FakeSerializer final : public MessageSerializer {
 public:
  FakeSerializer(std::string name, std::string content_type)
      : name_(std::move(name)), format_(SerializationFormat::of(content_type)) {}
  SerializationFormat format() const noexcept override { return format_; }
  bool line_safe() const noexcept override { return true; }
  Status read_event(std::string_view, BaseMessageEnvelope&) override {
    return Error(errc::unsupported, "not needed here");
  }
  void on_behalf_of(std::string_view event_id, std::string_view source) override {
    behalf = std::string(event_id) + " of " + std::string(source);
  }
  Status write_event(const BaseMessageEnvelope& e, OutputBuffer& out) override {
    std::string text = name_ + "(type=" + std::string(e.type) + ";id=" + std::string(e.id);
    for (const Attribute& a : e.extensions) text += ";" + std::string(a.name) + "=" + std::string(a.value);
    text += "|" + std::string(e.datacontenttype) + ":" + kinds[static_cast<int>(e.data_kind)] + ":" +
            std::string(e.data) + ")";
    return out.append(text) ? Status() : Status(Error(errc::exhausted, "no room"));
  }
  Status splice(std::string_view encoded, std::span<const Attribute> added, OutputBuffer& out,
                std::size_t& skip) override {
    spliced_for = behalf;
    if (!can_splice) {
      static_cast<void>(out.append("half"));  // must not be seen
      return Error(errc::unsupported, "this one cannot");
    }
    for (const Attribute& a : added)
      if (!out.append("[" + std::string(a.name) + "=" + std::string(a.value) + "]"))
        return Error(errc::exhausted, "no room");
    skip = encoded.starts_with("^") ? 1 : 0;
    return {};
  }
  Status transcode_from(MessageSerializer& source, std::string_view value, OutputBuffer& out) override {
    transcoded_for = behalf;
    if (value.find("inexpressible") != std::string_view::npos) return Error(errc::untranslatable, "it cannot say that");
    const std::string text = name_ + "<" + std::string(source.format().content_type()) + "<" + std::string(value);
    return out.append(text) ? Status() : Status(Error(errc::exhausted, "no room"));
  }
  bool can_splice = true;
  std::string behalf, spliced_for, transcoded_for;

 private:
  static constexpr const char* kinds[] = {"none", "value", "bytes", "base64"};
  std::string name_;
  SerializationFormat format_;
};

class EncoderTest : public testing::Test, public SerializerDirectory {
 protected:
  EncoderTest() {
    event_.envelope.type = "t";
    event_.envelope.id = "1";
    event_.encoded = "^encoded";
    event_.encoded_format = json_.format();
  }
  MessageSerializer* reader_for(SerializationFormat format) override {
    if (format == json_.format()) return &json_;
    return format == msgpack_.format() && msgpack_loaded_ ? &msgpack_ : nullptr;
  }
  std::string encode(MessageSerializer& target, const EncodeOptions& options = {}) {
    GrowingBuffer out(1 << 20);
    EXPECT_TRUE(out.append(">"));  // what stands there already stays
    const Status status = Encoder(target, *this, 1 << 20).encode(event_, options, out);
    return status.ok() ? std::string(out.view())
                       : std::string(to_string(status.error().code)) + " " + std::string(out.view());
  }
  void set_data(DataKind kind, std::string_view data, SerializationFormat format = {}, std::string_view type = {}) {
    event_.envelope.data_kind = kind;
    event_.envelope.data = data;
    event_.envelope.format = format;
    event_.envelope.datacontenttype = type;
  }
  FakeSerializer json_{"J", "application/json"}, msgpack_{"M", "application/msgpack"};
  bool msgpack_loaded_ = true;
  Event event_;
};

TEST_F(EncoderTest, PassesTheSendersBytesOn) { EXPECT_EQ(encode(json_), ">^encoded"); }

TEST_F(EncoderTest, SplicesWhatTheHostAddedInFront) {
  const Attribute added[] = {{"id", "1"}, {"source", "//a"}};
  event_.added = added;
  EXPECT_EQ(encode(json_), ">[id=1][source=//a]encoded");
  EXPECT_EQ(encode(json_, {.redelivered = true}), ">[id=1][source=//a][redelivered=true]encoded");
}

// A crash inside is blamed on the sender, whose event it is, and not on whoever was to get it.
TEST_F(EncoderTest, SaysForWhoseEventTheSerializerWorks) {
  event_.envelope.source = "//a/sender";
  EXPECT_EQ(encode(json_, {.redelivered = true}), ">[redelivered=true]encoded");
  EXPECT_EQ(json_.spliced_for, "1 of //a/sender");
  set_data(DataKind::value, "5", json_.format());
  encode(msgpack_);
  EXPECT_EQ(msgpack_.transcoded_for, "1 of //a/sender");
  EXPECT_EQ(msgpack_.behalf, " of ");  // nothing points into an event that has gone
}

TEST_F(EncoderTest, WritesAnewWhatCannotBeSpliced) {
  const Attribute added[] = {{"id", "1"}};
  event_.added = added;
  json_.can_splice = false;
  EXPECT_EQ(encode(json_), ">J(type=t;id=1|:none:)");
}

TEST_F(EncoderTest, WritesAnewWhatWasChanged) {
  event_.rewritten = true;
  EXPECT_EQ(encode(json_), ">J(type=t;id=1|:none:)");
}

TEST_F(EncoderTest, MarksARedeliveredEventOnce) {
  EXPECT_EQ(encode(json_, {.redelivered = true}), ">[redelivered=true]encoded");
  const Attribute extensions[] = {{"redelivered", "true", AttributeType::boolean}};
  event_.envelope.extensions = extensions;
  EXPECT_EQ(encode(json_, {.redelivered = true}), ">J(type=t;id=1;redelivered=true|:none:)");
  EXPECT_EQ(encode(msgpack_, {.redelivered = true}), ">M(type=t;id=1;redelivered=true|:none:)");
}

TEST_F(EncoderTest, WritesEventsThatTheHostMade) {
  event_.encoded = {};
  event_.encoded_format = {};
  set_data(DataKind::value, "{}", json_.format(), "application/json");
  EXPECT_EQ(encode(json_), ">J(type=t;id=1|application/json:value:{})");
}

TEST_F(EncoderTest, TranscodesValuesForAReceiverOfAnotherFormat) {
  set_data(DataKind::value, "{}", json_.format(), "application/json");
  EXPECT_EQ(encode(msgpack_), ">M(type=t;id=1|application/msgpack:value:M<application/json<{})");
  set_data(DataKind::value, "{}", json_.format());
  EXPECT_EQ(encode(msgpack_), ">M(type=t;id=1|:value:M<application/json<{})");
}

TEST_F(EncoderTest, GivesBytesToAChannelThatWantsThem) {
  set_data(DataKind::value, "{}", json_.format());
  EXPECT_EQ(encode(msgpack_, {.data_as_bytes = true}), ">M(type=t;id=1|application/json:bytes:{})");
}

TEST_F(EncoderTest, MakesAValueOfBytesThatAreOneByTheirContentType) {
  set_data(DataKind::bytes, "{}", {}, "application/cloudevents+json; charset=utf-8");
  EXPECT_EQ(encode(msgpack_), ">M(type=t;id=1|application/msgpack:value:M<application/json<{})");
  set_data(DataKind::base64, "e30=", {}, "application/json");
  EXPECT_EQ(encode(msgpack_), ">M(type=t;id=1|application/msgpack:value:M<application/json<{})");
  set_data(DataKind::bytes, "png", {}, "image/png");
  EXPECT_EQ(encode(msgpack_), ">M(type=t;id=1|image/png:bytes:png)");
}

TEST_F(EncoderTest, SaysWhatCannotBeExpressedAndLeavesTheBuffer) {
  set_data(DataKind::value, "inexpressible", json_.format());
  EXPECT_EQ(encode(msgpack_), "untranslatable >");
  msgpack_loaded_ = false;
  set_data(DataKind::value, "x", msgpack_.format());
  event_.rewritten = true;
  EXPECT_EQ(encode(json_), "untranslatable >");
  set_data(DataKind::base64, "!!", {}, "application/json");
  EXPECT_THAT(encode(json_), HasSubstr(" >"));
}

TEST_F(EncoderTest, TellsOfAFullBufferWithoutLeavingAPart) {
  GrowingBuffer out(12);
  ASSERT_TRUE(out.append("0123456789"));
  const Attribute added[] = {{"a", "b"}};
  for (const bool spliced : {false, true}) {
    event_.added = spliced ? std::span<const Attribute>(added) : std::span<const Attribute>();
    const Status status = Encoder(json_, *this, 100).encode(event_, {}, out);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, errc::exhausted);
    EXPECT_EQ(out.view(), "0123456789");
  }
}

}  // namespace
}  // namespace tenon::message
