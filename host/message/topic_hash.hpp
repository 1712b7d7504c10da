// A fast hash of short texts: 64×64→128-bit multiplications over eight octets at a time, folded. Seeded once a process,
// so that peers cannot choose colliding topics.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace tenon::message {

// Drawn from the kernel on first use.
std::uint64_t topic_hash_seed() noexcept;

inline std::uint64_t fold_multiply(std::uint64_t a, std::uint64_t b) noexcept {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed) noexcept {
  const auto load = [](const char* p) {
    std::uint64_t v;
    std::memcpy(&v, p, sizeof v);
    return v;
  };
  const char* p = text.data();
  std::size_t n = text.size();
  std::uint64_t h = seed ^ (n * 0x9e3779b97f4a7c15ull);
  for (; n > 8; n -= 8, p += 8) h = fold_multiply(h ^ load(p), 0xa0761d6478bd642full);
  std::uint64_t tail = 0;  // at most eight octets
  if (n >= 4) {
    std::uint32_t low, high;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + n - 4, 4);
    tail = low | static_cast<std::uint64_t>(high) << 32;
  } else if (n != 0) {
    tail = static_cast<unsigned char>(p[0]) | static_cast<std::uint64_t>(static_cast<unsigned char>(p[n / 2])) << 8 |
           static_cast<std::uint64_t>(static_cast<unsigned char>(p[n - 1])) << 16;
  }
  return fold_multiply(h ^ tail, 0xe7037ed1a0b428dbull);
}

}  // namespace tenon::message
