#include "event/timer_queue.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace tenon::event {
namespace {

using std::chrono::milliseconds;

constexpr MonotonicTime kStart{std::chrono::hours(1)};
constexpr MonotonicTime at(int ms) { return kStart + milliseconds(ms); }

class TimerQueueTest : public ::testing::Test {
 protected:
  std::size_t run(MonotonicTime now, std::size_t limit = SIZE_MAX) { return queue_.run_due(now, limit, stop_); }
  std::atomic<bool> stop_{false};
  TimerQueue queue_;
  std::vector<int> order_;
};

TEST_F(TimerQueueTest, RunsOnlyWhatIsDue) {
  const Handle a = queue_.add_once(at(10), [&] { order_.push_back(10); });
  const Handle b = queue_.add_once(at(20), [&] { order_.push_back(20); });
  EXPECT_EQ(run(at(9)), 0u);
  EXPECT_EQ(run(at(10)), 1u);
  EXPECT_EQ(order_, std::vector{10});
  EXPECT_EQ(queue_.next_due(), at(20));
}

TEST_F(TimerQueueTest, EqualDueTimesFireInTheOrderOfAdding) {
  std::vector<Handle> handles;
  for (int i = 0; i < 50; ++i) handles.push_back(queue_.add_once(at(1), [&, i] { order_.push_back(i); }));
  run(at(1));
  ASSERT_EQ(order_.size(), 50u);
  EXPECT_TRUE(std::is_sorted(order_.begin(), order_.end()));
}

TEST_F(TimerQueueTest, LimitLeavesTheRestForTheNextCall) {
  std::vector<Handle> handles;
  for (int i = 0; i < 5; ++i) handles.push_back(queue_.add_once(at(i), [&, i] { order_.push_back(i); }));
  EXPECT_EQ(run(at(9), 3), 3u);
  EXPECT_EQ(run(at(9), 3), 2u);
  EXPECT_EQ(order_, (std::vector{0, 1, 2, 3, 4}));
}

TEST_F(TimerQueueTest, StopLeavesTheRestWaiting) {
  const Handle a = queue_.add_once(at(1), [&] { stop_ = true; });
  const Handle b = queue_.add_once(at(1), [&] { order_.push_back(2); });
  EXPECT_EQ(run(at(1)), 1u);
  EXPECT_EQ(queue_.size(), 1u);
}

TEST_F(TimerQueueTest, TimerAddedByATimerWaitsForTheNextCallEvenIfDue) {
  Handle inner;
  const Handle outer = queue_.add_once(at(1), [&] { inner = queue_.add_once(at(1), [&] { order_.push_back(2); }); });
  EXPECT_EQ(run(at(1)), 1u);
  EXPECT_EQ(run(at(1)), 1u);
  EXPECT_EQ(order_, std::vector{2});
}

TEST_F(TimerQueueTest, PeriodicTimerSkipsTheTicksThatWereMissed) {
  const Handle ticks = queue_.add_periodic(kStart, milliseconds(10), [&] { order_.push_back(1); });
  EXPECT_EQ(run(at(35)), 1u);  // ticks 10, 20 and 30 are one call
  EXPECT_EQ(queue_.next_due(), at(40)) << "and the rhythm stays";
  EXPECT_EQ(run(at(40)), 1u);
  EXPECT_EQ(queue_.next_due(), at(50));
}

TEST_F(TimerQueueTest, PeriodicTimerCancelledInItsOwnTaskIsGone) {
  Handle ticks;
  ticks = queue_.add_periodic(kStart, milliseconds(1), [&] { ticks.reset(); });
  EXPECT_EQ(run(at(1)), 1u);
  EXPECT_TRUE(queue_.empty());
}

TEST_F(TimerQueueTest, FiredTimerFreesItsCapturesThoughTheHandleLives) {
  const auto captured = std::make_shared<int>(1);
  const Handle timer = queue_.add_once(at(1), [captured] {});
  EXPECT_EQ(captured.use_count(), 2);
  run(at(1));
  EXPECT_EQ(captured.use_count(), 1);
}

TEST_F(TimerQueueTest, HandleDroppedInItsOwnTaskKeepsTheCapturesUntilTheEnd) {
  const auto captured = std::make_shared<int>(7);
  Handle timer;
  int seen = 0;
  timer = queue_.add_periodic(kStart, milliseconds(1), [&, captured] {
    timer.reset();
    seen = *captured;
  });
  run(at(1));
  EXPECT_EQ(seen, 7);
  EXPECT_EQ(captured.use_count(), 1);
}

TEST_F(TimerQueueTest, HandleReplacedByAssignmentCancelsTheOldTimer) {
  Handle timer = queue_.add_once(at(1), [&] { order_.push_back(1); });
  timer = queue_.add_once(at(2), [&] { order_.push_back(2); });
  run(at(5));
  EXPECT_EQ(order_, std::vector{2});
}

TEST_F(TimerQueueTest, RandomMixOfAddingCancellingAndFiringMatchesASortedModel) {
  std::mt19937 random(20231);
  struct Modelled {
    MonotonicTime due;
    int number;
  };
  std::vector<std::pair<Modelled, Handle>> live;
  std::vector<int> expected;
  int number = 0;
  MonotonicTime now = kStart;
  for (int step = 0; step < 20'000; ++step) {
    const auto choice = random() % 10;
    if (choice < 5) {
      const MonotonicTime due = now + milliseconds(random() % 1000);
      live.emplace_back(Modelled{due, number}, queue_.add_once(due, [this, n = number] { order_.push_back(n); }));
      ++number;
    } else if (choice < 8 && !live.empty()) {
      live.erase(live.begin() + static_cast<long>(random() % live.size()));
    } else {
      now += milliseconds(random() % 50);
      std::vector<Modelled> due;
      std::erase_if(live, [&](const auto& each) {
        if (each.first.due > now) return false;
        due.push_back(each.first);
        return false;
      });
      std::stable_sort(due.begin(), due.end(), [](const auto& a, const auto& b) { return a.due < b.due; });
      for (const auto& each : due) expected.push_back(each.number);
      ASSERT_EQ(run(now), due.size());
      std::erase_if(live, [&](const auto& each) { return each.first.due <= now; });
      ASSERT_EQ(order_, expected) << "at step " << step;
      order_.clear(), expected.clear();
    }
    ASSERT_EQ(queue_.size(), live.size());
  }
}

TEST(TimerDueAfter, ClampsNegativeDelaysAndTheEndOfTime) {
  EXPECT_EQ(TimerQueue::due_after(kStart, milliseconds(-5)), kStart);
  EXPECT_EQ(TimerQueue::due_after(kStart, Duration::max()), MonotonicTime::max());
  EXPECT_EQ(TimerQueue::due_after(kStart, milliseconds(5)), at(5));
}

}  // namespace
}  // namespace tenon::event
