#include "integration/dead_letter_desk.hpp"

#include "common/encoding.hpp"
#include "common/json_writer.hpp"
#include "common/logging.hpp"

namespace tenon::integration {

namespace {

constexpr std::size_t kMaxEvent = 256u * 1024 * 1024;

}  // namespace

void DeadLetterDesk::connect(SystemEvents& events, message::MessageSerializer& json,
                             message::SerializerDirectory& serializers) {
  events_ = &events;
  encoder_ = std::make_unique<message::Encoder>(json, serializers, kMaxEvent);
}

void DeadLetterDesk::dead_letter(const message::Event& event, message::DeadLetterReason reason,
                                 std::string_view receiver, std::string_view detail, const message::Attempts& attempts) {
  ++counts_[static_cast<std::size_t>(reason)];
  const message::BaseMessageEnvelope& e = event.envelope;
  store_.add(event, reason, receiver, e.source, detail, attempts, loop_.clock().wall());
  log::debug("message", "dead letter", {{"reason", to_string(reason)}, {"id", e.id}, {"type", e.type},
                                        {"receiver", receiver}, {"detail", detail}});
  // What the host said itself has no encoding of a sender; a forged system event has one, and is told like any other.
  const bool by_host = event.encoded.empty() && message::classify(e.type) == message::MessageType::system;
  if (events_ == nullptr || by_host) return;
  events_->publish("system.dead_letter", e.id, [&] { return describe(event, reason, receiver, detail, attempts); });
}

std::string DeadLetterDesk::event_as_json(const message::Event& event) {
  std::string text;
  if (encoder_ != nullptr && !event.envelope.type.empty() && encoder_->encode(event, {}, buffer_).ok())
    text = buffer_.view();
  buffer_.clear_large();
  return text;
}

std::string DeadLetterDesk::describe(const message::Event& event, message::DeadLetterReason reason,
                                     std::string_view receiver, std::string_view detail, const message::Attempts& attempts) {
  JsonWriter json;
  json.begin_object().member("reason", to_string(reason)).member("receiver", receiver).member("detail", detail);
  json.member("sender", event.envelope.source);
  json.member("attempts", attempts.count);
  if (!attempts.history.empty()) message::write_history(json.key("history"), attempts.history);
  if (const std::string text = event_as_json(event); !text.empty()) json.key("event").raw(text);
  else json.member("event_base64", base64_encode(event.encoded));
  return json.end_object().take();
}

}  // namespace tenon::integration
