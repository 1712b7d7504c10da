// Writes MessagePack through msgpack-c's packer into the host's buffer, always in the shortest form.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <string_view>

#include <msgpack/pack.hpp>

#include "../shared/output.hpp"
#include "../shared/refuse.hpp"

namespace tenon::msgpack_plugin {

using Packer = ::msgpack::packer<serializers::Output>;

// Lengths and counts are 32 bits wide in MessagePack.
inline std::uint32_t checked_size(std::uint64_t size) {
  if (size > std::numeric_limits<std::uint32_t>::max()) {
    serializers::untranslatable("MessagePack ends at 4 GiB or 2^32 elements; send the payload in parts");
  }
  return static_cast<std::uint32_t>(size);
}

inline void put_text(Packer& packer, std::string_view text) {
  const std::uint32_t size = checked_size(text.size());
  packer.pack_str(size);
  packer.pack_str_body(text.data(), size);
}

inline void put_binary(Packer& packer, std::string_view octets) {
  const std::uint32_t size = checked_size(octets.size());
  packer.pack_bin(size);
  packer.pack_bin_body(octets.data(), size);
}

// By hand: packer::pack_double of msgpack-c 4 turns 3.0 into the integer 3 and -0.0 into 0.
inline void put_real(serializers::Output& out, double value) {
  char* to = out.room(9);
  const auto bits = std::bit_cast<std::uint64_t>(value);
  to[0] = static_cast<char>(0xcb);
  for (int i = 0; i < 8; ++i) to[1 + i] = static_cast<char>(bits >> (56 - 8 * i));
  out.commit(9);
}

}  // namespace tenon::msgpack_plugin
