#include "event/busy_poll.hpp"

#include <gtest/gtest.h>

namespace tenon::event {
namespace {

using namespace std::chrono_literals;

class BusyPollTest : public testing::Test {
 protected:
  void wait(Duration gap) {
    poll_.rests(now_);
    now_ += gap;
    poll_.woke(now_);
  }
  bool looks_again() {
    poll_.rests(now_);
    return poll_.looks_again(now_);
  }

  BusyPoll poll_{2};
  MonotonicTime now_{1h};
};

TEST_F(BusyPollTest, SleepsAtFirst) { EXPECT_FALSE(looks_again()); }

TEST_F(BusyPollTest, LooksAgainWhenWaitsWereShortEightTimes) {
  for (int i = 0; i < 7; ++i) wait(20us);
  EXPECT_FALSE(looks_again());
  wait(20us);
  EXPECT_TRUE(looks_again());
}

TEST_F(BusyPollTest, LooksForNoLongerThanTheWindow) {
  for (int i = 0; i < 8; ++i) wait(20us);
  poll_.rests(now_);
  EXPECT_TRUE(poll_.looks_again(now_ + BusyPoll::kWindow - 1ns));
  EXPECT_FALSE(poll_.looks_again(now_ + BusyPoll::kWindow));
}

TEST_F(BusyPollTest, WaitsAsLongAsTheWindowAreNotShort) {
  for (int i = 0; i < 100; ++i) wait(BusyPoll::kWindow);
  EXPECT_FALSE(looks_again());
}

TEST_F(BusyPollTest, ForgivesOneLongWaitAndNotTwo) {
  for (int i = 0; i < 100; ++i) wait(20us);
  wait(1s);
  EXPECT_TRUE(looks_again());
  wait(1s);
  EXPECT_FALSE(looks_again());
}

// Events of a second each, or of a millisecond, never make it poll: what it costs an idle host is nothing.
TEST_F(BusyPollTest, NeverPollsBetweenRareEvents) {
  for (const Duration gap : {Duration(1ms), Duration(100us), Duration(1s)}) {
    for (int i = 0; i < 1000; ++i) {
      wait(gap);
      ASSERT_FALSE(looks_again());
    }
  }
}

TEST_F(BusyPollTest, IsOffWithOneProcessor) {
  BusyPoll poll(1);
  for (int i = 0; i < 100; ++i) {
    poll.rests(now_);
    poll.woke(now_ += 1us);
  }
  poll.rests(now_);
  EXPECT_FALSE(poll.looks_again(now_));
}

}  // namespace
}  // namespace tenon::event
