// An event on its way through the host, borrowed: attributes, the bytes it came as, and what the host added.
//
// The model. A source reads an event in place, the host completes it (id, source, time, …), the router matches it and
// offers it to outlets, which copy it straight into their output buffers. Only an event that has to wait becomes an
// owned Message (message.hpp). So the usual way of an event allocates nothing.
//
// `envelope` is always complete, additions included. `encoded` is the event as its sender wrote it; a receiver of the
// same format gets those bytes with `added` spliced in front, unless `rewritten` says that an attribute inside
// `encoded` no longer holds, in which case it is written anew from the envelope.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "message/envelope.hpp"

namespace tenon::message {

struct Event {
  BaseMessageEnvelope envelope;
  std::string_view encoded;          // in `encoded_format`; empty for an event that the host made itself
  SerializationFormat encoded_format;
  std::span<const Attribute> added;  // in the envelope, not in `encoded`
  bool rewritten = false;
};

// The attributes that the host adds to one event, from specversion to redelivered; at most one of each kind, hence the
// fixed size.
class AddedAttributes {
 public:
  static constexpr std::size_t kMax = 12;
  void add(std::string_view name, std::string_view value, AttributeType type = AttributeType::string) noexcept {
    if (size_ < kMax) items_[size_++] = Attribute{name, value, type};
  }
  std::span<const Attribute> view() const noexcept { return {items_.data(), size_}; }
  void clear() noexcept { size_ = 0; }

 private:
  std::array<Attribute, kMax> items_;
  std::size_t size_ = 0;
};

}  // namespace tenon::message
