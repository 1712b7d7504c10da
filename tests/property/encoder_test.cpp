// What must hold for whatever passes through the encoder between the two serializers, on the host's own table: no event
// changes its meaning, the sender's octets stay the sender's where they can, and a refusal leaves nothing behind.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include "common/encoding.hpp"
#include "integration/plugin_serializer.hpp"
#include "message/encoder.hpp"
#include "property/generators.hpp"
#include "support/plugin_on_real_host.hpp"

namespace tenon::property {
namespace {

using integration::PluginSerializer;
using message::BaseMessageEnvelope;
using message::DataKind;

constexpr std::size_t kLimit = 16u * 1024 * 1024;

// Both serializers, each as a writer, as the reader of events, and as the reader that transcoding borrows: what one has
// read is valid until its next call.
class Host final : public message::SerializerDirectory {
 public:
  static Host& get() {
    static auto* host = new Host;
    return *host;
  }
  message::MessageSerializer* reader_for(message::SerializationFormat format) override {
    for (PluginSerializer* reader : {json_reader.get(), msgpack_reader.get()})
      if (reader->format() == format) return reader;
    return nullptr;
  }

 private:
  std::unique_ptr<PluginSerializer> make(const test_support::BuiltComponent& component) {
    auto made = PluginSerializer::make(real.services, *component, "test");
    if (!made.ok()) std::abort();
    return std::move(*made);
  }
  test_support::RealHost real;
  test_support::BuiltComponent json_component{"serializer", "json"}, msgpack_component{"serializer", "msgpack"};

 public:
  std::unique_ptr<PluginSerializer> json = make(json_component), msgpack = make(msgpack_component),
                                    json_in = make(json_component), msgpack_in = make(msgpack_component),
                                    json_reader = make(json_component), msgpack_reader = make(msgpack_component);
  const std::vector<std::string>& misbehaviour() {
    real.loop.run_posted();
    return real.environment.misbehaviour;
  }
};

// An encoded event with the padding that readers want.
struct Encoded {
  std::string octets;
  explicit Encoded(std::string text) : octets(std::move(text)) { octets.resize(octets.size() + message::kReadPadding); }
  std::string_view view() const { return std::string_view(octets).substr(0, octets.size() - message::kReadPadding); }
};

// Valid until the serializer's next call.
message::Event read(PluginSerializer& serializer, const Encoded& encoded) {
  message::Event event;
  event.encoded = encoded.view();
  event.encoded_format = serializer.format();
  const Status status = serializer.read_event(event.encoded, event.envelope);
  if (!status.ok()) RC_FAIL(status.error().message);
  return event;
}

std::string encode(const message::Event& event, PluginSerializer& target, message::EncodeOptions options = {}) {
  message::Encoder encoder(target, Host::get(), kLimit);
  message::GrowingBuffer out(kLimit);
  const Status status = encoder.encode(event, options, out);
  if (!status.ok()) RC_FAIL(status.error().message);
  return std::string(out.view());
}

// An event as a worker may send it, in JSON, with data of each kind.
struct Sent {
  std::string id, type, extension, data;
  std::uint32_t kind = TENON_DATA_NONE;
};
rc::Gen<Sent> any_sent() {
  return rc::gen::map(
      rc::gen::tuple(attribute_text(), attribute_text(), attribute_text(), rc::gen::inRange<std::uint32_t>(0, 4),
                     rc::gen::string<std::string>(), utf8_text()),
      [](const std::tuple<std::string, std::string, std::string, std::uint32_t, std::string, std::string>& t) {
        Sent sent{"i" + std::get<0>(t), "t" + std::get<1>(t), std::get<2>(t), {}, std::get<3>(t)};
        if (sent.kind == TENON_DATA_BYTES) sent.data = std::get<5>(t);
        if (sent.kind == TENON_DATA_BASE64) sent.data = base64_encode(std::get<4>(t));
        return sent;
      });
}

// `value` is JSON text, for data of kind VALUE. Valid as long as the arguments.
BaseMessageEnvelope envelope_of(const Sent& sent, const std::string& value, message::Attribute& extension) {
  BaseMessageEnvelope e;
  e.id = sent.id;
  e.type = sent.type;
  e.data_kind = static_cast<DataKind>(sent.kind);
  e.data = sent.kind == TENON_DATA_VALUE ? std::string_view(value) : std::string_view(sent.data);
  e.format = Host::get().json->format();
  if (sent.kind == TENON_DATA_BYTES) e.datacontenttype = "text/plain";
  extension = {"ext", sent.extension, message::AttributeType::string};
  e.extensions = {&extension, 1};
  return e;
}

std::string json_of(const Sent& sent, const std::string& value) {
  message::Attribute extension;
  message::GrowingBuffer out(kLimit);
  const Status status = Host::get().json->write_event(envelope_of(sent, value, extension), out);
  if (!status.ok()) RC_FAIL(status.error().message);
  return std::string(out.view());
}

std::string json_value() {
  test_support::Instance writer("json");
  return written(writer, *any_value());
}

RC_GTEST_PROP(Encoder, BringsAnEventToMessagePackAndBackUnchanged, ()) {
  const Sent sent = *any_sent();
  const Encoded first(json_of(sent, json_value()));
  const Encoded second(encode(read(*Host::get().json_in, first), *Host::get().msgpack));
  const Encoded third(encode(read(*Host::get().msgpack_in, second), *Host::get().json));
  // Octets that are text come back as text; only base64 has two ways to be written.
  if (sent.kind != TENON_DATA_BASE64) RC_ASSERT(third.view() == first.view());
  const Encoded fourth(encode(read(*Host::get().json_in, third), *Host::get().msgpack));
  RC_ASSERT(fourth.view() == second.view());
  RC_ASSERT(Host::get().misbehaviour().empty());
}

RC_GTEST_PROP(Encoder, PassesTheSendersOctetsOnWithWhatIsAddedInFront, ()) {
  const Encoded input(json_of(*any_sent(), json_value()));
  message::Event event = read(*Host::get().json_in, input);
  const message::Attribute added[] = {{"source", "/host", message::AttributeType::string},
                                      {"tenonhops", "2", message::AttributeType::integer}};
  event.added = added;
  const std::string out = encode(event, *Host::get().json);
  RC_ASSERT(out.ends_with(input.view().substr(1)));
  const Encoded whole(out);
  const message::Event again = read(*Host::get().json_in, whole);
  RC_ASSERT(again.envelope.source == "/host");
  RC_ASSERT(again.envelope.extensions.size() == 2u);
}

RC_GTEST_PROP(Encoder, WritesTheSameWhetherItSplicesOrRewrites, ()) {
  const Encoded input(json_of(*any_sent(), json_value()));
  message::Event event = read(*Host::get().json_in, input);
  const Encoded passed(encode(event, *Host::get().json, {.redelivered = true}));
  event = read(*Host::get().json_in, input);
  event.rewritten = true;
  const Encoded rewritten(encode(event, *Host::get().json, {.redelivered = true}));
  const std::string a = encode(read(*Host::get().json_in, passed), *Host::get().msgpack);
  const std::string b = encode(read(*Host::get().json_in, rewritten), *Host::get().msgpack);
  // The same attributes, one in front and one at the end: as long, and both marked.
  RC_ASSERT(a.size() == b.size());
  RC_ASSERT(read(*Host::get().json_in, passed).envelope.data ==
            read(*Host::get().json_reader, rewritten).envelope.data);
}

RC_GTEST_PROP(Encoder, LeavesNothingBehindWhereAFormatLacksTheWord, ()) {
  const std::string huge = *rc::gen::element<std::string>("18446744073709551616", "1e999", R"({"a":1,"a":2})");
  Sent sent = *any_sent();
  sent.kind = TENON_DATA_VALUE;
  const Encoded input(json_of(sent, "[" + json_value() + "," + huge + "]"));
  message::Encoder encoder(*Host::get().msgpack, Host::get(), kLimit);
  message::GrowingBuffer out(kLimit);
  RC_ASSERT(out.append("before"));
  const Status status = encoder.encode(read(*Host::get().json_in, input), {}, out);
  RC_ASSERT(!status.ok());
  RC_ASSERT(status.error().code == errc::untranslatable);
  RC_ASSERT(out.view() == "before");
}

RC_GTEST_PROP(Encoder, GivesValuesAsOctetsToWhoWantsOctets, ()) {
  Sent sent = *any_sent();
  sent.kind = TENON_DATA_VALUE;
  const std::string value = json_value();
  const Encoded input(json_of(sent, value));
  const Encoded out(encode(read(*Host::get().json_in, input), *Host::get().msgpack, {.data_as_bytes = true}));
  const message::Event seen = read(*Host::get().msgpack_in, out);
  RC_ASSERT(seen.envelope.data_kind == DataKind::bytes);
  RC_ASSERT(seen.envelope.data == value);
  RC_ASSERT(seen.envelope.datacontenttype == "application/json");
}

}  // namespace
}  // namespace tenon::property
