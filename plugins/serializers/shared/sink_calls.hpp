// Drives a tenon_value_sink from a reader. A sink ends the stream by returning a status; that leaves the reader as a
// SinkRefusal, because it happens at most once a value and every frame in between would otherwise have to pass it on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <tenon/sdk/error.hpp>
#include <tenon/serializer.h>

#include "map_keys.hpp"

namespace tenon::serializers {

struct SinkRefusal {
  tenon_status status;
};

class SinkCalls {
 public:
  // `keys` watches over the keys of the maps; both must outlive this.
  SinkCalls(const tenon_value_sink& sink, MapKeys& keys) : sink_(sink), keys_(keys) { keys.start(); }

  void null_value() { check(sink_.null_value(sink_.context)); }
  void boolean(bool value) { check(sink_.boolean(sink_.context, value ? 1 : 0)); }
  // Zero and above go to unsigned_integer, whatever their encoding was.
  void signed_integer(std::int64_t value) {
    if (value < 0) {
      check(sink_.signed_integer(sink_.context, value));
    } else {
      unsigned_integer(static_cast<std::uint64_t>(value));
    }
  }
  void unsigned_integer(std::uint64_t value) { check(sink_.unsigned_integer(sink_.context, value)); }
  void number(double value) { check(sink_.number(sink_.context, value)); }
  void string(std::string_view value) { check(sink_.string(sink_.context, sdk::to_abi(value))); }
  void binary(tenon_bytes value) { check(sink_.binary(sink_.context, value)); }
  void timestamp(std::int64_t seconds, std::uint32_t nanoseconds) {
    check(sink_.timestamp(sink_.context, seconds, nanoseconds));
  }
  void extension(std::int32_t type, tenon_bytes value) { check(sink_.extension(sink_.context, type, value)); }
  void begin_array(std::uint64_t count) { check(sink_.begin_array(sink_.context, count)); }
  void end_array() { check(sink_.end_array(sink_.context)); }
  void begin_map(std::uint64_t count) {
    keys_.begin_map();
    check(sink_.begin_map(sink_.context, count));
  }
  void key(std::string_view name) {
    keys_.key(name);
    check(sink_.key(sink_.context, sdk::to_abi(name)));
  }
  void end_map() {
    keys_.end_map();
    check(sink_.end_map(sink_.context));
  }

 private:
  static void check(tenon_status status) {
    if (status != TENON_OK) throw SinkRefusal{status};
  }
  const tenon_value_sink& sink_;
  MapKeys& keys_;
};

}  // namespace tenon::serializers
