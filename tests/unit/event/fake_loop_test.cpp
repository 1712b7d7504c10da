#include "event/fake_loop.hpp"


#include <thread>
#include <vector>

#include "loop_fixture.hpp"

namespace tenon::event {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class FakeLoopTest : public ::testing::Test {
 protected:
  FakeLoop loop_;
  std::vector<int> order_;
};

TEST_F(FakeLoopTest, AdvanceRunsDueTimersInOrderWithTheClockAtEachOnesTime) {
  const MonotonicTime began = loop_.clock().monotonic();
  std::vector<Duration> times;
  const auto note = [&] { times.push_back(loop_.clock().monotonic() - began); };
  const Handle late = loop_.after(seconds(2), note), early = loop_.after(seconds(1), note);
  const Handle never = loop_.after(seconds(11), note);
  EXPECT_EQ(loop_.advance(seconds(10)), 2u);
  EXPECT_EQ(times, (std::vector<Duration>{seconds(1), seconds(2)}));
  EXPECT_EQ(loop_.clock().monotonic() - began, seconds(10));
  EXPECT_EQ(loop_.live_timers(), 1u);
}

TEST_F(FakeLoopTest, AdvanceRunsTimersThatTimersSet) {
  Handle inner;
  const Handle outer = loop_.after(seconds(1), [&] { inner = loop_.after(seconds(1), [&] { order_.push_back(2); }); });
  loop_.advance(seconds(2));
  EXPECT_EQ(order_, std::vector{2});
}

TEST_F(FakeLoopTest, PeriodicTimerTicksOncePerPeriod) {
  int ticks = 0;
  const Handle timer = loop_.every(milliseconds(100), [&] { ++ticks; });
  loop_.advance(seconds(1));
  EXPECT_EQ(ticks, 10);
}

TEST_F(FakeLoopTest, AdvanceRunsPostedWorkBeforeTheNextTimer) {
  const Handle first = loop_.after(seconds(1), [&] { loop_.post([&] { order_.push_back(1); }); });
  const Handle second = loop_.after(seconds(1), [&] { order_.push_back(2); });
  loop_.advance(seconds(1));
  EXPECT_EQ(order_, (std::vector{1, 2}));
}

TEST_F(FakeLoopTest, NothingRunsUntilAsked) {
  loop_.post([&] { order_.push_back(1); });
  EXPECT_TRUE(order_.empty());
  EXPECT_EQ(loop_.pending_posts(), 1u);
  EXPECT_EQ(loop_.run_posted(), 1u);
  EXPECT_EQ(order_, std::vector{1});
  EXPECT_EQ(loop_.pending_posts(), 0u);
}

TEST_F(FakeLoopTest, TriggerRunsOnlyWhatIsWanted) {
  std::vector<Interest> seen;
  const auto watch = must_watch(loop_, 900, Interest::read, [&](Interest ready) { seen.push_back(ready); });
  EXPECT_FALSE(loop_.trigger(900, Interest::write));
  EXPECT_TRUE(loop_.trigger(900, Interest::read_write));
  EXPECT_FALSE(loop_.trigger(901, Interest::read));
  EXPECT_EQ(seen, std::vector{Interest::read});
  watch->set_interest(Interest::none);
  EXPECT_FALSE(loop_.trigger(900, Interest::read));
  EXPECT_TRUE(loop_.is_watched(900));
}

TEST_F(FakeLoopTest, PollServesRealDescriptors) {
  const Pipe pipe;
  const auto watch = must_watch(loop_, pipe.reader.get(), Interest::read, [&](Interest) { order_.push_back(1); });
  EXPECT_EQ(loop_.poll_descriptors(), 0u);
  pipe.write("x");
  EXPECT_EQ(loop_.poll_descriptors(), 1u);
}

TEST_F(FakeLoopTest, WatchMayDestroyItselfInItsCallback) {
  std::unique_ptr<FdWatch> watch;
  watch = must_watch(loop_, 900, Interest::read, [&](Interest) { watch.reset(); });
  EXPECT_TRUE(loop_.trigger(900, Interest::read));
  EXPECT_EQ(loop_.live_watches(), 0u);
}

TEST_F(FakeLoopTest, CountsWhatIsStillRegistered) {
  auto watch = must_watch(loop_, 900, Interest::read_write, [](Interest) {});
  Handle timer = loop_.after(seconds(1), [] {});
  EXPECT_EQ(loop_.live_watches(), 1u);
  EXPECT_EQ(loop_.interest_in(900), Interest::read_write);
  EXPECT_EQ(loop_.live_timers(), 1u);
  watch.reset(), timer.reset();
  EXPECT_EQ(loop_.live_watches() + loop_.live_timers(), 0u);
}

TEST_F(FakeLoopTest, RunGoesThroughEverythingAndReturnsWhenNothingMoreCanHappen) {
  const MonotonicTime began = loop_.clock().monotonic();
  Handle second;
  const Handle first = loop_.after(std::chrono::hours(5), [&] { loop_.post([&] { order_.push_back(1); }); });
  loop_.run();
  EXPECT_EQ(order_, std::vector{1});
  EXPECT_EQ(loop_.clock().monotonic() - began, std::chrono::hours(5));
}

TEST_F(FakeLoopTest, StopEndsRun) {
  int ticks = 0;
  const Handle timer = loop_.every(seconds(1), [&] {
    if (++ticks == 3) loop_.stop();
  });
  loop_.run();
  EXPECT_EQ(ticks, 3);
}

TEST_F(FakeLoopTest, PostFromAnotherThreadWakesTheTestThatWaitsForIt) {
  std::jthread other([&] { loop_.post([&] { order_.push_back(1); }); });
  ASSERT_TRUE(loop_.wait_posted());
  loop_.run_posted();
  EXPECT_EQ(order_, std::vector{1});
}

TEST_F(FakeLoopTest, RefusesWhatTheRealLoopRefuses) {
  const auto watch = must_watch(loop_, 900, Interest::read, [](Interest) {});
  EXPECT_EQ(loop_.watch(900, Interest::read, [](Interest) {}).error().code, errc::already_exists);
  EXPECT_EQ(loop_.watch(-1, Interest::read, [](Interest) {}).error().code, errc::invalid_argument);
  const unique_fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(loop_.watch(file.get(), Interest::read, [](Interest) {}).error().code, errc::io);
}

TEST_F(FakeLoopTest, EveryCallbackIsATurn) {
  struct Turns final : TurnObserver {
    void turn_began() noexcept override { ++began; }
    void turn_ended() noexcept override { ++ended; }
    int began = 0, ended = 0;
  } turns;
  loop_.set_turn_observer(&turns);
  int inside = 0;
  const auto note = [&] { inside += turns.began - turns.ended; };
  const Handle timer = loop_.after(seconds(1), note);
  loop_.post(note);
  loop_.advance(seconds(1));
  EXPECT_EQ(inside, 2);
  EXPECT_EQ(turns.began, turns.ended);
}

}  // namespace
}  // namespace tenon::event
