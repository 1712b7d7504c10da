// The content type on the wire: CloudEvents in structured mode ("application/cloudevents+json" for "application/json").
// Source: CloudEvents NATS Protocol Binding 1.0.2, "Structured Content Mode".
#pragma once

#include <cctype>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tenon::nats {

inline constexpr const char* kContentTypeHeader = "content-type";

// "application/json" → "application/cloudevents+json"; a type that is not application/… stays what it is.
inline std::string to_wire(std::string_view content_type) {
  constexpr std::string_view kPrefix = "application/";
  if (content_type.substr(0, kPrefix.size()) != kPrefix) return std::string(content_type);
  return "application/cloudevents+" + std::string(content_type.substr(kPrefix.size()));
}

// The other way round; letters of either case, parameters dropped. Without a header, or with one that names no encoding
// of an event, the first octet decides: an event in MessagePack begins as a map does, and no text of JSON does.
inline std::string from_wire(std::string_view header, std::span<const std::uint8_t> payload) {
  constexpr std::string_view kPrefix = "application/cloudevents+";
  std::string type;
  for (const char c : header.substr(0, header.find(';'))) {
    if (c != ' ' && c != '\t') type += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (type.size() > kPrefix.size() && type.compare(0, kPrefix.size(), kPrefix) == 0)
    return "application/" + type.substr(kPrefix.size());
  if (type == "application/json" || type == "application/msgpack") return type;
  const std::uint8_t first = payload.empty() ? std::uint8_t{'{'} : payload.front();
  const bool map = (first >= 0x80 && first <= 0x8f) || first == 0xde || first == 0xdf;
  return map ? "application/msgpack" : "application/json";
}

}  // namespace tenon::nats
