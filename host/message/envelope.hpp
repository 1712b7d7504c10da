// An event's attributes as views over somebody's bytes: a CloudEvents 1.0 event.
//
// Source: CloudEvents 1.0.2, "Context Attributes". An absent attribute is an empty view (CloudEvents forbids empty
// values). `data` stays the sender's bytes and is never decoded on its way through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tenon::message {

// The encodings of events that the host has serializers for, numbered as they are met ("application/json", …). Two
// formats are the same encoding exactly if they are equal.
class SerializationFormat {
 public:
  SerializationFormat() = default;  // none: an event that no serializer wrote
  // The format of a content type; parameters (";charset=utf-8") are not part of it. The name is kept for ever, so only
  // names of loaded serializers may come here. [loop]
  static SerializationFormat of(std::string_view content_type);
  std::string_view content_type() const noexcept;
  bool operator==(const SerializationFormat&) const = default;
  explicit operator bool() const noexcept { return number_ != 0; }

 private:
  explicit SerializationFormat(std::uint16_t number) noexcept : number_(number) {}
  std::uint16_t number_ = 0;
};

// The type of an attribute's value; the value itself is in CloudEvents' canonical string form.
enum class AttributeType : std::uint8_t { string = 0, integer = 1, boolean = 2, binary = 3 };

struct Attribute {
  std::string_view name;
  std::string_view value;
  AttributeType type = AttributeType::string;
};

enum class DataKind : std::uint8_t {
  none = 0,
  value = 1,   // one value in the encoding `format`
  bytes = 2,   // the payload itself, in datacontenttype
  base64 = 3,  // the payload as checked base64 text
};

inline constexpr std::size_t kMaxExtensions = 64;
// Of these, what a worker may use, and what may come from another host: the rest is for what hosts add on the way
// (hops, origin, run, redelivered).
inline constexpr std::size_t kMaxOwnExtensions = 56;
inline constexpr std::size_t kMaxForeignExtensions = 60;
inline constexpr std::uint8_t kDefaultPriority = 5;

struct BaseMessageEnvelope {
  std::string_view specversion, id, source, type;
  std::string_view time, subject, datacontenttype, dataschema;
  std::string_view topic, target, replyto, correlationid, expirytime, traceparent, tracestate;
  std::uint8_t priority = 0;  // 1 highest … 10 lowest, 0 absent
  DataKind data_kind = DataKind::none;
  SerializationFormat format;              // of `data` when that is a value
  std::span<const Attribute> extensions;   // in the sender's order, at most kMaxExtensions
  std::string_view data;

  // What the router matches.
  std::string_view effective_topic() const noexcept { return topic.empty() ? type : topic; }
  std::uint8_t effective_priority() const noexcept { return priority == 0 ? kDefaultPriority : priority; }
};

// What the host does with an event of this type: by its first token.
enum class MessageType : std::uint8_t {
  event,    // routed
  control,  // tenon.*: between the host and one worker, never routed
  system,   // system.*: made by the host only
};
MessageType classify(std::string_view type_or_topic) noexcept;

// A field of the envelope by its CloudEvents name, for code that treats them alike; nullptr for `priority` and
// extensions.
struct EnvelopeField {
  std::string_view name;
  std::string_view BaseMessageEnvelope::* field;
};
std::span<const EnvelopeField> envelope_fields() noexcept;

}  // namespace tenon::message
