#include <vector>

#include "loop_fixture.hpp"

namespace tenon::event {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

class LoopTimers : public LoopTest {};

TEST_F(LoopTimers, TimerFiresOnceAndNotBeforeItsTime) {
  const MonotonicTime began = loop_->clock().monotonic();
  int fired = 0;
  const Handle timer = loop_->after(milliseconds(5), [&] { ++fired; });
  loop_->run();
  EXPECT_EQ(fired, 1);
  EXPECT_GE(loop_->clock().monotonic() - began, milliseconds(5));
}

TEST_F(LoopTimers, TimersFireInTheOrderOfTheirDueTimes) {
  std::vector<int> order;
  const Handle third = loop_->after(milliseconds(3), [&] { order.push_back(3); });
  const Handle first = loop_->after(milliseconds(-1), [&] { order.push_back(1); });
  const Handle second = loop_->after(milliseconds(1), [&] { order.push_back(2); });
  loop_->run();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST_F(LoopTimers, CancelledTimerNeverFiresAndKeepsNoLoopAlive) {
  Handle timer = loop_->after(hours(1), [] { ADD_FAILURE(); });
  timer.reset();
  EXPECT_FALSE(timer.active());
  loop_->run();
}

TEST_F(LoopTimers, TimerCancelledWhileTheLoopWaitsForItEndsTheRun) {
  Handle far = loop_->after(hours(1), [] { ADD_FAILURE(); });
  const Handle near = loop_->after(milliseconds(1), [&] { far.reset(); });
  loop_->run();
}

TEST_F(LoopTimers, DueTimerCancelledByAnotherOfTheSameTurnNeverFires) {
  Handle second;
  const Handle first = loop_->after(Duration::zero(), [&] { second.reset(); });
  second = loop_->after(Duration::zero(), [] { ADD_FAILURE(); });
  loop_->run();
}

TEST_F(LoopTimers, EarlierTimerSetLaterIsServedFirst) {
  Handle far = loop_->after(hours(1), [] { ADD_FAILURE(); });
  Handle near;
  loop_->post([&] { near = loop_->after(microseconds(10), [&] { far.reset(); }); });
  loop_->run();
  EXPECT_TRUE(near.active());
}

TEST_F(LoopTimers, TimerThatRenewsItselfDoesNotStarvePostedWork) {
  Handle timer;
  bool ended = false;
  std::function<void()> renew = [&] {
    if (!ended) timer = loop_->after(Duration::zero(), renew);
  };
  timer = loop_->after(Duration::zero(), renew);
  loop_->post([&] { loop_->post([&] { ended = true; }); });
  loop_->run();
  EXPECT_TRUE(ended);
}

TEST_F(LoopTimers, PeriodicTimerFiresUntilItsHandleIsDroppedInItsOwnCallback) {
  int ticks = 0;
  Handle timer;
  timer = loop_->every(microseconds(100), [&] {
    if (++ticks == 4) timer.reset();
  });
  loop_->run();
  EXPECT_EQ(ticks, 4);
}

TEST_F(LoopTimers, LongestDelayDoesNotOverflow) {
  const Handle never = loop_->after(Duration::max(), [] { ADD_FAILURE(); });
  const Handle soon = loop_->after(Duration::zero(), [&] { loop_->stop(); });
  loop_->run();
}

TEST_F(LoopTimers, HundredThousandTimersAreSetAndCancelled) {
  std::vector<Handle> timers;
  std::size_t fired = 0;
  for (int i = 0; i < 100'000; ++i)
    timers.push_back(loop_->after(i % 100 == 0 ? Duration::zero() : Duration(hours(1)), [&] { ++fired; }));
  loop_->post([&] {
    for (std::size_t i = 0; i < timers.size(); ++i)
      if (i % 100 != 0) timers[i].reset();
  });
  loop_->run();
  EXPECT_EQ(fired, 1000u);
}

}  // namespace
}  // namespace tenon::event
