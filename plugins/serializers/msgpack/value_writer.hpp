// Writes one MessagePack value from a value stream, every object in its shortest form.
//
// The model. A container whose size is announced gets its header at once. One whose size is unknown gets the one-octet
// header, which holds up to 15; if more came, the container is noted and on_finish() widens all noted headers in one
// pass from the back, so that a value costs time in proportion to its size whatever its shape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "../shared/value_stream.hpp"

namespace tenon::msgpack_plugin {

class ValueWriter : public serializers::ValueStream<ValueWriter> {
 public:
  void on_begin() noexcept { wide_.clear(); }
  void on_finish();

  void null_value();
  void boolean(bool value);
  void signed_integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  void number(double value);
  void string(std::string_view value);
  void binary(tenon_bytes value);
  void timestamp(std::int64_t seconds, std::uint32_t nanoseconds);
  void extension(std::int32_t type, tenon_bytes value);
  void begin_array(std::uint64_t count) { open(false, count); }
  void end_array() { close(false); }
  void begin_map(std::uint64_t count) { open(true, count); }
  void key(std::string_view name);
  void end_map() { close(true); }

 private:
  struct Wide {
    std::size_t header;  // offset of the one-octet header in the output
    std::uint32_t count;
    bool map;
  };
  void open(bool map, std::uint64_t count);
  void close(bool map);

  std::vector<Wide> wide_;
};

}  // namespace tenon::msgpack_plugin
