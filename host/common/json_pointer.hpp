// RFC 6901: where in a JSON document something is.
#pragma once

#include <string_view>

#include "common/json_document.hpp"

namespace tenon {

struct PointerTarget {
  JsonValue value;  // the last one on the way that is there
  bool found;       // whether that is what the pointer names
};

// Follows the pointer from `root`. "" is the root itself; what is no pointer ("a/b") leads nowhere.
PointerTarget follow_json_pointer(JsonValue root, std::string_view pointer);

}  // namespace tenon
