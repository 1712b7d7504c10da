#include "message/envelope.hpp"

#include <deque>
#include <string>

namespace tenon::message {

namespace {

std::deque<std::string>& format_names() {
  static std::deque<std::string> names{""};  // a deque: content_type() hands out views that must stay
  return names;
}

}  // namespace

SerializationFormat SerializationFormat::of(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (!content_type.empty() && content_type.back() == ' ') content_type.remove_suffix(1);
  if (content_type.empty()) return {};
  auto& names = format_names();
  for (std::size_t i = 1; i < names.size(); ++i)
    if (names[i] == content_type) return SerializationFormat(static_cast<std::uint16_t>(i));
  names.emplace_back(content_type);
  return SerializationFormat(static_cast<std::uint16_t>(names.size() - 1));
}

std::string_view SerializationFormat::content_type() const noexcept { return format_names()[number_]; }

MessageType classify(std::string_view name) noexcept {
  const auto under = [name](std::string_view token) {
    return name.starts_with(token) && (name.size() == token.size() || name[token.size()] == '.');
  };
  if (under("tenon")) return MessageType::control;
  if (under("system")) return MessageType::system;
  return MessageType::event;
}

std::span<const EnvelopeField> envelope_fields() noexcept {
  using E = BaseMessageEnvelope;
  static constexpr EnvelopeField fields[] = {
      {"specversion", &E::specversion}, {"id", &E::id}, {"source", &E::source}, {"type", &E::type}, {"time", &E::time},
      {"subject", &E::subject}, {"datacontenttype", &E::datacontenttype}, {"dataschema", &E::dataschema},
      {"topic", &E::topic}, {"target", &E::target}, {"replyto", &E::replyto}, {"correlationid", &E::correlationid},
      {"expirytime", &E::expirytime}, {"traceparent", &E::traceparent}, {"tracestate", &E::tracestate}};
  return fields;
}

}  // namespace tenon::message
