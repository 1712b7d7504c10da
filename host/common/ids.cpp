#include "common/ids.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <sys/random.h>

namespace tenon {

namespace {

constexpr std::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kTimeDigits = 10;
constexpr std::uint64_t kMaxMilliseconds = (1ull << 48) - 1;

// The digit after each digit; 'Z' wraps to '0'. Counting in the text itself saves encoding it again.
constexpr std::array<char, 128> kNextDigit = [] {
  std::array<char, 128> table{};
  for (std::size_t i = 0; i < kCrockford.size(); ++i) {
    table[static_cast<unsigned char>(kCrockford[i])] = kCrockford[(i + 1) % kCrockford.size()];
  }
  return table;
}();

constexpr std::uint64_t rotate_left(std::uint64_t x, int k) noexcept { return x << k | x >> (64 - k); }

std::uint64_t splitmix64(std::uint64_t& state) noexcept {
  std::uint64_t z = state += 0x9E3779B97F4A7C15ull;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ z >> 27) * 0x94D049BB133111EBull;
  return z ^ z >> 31;
}

}  // namespace

void random_bytes(std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got > 0) {
      out = out.subspan(static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      // Going on with predictable keys would be worse than not going on.
      std::perror("tenon: getrandom; run on a kernel that offers it and allow it in the seccomp profile");
      std::abort();
    }
  }
}

std::uint64_t random_u64() {
  std::uint64_t value;
  random_bytes(std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

Random::Random() : Random(random_u64()) {}

Random::Random(std::uint64_t seed) noexcept {
  for (auto& word : state_) word = splitmix64(seed);
}

std::uint64_t Random::next() noexcept {
  const std::uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = rotate_left(state_[3], 45);
  return result;
}

// Lemire's method: the high half of a product, rejecting the few low halves that would favour small results.
std::uint64_t Random::below(std::uint64_t bound) noexcept {
  unsigned __int128 product = static_cast<unsigned __int128>(next()) * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t threshold = (0 - bound) % bound;
    while (static_cast<std::uint64_t>(product) < threshold) product = static_cast<unsigned __int128>(next()) * bound;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

void UlidGenerator::start_millisecond(std::uint64_t milliseconds) noexcept {
  started_ = true;
  last_ms_ = milliseconds;
  for (std::size_t i = kTimeDigits; i-- > 0; milliseconds >>= 5) last_[i] = kCrockford[milliseconds & 31];
  std::uint64_t bits = random_.next();
  for (std::size_t i = 0; i < 8; ++i, bits >>= 5) last_[kTimeDigits + i] = kCrockford[bits & 31];
  bits = random_.next();
  for (std::size_t i = 8; i < 16; ++i, bits >>= 5) last_[kTimeDigits + i] = kCrockford[bits & 31];
}

void UlidGenerator::write_to(char* out, WallTime now) noexcept {
  const std::int64_t count = now.time_since_epoch().count();
  const std::uint64_t ms = count <= 0 ? 0 : static_cast<std::uint64_t>(count) / 1'000'000;
  if (!started_ || ms > last_ms_) {
    start_millisecond(ms & kMaxMilliseconds);
  } else {
    std::size_t i = kSize;
    for (;;) {
      if (i == kTimeDigits) {  // all 80 bits wrapped: borrow the next millisecond to stay monotone
        start_millisecond(last_ms_ + 1);
        break;
      }
      char& digit = last_[--i];
      digit = kNextDigit[static_cast<unsigned char>(digit)];
      if (digit != '0') break;
    }
  }
  std::memcpy(out, last_.data(), kSize);
}

std::string UlidGenerator::next(WallTime now) {
  std::string id(kSize, '\0');
  write_to(id.data(), now);
  return id;
}

bool is_ulid(std::string_view text) noexcept {
  if (text.size() != UlidGenerator::kSize || text[0] > '7') return false;  // 26 digits hold 130 bits; 128 are used
  for (char c : text) {
    if (kCrockford.find(c) == kCrockford.npos) return false;
  }
  return true;
}

}  // namespace tenon
