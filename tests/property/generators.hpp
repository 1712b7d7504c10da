// Events and values at random, biased towards what breaks serializers: empty text, controls, every length of UTF-8
// sequence, the edges of the integers, zeros with a sign, subnormal doubles, containers around the sizes where headers
// change.
#pragma once

#include <tenon/event.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <rapidcheck.h>

#include "plugins/serializer_rig.hpp"

namespace tenon::property {

// An event that owns its text. Only the kinds of data that cross formats without transcoding: none and octets.
struct OwnedEvent {
  std::vector<std::string> texts;  // 15, in the order of tenon_event; an empty one is absent
  std::uint32_t priority = 0;
  struct Extension {
    std::string name, value;
    std::uint32_t type;
  };
  std::vector<Extension> extensions;
  bool has_data = false;
  std::string data;

  // A view of this; `attributes` must live as long.
  tenon_event view(std::vector<tenon_attribute>& attributes) const;
};

// A value as a tree; key order is kept.
struct Value {
  enum class Kind { null, boolean, negative, natural, real, text, array, map };
  Kind kind = Kind::null;
  bool truth = false;
  std::int64_t negative = -1;
  std::uint64_t natural = 0;
  double real = 0;
  std::string text;
  std::vector<std::pair<std::string, Value>> members;  // of arrays the names are empty
};

// The value as test_support::Record writes it down, with the counts of containers left out.
std::string record_of(const Value& value);

// The value as the serializer writes it.
std::string written(test_support::Instance& serializer, const Value& value);

rc::Gen<std::string> utf8_text();
rc::Gen<std::string> attribute_text();  // what CloudEvents lets an attribute be
rc::Gen<OwnedEvent> any_event();
rc::Gen<Value> any_value();

}  // namespace tenon::property
