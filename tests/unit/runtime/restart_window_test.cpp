#include "runtime/restart_window.hpp"

#include <gtest/gtest.h>

namespace tenon::runtime {
namespace {

using namespace std::chrono_literals;

MonotonicTime at(Duration since) { return MonotonicTime(1h) + since; }

TEST(RestartWindow, AdmitsAsManyRestartsAsTheIntensitySays) {
  RestartWindow window;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(window.admit({5, 10s}, at(i * 1s))) << i;
  EXPECT_FALSE(window.admit({5, 10s}, at(5s)));
}

TEST(RestartWindow, CountsOnlyRestartsWithinThePeriod) {
  RestartWindow window;
  EXPECT_TRUE(window.admit({2, 10s}, at(0s)));
  EXPECT_TRUE(window.admit({2, 10s}, at(5s)));
  EXPECT_TRUE(window.admit({2, 10s}, at(10s)));  // the first is exactly one period old
  EXPECT_FALSE(window.admit({2, 10s}, at(14s)));
  EXPECT_EQ(window.count({2, 10s}, at(14s)), 3u);
  EXPECT_EQ(window.count({2, 10s}, at(24s)), 0u);
}

TEST(RestartWindow, WithoutAllowanceRefusesTheFirst) {
  RestartWindow window;
  EXPECT_FALSE(window.admit({0, 10s}, at(0s)));
}

TEST(RestartWindow, NeverHoldsMoreThanOneOverTheLimit) {
  RestartWindow window;
  for (int i = 0; i < 1000; ++i) (void)window.admit({3, 1h}, at(i * 1ms));
  EXPECT_EQ(window.times().size(), 4u);
  EXPECT_EQ(window.times().back(), at(999ms));
}

TEST(RestartWindow, RestoredFromALabelGoesOnCounting) {
  RestartWindow window;
  window.restore({at(3s), at(1s)});
  EXPECT_TRUE(window.admit({3, 10s}, at(4s)));
  EXPECT_FALSE(window.admit({3, 10s}, at(5s)));
}

}  // namespace
}  // namespace tenon::runtime
