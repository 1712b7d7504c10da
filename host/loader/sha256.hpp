// SHA-256 of a stream, so that a file's content has a name that `sha256sum` agrees with. Source: FIPS 180-4, §6.2.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tenon::loader {

using Digest = std::array<std::uint8_t, 32>;

// 64 lower-case hexadecimal digits.
std::string to_hex(const Digest& digest);
// Empty unless it is exactly that.
std::optional<Digest> digest_from_hex(std::string_view text);

class Sha256 {
 public:
  void update(std::span<const std::byte> bytes) noexcept;
  // Ends the stream; the object must not be used afterwards.
  Digest finish() noexcept;

 private:
  void block(const std::byte* bytes) noexcept;

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> pending_{};
  std::size_t pending_size_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace tenon::loader
