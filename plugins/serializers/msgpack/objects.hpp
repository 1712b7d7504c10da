// Reads MessagePack objects one by one by hand: the envelope of an event.
//
// Why not msgpack-c here: its visitor is told values but not where they begin and end. That is all that is wanted of
// `data`, and without it no error could name the octet of a number or a nil. It would be fast enough: msgpack_bench has
// its parser beside this reader. Whole values are left to it, see values.hpp.
//
// Nothing here trusts a length: every claim is compared with the octets that are there before anything is done with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "../shared/refuse.hpp"

namespace tenon::msgpack_plugin {

enum class Type : std::uint8_t { nil, boolean, integer, real, string, binary, array, map, extension };

struct Object {
  Type type;
  bool boolean;            // boolean
  bool beyond;             // integer: above INT64_MAX, so `integer` is not its value
  std::int64_t integer;    // integer
  std::uint64_t count;     // array, map: elements or pairs, as claimed
  std::string_view octets; // string, binary: the body, which lies in the input
};

class Objects {
 public:
  explicit Objects(std::string_view input) noexcept : begin_(input.data()), at_(begin_), end_(begin_ + input.size()) {}

  bool at_end() const noexcept { return at_ == end_; }
  std::size_t offset() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
  std::string_view rest() const noexcept { return {at_, static_cast<std::size_t>(end_ - at_)}; }
  void skip(std::size_t octets) noexcept { at_ += octets; }

  // Takes the next object; of an array or map the header only, of an extension or float all of it. Throws
  // TENON_ERR_BAD_DATA when the input ends too early or at the one octet that begins nothing (0xc1).
  Object take() {
    const std::uint8_t lead = octet();
    if (lead >= 0xa0 && lead <= 0xbf) return text(Type::string, lead & 0x1f);
    if (lead <= 0x7f) return number(lead);
    if (lead >= 0xe0) return number(static_cast<std::int8_t>(lead));
    if (lead <= 0x8f) return container(Type::map, lead & 0x0f);
    if (lead <= 0x9f) return container(Type::array, lead & 0x0f);
    return take_long(lead);
  }

 private:
  // A switch over the format's table: https://github.com/msgpack/msgpack/blob/master/spec.md, "Formats".
  Object take_long(std::uint8_t lead) {
    switch (lead) {
      case 0xc0: return object(Type::nil);
      case 0xc2: case 0xc3: return truth(lead == 0xc3);
      case 0xc4: return text(Type::binary, load<std::uint8_t>());
      case 0xc5: return text(Type::binary, load<std::uint16_t>());
      case 0xc6: return text(Type::binary, load<std::uint32_t>());
      case 0xc7: return text(Type::extension, load<std::uint8_t>() + std::uint64_t{1});
      case 0xc8: return text(Type::extension, load<std::uint16_t>() + std::uint64_t{1});
      case 0xc9: return text(Type::extension, load<std::uint32_t>() + std::uint64_t{1});
      case 0xca: return text(Type::real, 4);
      case 0xcb: return text(Type::real, 8);
      case 0xcc: return number(load<std::uint8_t>());
      case 0xcd: return number(load<std::uint16_t>());
      case 0xce: return number(load<std::uint32_t>());
      case 0xcf: return natural(load<std::uint64_t>());
      case 0xd0: return number(static_cast<std::int8_t>(load<std::uint8_t>()));
      case 0xd1: return number(static_cast<std::int16_t>(load<std::uint16_t>()));
      case 0xd2: return number(static_cast<std::int32_t>(load<std::uint32_t>()));
      case 0xd3: return number(static_cast<std::int64_t>(load<std::uint64_t>()));
      case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8:
        return text(Type::extension, (std::uint64_t{1} << (lead - 0xd4)) + 1);  // the type's octet is counted in
      case 0xd9: return text(Type::string, load<std::uint8_t>());
      case 0xda: return text(Type::string, load<std::uint16_t>());
      case 0xdb: return text(Type::string, load<std::uint32_t>());
      case 0xdc: return container(Type::array, load<std::uint16_t>());
      case 0xdd: return container(Type::array, load<std::uint32_t>());
      case 0xde: return container(Type::map, load<std::uint16_t>());
      case 0xdf: return container(Type::map, load<std::uint32_t>());
      default: serializers::refuse("0xc1 begins no MessagePack object", offset() - 1);
    }
  }

  static Object object(Type type) noexcept { return {type, false, false, 0, 0, {}}; }
  static Object truth(bool value) noexcept { return {Type::boolean, value, false, 0, 0, {}}; }
  static Object number(std::int64_t value) noexcept { return {Type::integer, false, false, value, 0, {}}; }
  static Object natural(std::uint64_t value) noexcept {
    return {Type::integer, false, value > INT64_MAX, static_cast<std::int64_t>(value & INT64_MAX), 0, {}};
  }
  static Object container(Type type, std::uint64_t count) noexcept { return {type, false, false, 0, count, {}}; }
  Object text(Type type, std::uint64_t size) {
    if (size > static_cast<std::uint64_t>(end_ - at_)) truncated(size);
    const std::string_view octets(at_, static_cast<std::size_t>(size));
    at_ += size;
    return {type, false, false, 0, 0, octets};
  }

  std::uint8_t octet() {
    if (at_ == end_) truncated(1);
    return static_cast<std::uint8_t>(*at_++);
  }
  template <class Unsigned>
  Unsigned load() {
    if (static_cast<std::size_t>(end_ - at_) < sizeof(Unsigned)) truncated(sizeof(Unsigned));
    Unsigned value = 0;
    for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
      value = static_cast<Unsigned>(value << 8 | static_cast<std::uint8_t>(at_[i]));
    }
    at_ += sizeof(Unsigned);
    return value;
  }

  [[noreturn, gnu::cold, gnu::noinline]] void truncated(std::uint64_t wanted) const {
    serializers::refuse("the input ends here, but " + std::to_string(wanted) +
                            " more octets were announced; send the whole event",
                        offset());
  }

  const char* begin_;
  const char* at_;
  const char* end_;
};

}  // namespace tenon::msgpack_plugin
