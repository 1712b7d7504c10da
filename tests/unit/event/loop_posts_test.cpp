#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "loop_fixture.hpp"

namespace tenon::event {
namespace {

class LoopPosts : public LoopTest {};

TEST_F(LoopPosts, PostedWorkRunsInTheOrderOfTheCalls) {
  std::vector<int> order;
  for (int i = 0; i < 5000; ++i) loop_->post([&order, i] { order.push_back(i); });
  loop_->run();
  ASSERT_EQ(order.size(), 5000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(LoopPosts, WorkPostedByPostedWorkRunsAfterWhatWasThereBefore) {
  std::vector<int> order;
  loop_->post([&] {
    order.push_back(1);
    loop_->post([&] { order.push_back(3); });
  });
  loop_->post([&] { order.push_back(2); });
  loop_->run();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST_F(LoopPosts, WorkFromOtherThreadsRunsOnTheLoopThreadInEachThreadsOrder) {
  constexpr int kThreads = 4, kEach = 5000;
  std::vector<std::vector<int>> seen(kThreads);
  int left = kThreads * kEach;
  const auto waits = loop_->after(std::chrono::hours(1), [] {});  // keeps run() waiting for the threads
  std::latch start(kThreads + 1);
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      start.arrive_and_wait();
      for (int i = 0; i < kEach; ++i) {
        loop_->post([&, t, i] {
          EXPECT_TRUE(loop_->on_loop_thread());
          seen[static_cast<std::size_t>(t)].push_back(i);
          if (--left == 0) loop_->stop();
        });
      }
    });
  }
  loop_->post([&] { start.arrive_and_wait(); });
  loop_->run();
  for (const auto& of_one : seen) {
    EXPECT_EQ(of_one.size(), static_cast<std::size_t>(kEach));
    EXPECT_TRUE(std::is_sorted(of_one.begin(), of_one.end()));
  }
}

TEST_F(LoopPosts, PostWakesALoopThatWaits) {
  const Pipe pipe;
  const auto quiet = must_watch(*loop_, pipe.reader.get(), Interest::read, [](Interest) { ADD_FAILURE(); });
  std::latch running(1);
  loop_->post([&] { running.count_down(); });
  std::jthread other([&] {
    running.wait();
    loop_->post([&] { loop_->stop(); });
  });
  loop_->run();
}

TEST_F(LoopPosts, StopFromAnotherThreadEndsAWaitingRun) {
  const Pipe pipe;
  const auto quiet = must_watch(*loop_, pipe.reader.get(), Interest::read, [](Interest) { ADD_FAILURE(); });
  std::latch running(1);
  loop_->post([&] { running.count_down(); });
  std::jthread other([&] {
    running.wait();
    loop_->stop();
  });
  loop_->run();
}

TEST_F(LoopPosts, StopBeforeRunIsNotLost) {
  const Pipe pipe;
  const auto quiet = must_watch(*loop_, pipe.reader.get(), Interest::read, [](Interest) { ADD_FAILURE(); });
  std::jthread([&] { loop_->stop(); }).join();
  loop_->run();
}

TEST_F(LoopPosts, StopEndsAfterTheCurrentCallbackAndTheRestRunsNextTime) {
  std::vector<int> order;
  loop_->post([&] { order.push_back(1), loop_->stop(); });
  loop_->post([&] { order.push_back(2); });
  loop_->run();
  EXPECT_EQ(order, std::vector{1});
  loop_->run();
  EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST_F(LoopPosts, OnlyTheRunningThreadIsTheLoopThread) {
  EXPECT_TRUE(loop_->on_loop_thread()) << "before run(), whoever sets the loop up";
  loop_->post([&] {
    EXPECT_TRUE(loop_->on_loop_thread());
    std::jthread([&] { EXPECT_FALSE(loop_->on_loop_thread()); }).join();
  });
  loop_->run();
  EXPECT_TRUE(loop_->on_loop_thread());
}

TEST_F(LoopPosts, WorkThatNeverRanIsDestroyedWithTheLoop) {
  const auto captured = std::make_shared<int>(1);
  const Handle* kept = nullptr;
  auto timer = std::make_shared<Handle>(loop_->after(std::chrono::hours(1), [] {}));
  kept = timer.get();
  EXPECT_TRUE(kept->active());
  loop_->post([captured, timer = std::move(timer)] { ADD_FAILURE(); });
  loop_.reset();
  EXPECT_EQ(captured.use_count(), 1);
}

TEST_F(LoopPosts, RunWithNothingToDoReturns) { loop_->run(); }

}  // namespace
}  // namespace tenon::event
