#include "loader/content_digest.hpp"

#include <cstring>

#define XXH_INLINE_ALL
#if !defined(NDEBUG)
#define XXH_NO_INLINE_HINTS 1  // at -Og g++ refuses to inline what the header insists on
#endif
#include <xxhash.h>

#include "common/encoding.hpp"

namespace tenon::loader {

static_assert(std::tuple_size_v<Digest> == sizeof(XXH128_canonical_t));

std::string to_hex(const Digest& digest) {
  return hex_encode(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

std::optional<Digest> digest_from_hex(std::string_view text) {
  Digest digest;
  if (text.size() != 2 * digest.size()) return std::nullopt;
  const auto bytes = hex_decode(text);
  if (!bytes) return std::nullopt;
  std::memcpy(digest.data(), bytes->data(), digest.size());
  return digest;
}

struct ContentHash::State {
  XXH3_state_t xxh;
};

ContentHash::ContentHash() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->xxh); }
ContentHash::~ContentHash() = default;

void ContentHash::update(std::span<const std::byte> bytes) noexcept {
  XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size());
}

Digest ContentHash::digest() const noexcept {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state_->xxh));
  Digest digest;
  std::memcpy(digest.data(), canonical.digest, digest.size());
  return digest;
}

Digest digest_of(std::string_view bytes) {
  ContentHash hash;
  hash.update(std::as_bytes(std::span(bytes)));
  return hash.digest();
}

}  // namespace tenon::loader
