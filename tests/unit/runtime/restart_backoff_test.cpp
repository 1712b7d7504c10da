#include "runtime/restart_backoff.hpp"

#include <gtest/gtest.h>

namespace tenon::runtime {
namespace {

using namespace std::chrono_literals;

constexpr BackoffConfig kPlain{50ms, 2.0, 30s, 0.0, 60s};

TEST(RestartBackoff, TheFirstIsImmediateAndTheRestGrowUpToTheMaximum) {
  const Duration expected[] = {0ms, 50ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 12800ms, 25600ms, 30s};
  std::uint32_t consecutive = 0;
  for (const Duration delay : expected) EXPECT_EQ(backoff_delay(kPlain, consecutive++, 0), delay);
  EXPECT_EQ(backoff_delay(kPlain, UINT32_MAX, 0), 30s);
}

TEST(RestartBackoff, JitterDrawsBetweenTheRestAndTheWholeDelay) {
  BackoffConfig config = kPlain;
  config.jitter = 0.25;
  EXPECT_EQ(backoff_delay(config, 2, 0), 100ms);
  const Duration shortest = backoff_delay(config, 2, UINT64_MAX);
  EXPECT_GE(shortest, 75ms);
  EXPECT_LT(shortest, 76ms);
}

TEST(RestartBackoff, AStableRunResetsIt) {
  ExitInfo exit;
  exit.consecutive = 7;
  exit.run_time = 60s;
  const RestartDecision decision = decide_by_backoff(kPlain, exit);
  EXPECT_TRUE(decision.reset);
  EXPECT_EQ(decision.delay, 0ms);
  exit.run_time = 59s;
  EXPECT_EQ(decide_by_backoff(kPlain, exit).delay, 3200ms);
}

}  // namespace
}  // namespace tenon::runtime
