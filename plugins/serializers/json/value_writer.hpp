// Writes one JSON value from a value stream, without blanks.
//
// What JSON has no word for is TENON_ERR_UNTRANSLATABLE: binary, timestamps, extension types, NaN and infinities. Text
// that is not UTF-8 is refused as well.
#pragma once

#include <cstdint>
#include <string_view>

#include "../shared/value_stream.hpp"

namespace tenon::json_plugin {

class ValueWriter : public serializers::ValueStream<ValueWriter> {
 public:
  void on_begin() noexcept {}
  void on_finish() noexcept {}

  void null_value();
  void boolean(bool value);
  void signed_integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  void number(double value);
  void string(std::string_view value);
  void binary(tenon_bytes value);
  void timestamp(std::int64_t seconds, std::uint32_t nanoseconds);
  void extension(std::int32_t type, tenon_bytes value);
  void begin_array(std::uint64_t count);
  void end_array();
  void begin_map(std::uint64_t count);
  void key(std::string_view name);
  void end_map();

 private:
  void before_value();
};

}  // namespace tenon::json_plugin
