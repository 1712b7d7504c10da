#include "event/worker_pool.hpp"

#include <signal.h>

#include <atomic>
#include <future>
#include <latch>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "event/fake_loop.hpp"
#include "loop_fixture.hpp"

namespace tenon::event {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A job that tells when it runs and ends only when released. Shared, because a written-off thread may outlive the test.
struct Blocker {
  std::latch entered{1}, release{1};
  WorkerPool::Job job(std::shared_ptr<Blocker> self) {
    return [self = std::move(self)] {
      self->entered.count_down();
      self->release.wait();
    };
  }
};
std::shared_ptr<Blocker> make_blocker() { return std::make_shared<Blocker>(); }

// Deadlines on a manual clock, threads for real.
class WorkerPoolTest : public ::testing::Test {
 protected:
  void make(WorkerPool::Options options) { pool_ = make_worker_pool(loop_, options); }
  WorkerPool::Done note(std::optional<errc>& into) {
    return [&into](Status status) {
      EXPECT_FALSE(into.has_value()) << "told twice";
      into = status ? errc::ok : status.error().code;
    };
  }
  // Runs the loop until `told`, fed by the worker threads.
  void serve_until(const std::optional<errc>& told) {
    while (!told.has_value()) {
      ASSERT_TRUE(loop_.wait_posted()) << "no worker reported";
      loop_.run_posted();
    }
  }

  FakeLoop loop_;
  std::unique_ptr<WorkerPool> pool_ = make_worker_pool(loop_);
};

TEST_F(WorkerPoolTest, JobRunsOnAnotherThreadAndDoneOnTheLoop) {
  std::thread::id ran_on;
  std::optional<errc> told;
  ASSERT_TRUE(pool_->submit([&] { ran_on = std::this_thread::get_id(); }, seconds(1), [&](Status status) {
    EXPECT_TRUE(loop_.on_loop_thread());
    told = status ? errc::ok : status.error().code;
  }));
  serve_until(told);
  EXPECT_EQ(told, errc::ok);
  EXPECT_NE(ran_on, std::this_thread::get_id());
  EXPECT_EQ(loop_.live_timers(), 0u) << "its deadline is withdrawn";
  EXPECT_EQ(pool_->counters().finished, 1u);
}

TEST_F(WorkerPoolTest, ThrownExceptionBecomesAnInternalErrorWithItsText) {
  std::optional<Error> told;
  ASSERT_TRUE(pool_->submit([] { throw std::runtime_error("no such host"); }, seconds(1),
                            [&](Status status) { told = status.error(); }));
  while (!told) {
    ASSERT_TRUE(loop_.wait_posted());
    loop_.run_posted();
  }
  EXPECT_EQ(told->code, errc::internal);
  EXPECT_NE(told->message.find("no such host"), std::string::npos);
}

TEST_F(WorkerPoolTest, ThrownNonExceptionBecomesAnInternalError) {
  std::optional<errc> told;
  ASSERT_TRUE(pool_->submit([] { throw 42; }, seconds(1), note(told)));
  serve_until(told);
  EXPECT_EQ(told, errc::internal);
}

TEST_F(WorkerPoolTest, JobPastItsDeadlineIsToldAtOnceAndItsThreadIsReplaced) {
  make({.threads = 1});
  const auto hung = make_blocker();
  std::optional<errc> first, second;
  ASSERT_TRUE(pool_->submit(hung->job(hung), seconds(1), note(first)));
  ASSERT_TRUE(pool_->submit([] {}, hours(1), note(second)));
  hung->entered.wait();
  loop_.advance(seconds(1));
  EXPECT_EQ(first, errc::timeout);
  EXPECT_EQ(pool_->counters().abandoned, 1u);
  serve_until(second);  // by the replacement, while the first thread still hangs
  EXPECT_EQ(second, errc::ok);
  hung->release.count_down();
}

TEST_F(WorkerPoolTest, LateResultOfATimedOutJobIsDropped) {
  make({.threads = 1});
  const auto late = make_blocker();
  std::promise<void> thread_ended;
  pool_->at_thread_exit([&] { thread_ended.set_value(); });
  std::optional<errc> told;
  ASSERT_TRUE(pool_->submit(late->job(late), seconds(1), note(told)));
  late->entered.wait();
  loop_.advance(seconds(1));
  late->release.count_down();
  thread_ended.get_future().wait();
  loop_.run_posted();  // note() fails on a second report
  EXPECT_EQ(told, errc::timeout);
  EXPECT_EQ(pool_->counters().abandoned, 0u) << "a thread that came back is no longer stuck";
  EXPECT_EQ(pool_->counters().finished, 0u);
}

TEST_F(WorkerPoolTest, JobThatNoThreadBeganByItsDeadlineIsToldApartFromOneThatHangs) {
  make({.threads = 1});
  const auto busy = make_blocker();
  std::optional<errc> first, second;
  bool ran = false;
  ASSERT_TRUE(pool_->submit(busy->job(busy), hours(1), note(first)));
  busy->entered.wait();
  ASSERT_TRUE(pool_->submit([&] { ran = true; }, seconds(1), note(second)));
  EXPECT_EQ(pool_->counters().queued, 1u);
  loop_.advance(seconds(1));
  EXPECT_EQ(second, errc::exhausted);
  EXPECT_EQ(pool_->counters().never_begun, 1u);
  EXPECT_EQ(pool_->counters().timed_out, 0u);
  EXPECT_EQ(pool_->counters().queued, 0u);
  EXPECT_EQ(pool_->counters().abandoned, 0u) << "no thread hung";
  busy->release.count_down();
  serve_until(first);
  EXPECT_FALSE(ran) << "a job that was reported as not begun must not start";
}

TEST_F(WorkerPoolTest, FewSlowJobsHoldUpNoOther) {
  std::vector<std::shared_ptr<Blocker>> slow;
  std::vector<std::optional<errc>> ends(8);
  for (auto& end : ends) {
    slow.push_back(make_blocker());
    ASSERT_TRUE(pool_->submit(slow.back()->job(slow.back()), hours(1), note(end)));
  }
  std::optional<errc> quick;
  ASSERT_TRUE(pool_->submit([] {}, seconds(1), note(quick)));
  serve_until(quick);  // while all the others still hang
  EXPECT_EQ(quick, errc::ok);
  for (const auto& each : slow) each->release.count_down();
  for (auto& end : ends) serve_until(end);
}

TEST_F(WorkerPoolTest, ThreadsThatFindNothingToDoEndAndNewOnesComeWhenNeeded) {
  make({.threads = 2, .idle_timeout = milliseconds(1)});
  EXPECT_EQ(pool_->counters().threads, 0u) << "a pool that is not used has no threads";
  for (int round = 0; round < 2; ++round) {
    std::optional<errc> told;
    ASSERT_TRUE(pool_->submit([] {}, hours(1), note(told)));
    serve_until(told);
    while (pool_->counters().threads > 0) {
      ASSERT_TRUE(loop_.wait_posted()) << "the thread did not end";
      loop_.run_posted();
    }
  }
}

TEST_F(WorkerPoolTest, FullQueueRefusesWithoutCallingDone) {
  make({.threads = 1, .max_queued = 1});
  const auto busy = make_blocker();
  std::optional<errc> first, second, third;
  ASSERT_TRUE(pool_->submit(busy->job(busy), hours(1), note(first)));
  ASSERT_TRUE(pool_->submit([] {}, hours(1), note(second)));
  const Status refused = pool_->submit([] {}, hours(1), note(third));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::exhausted);
  EXPECT_TRUE(refused.error().retryable);
  EXPECT_EQ(pool_->counters().refused, 1u);
  busy->release.count_down();
  serve_until(first);
  serve_until(second);
  EXPECT_FALSE(third.has_value());
}

TEST_F(WorkerPoolTest, TooManyHungThreadsRefuseNewJobsUntilOneComesBack) {
  make({.threads = 1, .max_abandoned = 2});
  std::promise<void> one_ended;
  std::atomic<int> ends{0};
  pool_->at_thread_exit([&] {
    if (ends.fetch_add(1) == 0) one_ended.set_value();
  });
  const auto a = make_blocker(), b = make_blocker();
  for (const auto& hung : {a, b}) {
    std::optional<errc> told;
    ASSERT_TRUE(pool_->submit(hung->job(hung), seconds(1), note(told)));
    hung->entered.wait();
    loop_.advance(seconds(1));
    ASSERT_EQ(told, errc::timeout);
  }
  const Status refused = pool_->submit([] {}, seconds(1), [](Status) { ADD_FAILURE(); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::exhausted);
  a->release.count_down();
  one_ended.get_future().wait();
  std::optional<errc> told;
  ASSERT_TRUE(pool_->submit([] {}, hours(1), note(told)));
  serve_until(told);
  EXPECT_EQ(told, errc::ok);
  // The hooks reach into this test: let the last thread end before it does.
  b->release.count_down();
  pool_.reset();
  while (ends.load() < 3) std::this_thread::yield();
}

TEST_F(WorkerPoolTest, BeyondTheLimitOfHungThreadsThePoolShrinksAndRecovers) {
  make({.threads = 2, .max_abandoned = 1});
  const auto a = make_blocker(), b = make_blocker();
  std::optional<errc> first, second;
  ASSERT_TRUE(pool_->submit(a->job(a), seconds(1), note(first)));
  ASSERT_TRUE(pool_->submit(b->job(b), seconds(1), note(second)));
  a->entered.wait(), b->entered.wait();
  loop_.advance(seconds(1));
  EXPECT_EQ(first, errc::timeout);
  EXPECT_EQ(second, errc::timeout);
  EXPECT_EQ(pool_->counters().abandoned, 1u) << "never more than the limit";
  EXPECT_EQ(pool_->counters().running, 1u) << "the other stays in the pool";
  a->release.count_down(), b->release.count_down();
}

TEST_F(WorkerPoolTest, JobsRunAtOnceUpToTheNumberOfThreads) {
  make({.threads = 3});
  const auto all_inside = std::make_shared<std::latch>(3);
  std::vector<std::optional<errc>> told(3);
  const auto meet = [all_inside] { all_inside->arrive_and_wait(); };
  for (auto& each : told) ASSERT_TRUE(pool_->submit(meet, hours(1), note(each)));
  for (auto& each : told) serve_until(each);  // returns only if all three ran at the same time
}

TEST_F(WorkerPoolTest, DestructionWaitsForARunningJobAndTellsIt) {
  const auto running = make_blocker();
  std::optional<errc> told;
  ASSERT_TRUE(pool_->submit(running->job(running), hours(1), note(told)));
  running->entered.wait();
  std::jthread releaser([running] { running->release.count_down(); });
  pool_.reset();
  EXPECT_EQ(told, errc::ok);
  EXPECT_EQ(loop_.live_timers(), 0u);
}

TEST_F(WorkerPoolTest, DestructionCancelsJobsThatHaveNotBegun) {
  make({.threads = 1});
  const auto running = make_blocker();
  std::optional<errc> first, second;
  ASSERT_TRUE(pool_->submit(running->job(running), hours(1), note(first)));
  running->entered.wait();
  ASSERT_TRUE(pool_->submit([] { ADD_FAILURE() << "must not begin"; }, hours(1), note(second)));
  std::jthread releaser([running] { running->release.count_down(); });
  pool_.reset();
  EXPECT_EQ(first, errc::ok);
  EXPECT_EQ(second, errc::cancelled);
}

TEST_F(WorkerPoolTest, DestructionDoesNotWaitForWrittenOffThreadsWhichEndSafelyLater) {
  struct Ended {
    std::promise<void> hook;
  };
  const auto ended = std::make_shared<Ended>();
  const auto hung = make_blocker();
  {
    FakeLoop loop;
    const auto pool = make_worker_pool(loop, {.threads = 1});
    pool->at_thread_exit([ended] { ended->hook.set_value(); });
    std::optional<errc> told;
    ASSERT_TRUE(pool->submit(hung->job(hung), seconds(1), note(told)));
    hung->entered.wait();
    loop.advance(seconds(1));
    ASSERT_EQ(told, errc::timeout);
  }  // pool and loop are gone, the thread is still inside its job
  hung->release.count_down();
  ended->hook.get_future().wait();  // its hook runs all the same
}

TEST_F(WorkerPoolTest, DestructionWritesOffAJobThatReachesItsDeadlineMeanwhile) {
  const auto hung = make_blocker();
  std::optional<errc> told;
  ASSERT_TRUE(pool_->submit(hung->job(hung), milliseconds(5), note(told)));
  hung->entered.wait();
  pool_.reset();  // the loop does not run any more, so its timer cannot tell
  EXPECT_EQ(told, errc::timeout);
  hung->release.count_down();
}

TEST_F(WorkerPoolTest, DoneMayDestroyThePoolAndTheOthersAreStillToldOnce) {
  make({.threads = 2});
  const auto both = std::make_shared<std::latch>(2);
  std::atomic<int> ended{0};
  int told = 0;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(pool_->submit([both] { both->arrive_and_wait(); }, hours(1), [&](Status status) {
      EXPECT_TRUE(status);
      if (++told == 1) pool_.reset();
    }));
  }
  while (told == 0) {
    ASSERT_TRUE(loop_.wait_posted());
    loop_.run_posted();
  }
  EXPECT_EQ(told, 2);
}

TEST_F(WorkerPoolTest, DoneThatSubmitsTheNextJobDoesNotHoldTheLoop) {
  make({.threads = 1});
  int rounds = 0;
  std::optional<errc> last;
  std::function<void(Status)> next = [&](Status) {
    if (++rounds == 200) {
      last = errc::ok;
    } else {
      ASSERT_TRUE(pool_->submit([] {}, hours(1), next));
    }
  };
  ASSERT_TRUE(pool_->submit([] {}, hours(1), next));
  serve_until(last);
  EXPECT_EQ(pool_->counters().finished, 200u);
}

TEST_F(WorkerPoolTest, SubmittingWhileThePoolDiesIsRefused) {
  const auto running = make_blocker();
  std::optional<errc> refused;
  WorkerPool* pool = pool_.get();
  ASSERT_TRUE(pool_->submit(running->job(running), hours(1), [&, pool](Status) {
    const Status status = pool->submit([] {}, hours(1), [](Status) { ADD_FAILURE(); });
    refused = status ? errc::ok : status.error().code;
  }));
  running->entered.wait();
  running->release.count_down();
  pool_.reset();
  EXPECT_EQ(refused, errc::wrong_state);
}

TEST_F(WorkerPoolTest, EveryThreadRunsTheExitHooksOnce) {
  make({.threads = 3});
  std::atomic<int> hooks{0};
  pool_->at_thread_exit([&] { ++hooks; });
  pool_->at_thread_exit([&] { throw std::runtime_error("a hook must not end the host"); });
  const auto all_inside = std::make_shared<std::latch>(3);
  std::vector<std::optional<errc>> told(3);
  const auto meet = [all_inside] { all_inside->arrive_and_wait(); };
  for (auto& each : told) ASSERT_TRUE(pool_->submit(meet, hours(1), note(each)));
  for (auto& each : told) serve_until(each);
  pool_.reset();
  EXPECT_EQ(hooks.load(), 3);
}

TEST_F(WorkerPoolTest, WorkersLeaveSignalsToTheLoopThread) {
  std::optional<errc> told;
  bool blocked = false;
  ASSERT_TRUE(pool_->submit(
      [&] {
        sigset_t mask;
        ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
        blocked = ::sigismember(&mask, SIGTERM) == 1;
      },
      hours(1), note(told)));
  serve_until(told);
  EXPECT_TRUE(blocked);
  sigset_t here;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &here);
  EXPECT_EQ(::sigismember(&here, SIGTERM), 0) << "the loop thread's own mask is as before";
}

TEST(WorkerPoolOnRealLoop, ThousandJobsAreEachToldOnceAndKeepTheLoopRunning) {
  const auto loop = make_loop();
  const auto pool = make_worker_pool(*loop, {.threads = 4});
  std::atomic<int> ran{0};
  int told = 0;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(pool->submit([&] { ++ran; }, hours(1), [&](Status status) {
      EXPECT_TRUE(status);
      EXPECT_TRUE(loop->on_loop_thread());
      ++told;
    }));
  }
  loop->run();  // ends by itself when the last deadline is withdrawn
  EXPECT_EQ(ran.load(), 1000);
  EXPECT_EQ(told, 1000);
}

TEST(WorkerPoolOnRealLoop, JobThatEndedBeforeItsDeadlineWasLookedAtIsNotTimedOut) {
  const auto loop = make_loop();
  const auto pool = make_worker_pool(*loop, {.threads = 1});
  const auto job = make_blocker();
  std::vector<errc> told;
  Handle before_the_deadline;
  loop->post([&] {
    // Due together, so they run in one pass: the first lets the job end, and its delivery comes after the second.
    before_the_deadline = loop->after(Duration::zero(), [&] {
      job->release.count_down();
      while (pool->counters().queued + pool->counters().running > 0) std::this_thread::yield();
    });
    ASSERT_TRUE(pool->submit(job->job(job), Duration::zero(),
                             [&](Status status) { told.push_back(status ? errc::ok : status.error().code); }));
  });
  loop->run();
  EXPECT_EQ(told, std::vector{errc::ok});
}

TEST_F(WorkerPoolTest, WaitsForNoJobWhenHurried) {
  make({.threads = 1});
  const auto hung = make_blocker();
  std::optional<errc> told;
  ASSERT_TRUE(pool_->submit(hung->job(hung), hours(1), note(told)));
  hung->entered.wait();
  pool_->hurry();
  pool_.reset();
  EXPECT_EQ(told, errc::timeout);
  hung->release.count_down();
}

TEST(WorkerPoolOnRealLoop, HungJobIsToldWhileTheLoopGoesOn) {
  const auto loop = make_loop();
  const auto pool = make_worker_pool(*loop, {.threads = 1});
  const auto hung = make_blocker();
  std::vector<errc> told;
  const auto note = [&](Status status) { told.push_back(status ? errc::ok : status.error().code); };
  ASSERT_TRUE(pool->submit(hung->job(hung), milliseconds(5), note));
  ASSERT_TRUE(pool->submit([] {}, hours(1), note));
  hung->entered.wait();  // or its deadline could pass in the queue, which is told otherwise
  loop->run();
  EXPECT_EQ(told, (std::vector{errc::timeout, errc::ok}));
  hung->release.count_down();
}

}  // namespace
}  // namespace tenon::event
