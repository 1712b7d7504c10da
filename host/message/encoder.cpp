#include "message/encoder.hpp"

#include <string>

#include "common/encoding.hpp"
#include "message/media_type.hpp"

namespace tenon::message {

namespace {

constexpr Attribute kRedelivered{"redelivered", "true", AttributeType::boolean};

bool has_extension(const Event& event, std::string_view name) {
  for (const Attribute& a : event.envelope.extensions)
    if (a.name == name) return true;
  return false;
}

// For the time of one event.
class Behalf {
 public:
  Behalf(MessageSerializer& serializer, const BaseMessageEnvelope& e) : serializer_(serializer) {
    serializer_.on_behalf_of(e.id, e.source);
  }
  ~Behalf() { serializer_.on_behalf_of({}, {}); }
  Behalf(const Behalf&) = delete;
  Behalf& operator=(const Behalf&) = delete;

 private:
  MessageSerializer& serializer_;
};

// The encodings whose values are transcoded. Any other content type passes as bytes.
SerializationFormat format_of_payload(std::string_view content_type) {
  if (content_type.empty()) return {};
  const std::string encoding = encoding_of(content_type);
  if (encoding == "application/json" || encoding == "application/msgpack") return SerializationFormat::of(encoding);
  return {};
}

}  // namespace

Encoder::Encoder(MessageSerializer& target, SerializerDirectory& serializers, std::size_t scratch_limit)
    : target_(target), serializers_(serializers), data_(scratch_limit) {}

Status Encoder::encode(const Event& event, const EncodeOptions& options, OutputBuffer& out) {
  const Behalf behalf(target_, event.envelope);
  // A mark that the event carries already (it was redelivered by another host) cannot be spliced in a second time.
  const bool mark_twice = options.redelivered && has_extension(event, kRedelivered.name);
  if (event.encoded_format == target_.format() && !event.encoded.empty() && !event.rewritten && !mark_twice) {
    const std::size_t before = out.size();
    Status passed = pass_on(event, options, out);
    if (passed.ok() || passed.error().code != errc::unsupported) return passed;
    out.set_size(before);
  }
  return rewrite(event, options, out);
}

Status Encoder::pass_on(const Event& event, const EncodeOptions& options, OutputBuffer& out) {
  const std::size_t before = out.size();
  std::size_t skip = 0;
  if (!event.added.empty() || options.redelivered) {
    AddedAttributes added;
    for (const Attribute& a : event.added) added.add(a.name, a.value, a.type);
    if (options.redelivered) added.add(kRedelivered.name, kRedelivered.value, kRedelivered.type);
    TENON_TRY(target_.splice(event.encoded, added.view(), out, skip));
  }
  if (out.append(event.encoded.substr(skip))) return {};
  out.set_size(before);
  return Error(errc::exhausted, "no room for the event in the output buffer");
}

Status Encoder::rewrite(const Event& event, const EncodeOptions& options, OutputBuffer& out) {
  BaseMessageEnvelope envelope = event.envelope;
  if (options.redelivered && !has_extension(event, kRedelivered.name)) {
    extensions_.assign(envelope.extensions.begin(), envelope.extensions.end());
    extensions_.push_back(kRedelivered);
    envelope.extensions = extensions_;
  }
  Status written = convert_data(envelope, options);
  if (written.ok()) written = target_.write_event(envelope, out);
  data_.clear_large();
  if (decoded_.capacity() > GrowingBuffer::kKept) std::string().swap(decoded_);
  return written;
}

Status Encoder::convert_data(BaseMessageEnvelope& envelope, const EncodeOptions& options) {
  if (envelope.data_kind == DataKind::none) return {};
  if (envelope.data_kind == DataKind::value) return convert_value(envelope, options);

  // Bytes that are a JSON or MessagePack value by their content type become a value where the receiver understands
  // values.
  const SerializationFormat payload = format_of_payload(envelope.datacontenttype);
  if (payload && !options.data_as_bytes) {
    if (envelope.data_kind == DataKind::base64) {
      auto bytes = base64_decode(envelope.data);
      if (!bytes.ok()) return std::move(bytes).error();
      decoded_ = std::move(bytes).value();
      decoded_.resize(decoded_.size() + kReadPadding);  // readers may look past the end
      envelope.data = std::string_view(decoded_).substr(0, decoded_.size() - kReadPadding);
      envelope.data_kind = DataKind::bytes;
    }
    return transcode(envelope, payload, envelope.data);
  }
  return {};
}

Status Encoder::convert_value(BaseMessageEnvelope& envelope, const EncodeOptions& options) {
  if (options.data_as_bytes) {
    if (envelope.datacontenttype.empty()) envelope.datacontenttype = envelope.format.content_type();
    envelope.data_kind = DataKind::bytes;
    return {};
  }
  if (envelope.format == target_.format()) return {};
  return transcode(envelope, envelope.format, envelope.data);
}

Status Encoder::transcode(BaseMessageEnvelope& envelope, SerializationFormat from, std::string_view value) {
  MessageSerializer* reader = serializers_.reader_for(from);
  if (reader == nullptr)
    return Error(errc::untranslatable,
                 "no serializer for " + std::string(from.content_type()) + " is loaded; install one");
  TENON_TRY(target_.transcode_from(*reader, value, data_));
  envelope.data = data_.view();
  envelope.data_kind = DataKind::value;
  envelope.format = target_.format();
  if (format_of_payload(envelope.datacontenttype)) envelope.datacontenttype = target_.format().content_type();
  return {};
}

}  // namespace tenon::message
