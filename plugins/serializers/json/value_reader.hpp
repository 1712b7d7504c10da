// Reads one JSON value into a value stream.
//
// Integers from -2^63 to 2^64-1 stay integers, numbers with a fraction or an exponent become doubles. Larger integers,
// numbers beyond the doubles and a key that comes twice in one map are TENON_ERR_UNTRANSLATABLE. How many elements a
// container has is not known beforehand.
#pragma once

#include <string>

#include <tenon/serializer.h>

#include "../shared/map_keys.hpp"
#include "tokens.hpp"

namespace tenon::json_plugin {

class ValueReader {
 public:
  // Returns what the sink returned if it ended the stream. Throws TENON_ERR_BAD_DATA.
  tenon_status read(const Tokens& tokens, const tenon_value_sink& sink);

 private:
  std::string unescaped_;
  serializers::MapKeys keys_;
};

}  // namespace tenon::json_plugin
