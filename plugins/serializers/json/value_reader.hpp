// Reads one JSON value into a value stream.
//
// Integers from -2^63 to 2^64-1 stay integers, all other numbers become doubles; a number beyond the doubles is
// TENON_ERR_UNTRANSLATABLE. How many elements a container has is not known beforehand.
#pragma once

#include <string>

#include <tenon/serializer.h>

#include "tokens.hpp"

namespace tenon::json_plugin {

class ValueReader {
 public:
  // Returns what the sink returned if it ended the stream. Throws TENON_ERR_BAD_DATA.
  tenon_status read(const Tokens& tokens, const tenon_value_sink& sink);

 private:
  std::string unescaped_;
};

}  // namespace tenon::json_plugin
