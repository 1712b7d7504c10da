// A name for a file's content: what crashed is quarantined by it, and an unchanged file is known again.
//
// It is XXH3's 128 bits in canonical form, as `xxh128sum` prints it: a gigabyte in a tenth of a second, where SHA-256 took
// most of an engine's start. It need not withstand an attacker: who can write into a plugin directory runs code in the host.
// Source: xxHash, doc/xxhash_spec.md, and xxhash.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tenon::loader {

using Digest = std::array<std::uint8_t, 16>;

// 32 lower-case hexadecimal digits.
std::string to_hex(const Digest& digest);
// Empty unless it is exactly that.
std::optional<Digest> digest_from_hex(std::string_view text);

// Of a stream, however it is cut. Throws std::bad_alloc.
class ContentHash {
 public:
  ContentHash();
  ~ContentHash();
  void update(std::span<const std::byte> bytes) noexcept;
  Digest digest() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Of one piece.
Digest digest_of(std::string_view bytes);

}  // namespace tenon::loader
