#include "runtime/token_bucket.hpp"

#include <algorithm>

namespace tenon::runtime {

TokenBucket::TokenBucket(std::uint64_t per_second, std::uint64_t burst) noexcept
    : per_second_(per_second), burst_(std::max<std::uint64_t>(burst, 1)), level_(burst_) {}

bool TokenBucket::take(std::uint64_t amount, MonotonicTime now) noexcept {
  if (per_second_ == 0) return true;
  if (now > updated_) {
    const double seconds = std::chrono::duration<double>(now - updated_).count();
    const double earned = seconds * static_cast<double>(per_second_);
    // Time too short to earn a whole byte stays on the account.
    if (earned >= static_cast<double>(burst_ - level_)) {
      level_ = burst_, updated_ = now;
    } else if (const auto whole = static_cast<std::uint64_t>(earned); whole > 0) {
      level_ += whole, updated_ = now;
    }
  }
  if (level_ < std::min(amount, burst_)) return false;
  level_ -= std::min(amount, level_);
  return true;
}

}  // namespace tenon::runtime
