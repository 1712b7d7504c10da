#include <signal.h>

#include <latch>
#include <thread>

#include "loop_fixture.hpp"

namespace tenon::event {
namespace {

class LoopSignals : public LoopTest {
 protected:
  Handle must_handle(int number, Loop::Task task) {
    auto handle = loop_->on_signal(number, std::move(task));
    if (!handle) {
      ADD_FAILURE() << handle.error().message;
      return {};
    }
    return std::move(handle).value();
  }
};

TEST_F(LoopSignals, SignalRunsItsCallbackOnTheLoop) {
  int calls = 0;
  const Handle handle = must_handle(SIGUSR1, [&] {
    EXPECT_TRUE(loop_->on_loop_thread());
    ++calls;
    loop_->stop();
  });
  ::raise(SIGUSR1);
  loop_->run();
  EXPECT_EQ(calls, 1);
}

TEST_F(LoopSignals, EachDeliveryIsOneCall) {
  int calls = 0;
  const Handle handle = must_handle(SIGUSR1, [&] {
    if (++calls == 3) loop_->stop();
  });
  for (int i = 0; i < 3; ++i) ::raise(SIGUSR1);
  loop_->run();
  EXPECT_EQ(calls, 3);
}

TEST_F(LoopSignals, SignalTakenByAnotherThreadReachesALoopThatWaits) {
  const Handle handle = must_handle(SIGUSR2, [&] { loop_->stop(); });
  std::latch running(1);
  loop_->post([&] { running.count_down(); });
  std::jthread other([&] {
    running.wait();
    ::pthread_kill(::pthread_self(), SIGUSR2);
  });
  loop_->run();
}

TEST_F(LoopSignals, HandleDroppedInItsOwnCallbackEndsDeliveryAndRestoresTheFormerDisposition) {
  ::signal(SIGUSR1, SIG_IGN);
  int calls = 0;
  Handle handle;
  handle = must_handle(SIGUSR1, [&] {
    ++calls;
    handle.reset();
  });
  ::raise(SIGUSR1);
  ::raise(SIGUSR1);
  loop_->run();
  EXPECT_EQ(calls, 1);
  struct sigaction now {};
  ASSERT_EQ(::sigaction(SIGUSR1, nullptr, &now), 0);
  EXPECT_EQ(now.sa_handler, SIG_IGN);
  ::signal(SIGUSR1, SIG_DFL);
}

TEST_F(LoopSignals, DeliveryToAFormerSubscriptionIsNotToldToTheNext) {
  Handle first = must_handle(SIGUSR1, [] { ADD_FAILURE(); });
  ::raise(SIGUSR1);
  first.reset();
  const Handle second = must_handle(SIGUSR1, [] { ADD_FAILURE(); });
  const Handle end = loop_->after(Duration::zero(), [&] { loop_->stop(); });
  loop_->run();
}

TEST_F(LoopSignals, BlockedSignalIsUnblockedForTheSubscriber) {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &one, nullptr);
  const Handle handle = must_handle(SIGUSR1, [&] { loop_->stop(); });
  ::raise(SIGUSR1);
  loop_->run();
}

TEST_F(LoopSignals, SecondSubscriptionToASignalIsRefused) {
  const Handle first = must_handle(SIGUSR1, [] {});
  const auto second = loop_->on_signal(SIGUSR1, [] {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::already_exists);
}

class UnhandlableSignal : public LoopTest, public ::testing::WithParamInterface<int> {};

TEST_P(UnhandlableSignal, IsRefusedAsInvalid) {
  const auto handle = loop_->on_signal(GetParam(), [] {});
  ASSERT_FALSE(handle);
  EXPECT_EQ(handle.error().code, errc::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(All, UnhandlableSignal, ::testing::Values(SIGKILL, SIGSTOP, SIGSEGV, 0, -1, 65, 1000));

}  // namespace
}  // namespace tenon::event
