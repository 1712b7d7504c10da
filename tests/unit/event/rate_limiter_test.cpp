#include "event/rate_limiter.hpp"

#include <gtest/gtest.h>

namespace tenon::event {
namespace {

using std::chrono::milliseconds;

constexpr MonotonicTime kStart{std::chrono::hours(1)};

int allowed_of(RateLimiter& limiter, int tries, MonotonicTime now) {
  int allowed = 0;
  for (int i = 0; i < tries; ++i) allowed += limiter.allow(now) ? 1 : 0;
  return allowed;
}

TEST(RateLimiter, AllowsABurstAndThenOnePerInterval) {
  RateLimiter limiter(milliseconds(100), 5);
  EXPECT_EQ(allowed_of(limiter, 20, kStart), 5);
  EXPECT_EQ(allowed_of(limiter, 20, kStart + milliseconds(99)), 0);
  EXPECT_EQ(allowed_of(limiter, 20, kStart + milliseconds(100)), 1);
  EXPECT_EQ(allowed_of(limiter, 20, kStart + milliseconds(350)), 2);
}

TEST(RateLimiter, QuietTimeRefillsOnlyUpToTheBurst) {
  RateLimiter limiter(milliseconds(100), 3);
  EXPECT_EQ(allowed_of(limiter, 20, kStart), 3);
  EXPECT_EQ(allowed_of(limiter, 20, kStart + std::chrono::hours(10)), 3);
}

TEST(RateLimiter, BurstOfOneSpacesEvenly) {
  RateLimiter limiter(milliseconds(10), 1);
  EXPECT_EQ(allowed_of(limiter, 2, kStart), 1);
  EXPECT_EQ(allowed_of(limiter, 2, kStart + milliseconds(10)), 1);
}

TEST(RateLimiter, CountsWhatItRefusedSinceItWasLastAsked) {
  RateLimiter limiter(milliseconds(100), 2);
  allowed_of(limiter, 10, kStart);
  EXPECT_EQ(limiter.take_refused(), 8u);
  EXPECT_EQ(limiter.take_refused(), 0u);
}

TEST(RateLimiter, TellsWhenTheNextTokenComes) {
  RateLimiter limiter(milliseconds(100), 2);
  EXPECT_EQ(limiter.next(kStart), kStart);
  allowed_of(limiter, 2, kStart);
  EXPECT_EQ(limiter.next(kStart), kStart + milliseconds(100));
  EXPECT_TRUE(limiter.allow(limiter.next(kStart)));
}

TEST(RateLimiter, EarlierTimeGrantsNothingExtra) {
  RateLimiter limiter(milliseconds(100), 1);
  EXPECT_TRUE(limiter.allow(kStart));
  EXPECT_FALSE(limiter.allow(kStart - milliseconds(500)));
}

}  // namespace
}  // namespace tenon::event
