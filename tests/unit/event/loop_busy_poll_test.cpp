// What the loop owes others while it polls instead of sleeping (busy_poll.hpp): everything that it owes them otherwise.
#include <thread>

#include "event/busy_poll.hpp"
#include "loop_fixture.hpp"

namespace tenon::event {
namespace {

// Bytes that come back at once: the loop's own pipe, so that every wait is short.
class LoopBusyPoll : public LoopTest {
 protected:
  void echo(int rounds, std::function<void(int)> at_each) {
    watch_ = must_watch(*loop_, pipe_.reader.get(), Interest::read, [this, rounds, at_each](Interest) {
      pipe_.drain();
      at_each(++rounds_);
      if (rounds_ == rounds) return watch_.reset();
      pipe_.write("x");
    });
    pipe_.write("x");
  }

  const Pipe pipe_;
  std::unique_ptr<FdWatch> watch_;
  int rounds_ = 0;
};

TEST_F(LoopBusyPoll, EndsOnceNothingIsWanted) {
  echo(1000, [](int) {});
  loop_->run();
  EXPECT_EQ(rounds_, 1000);
  // And again, on a loop that ended while it polled.
  rounds_ = 0;
  echo(1000, [](int) {});
  loop_->run();
  EXPECT_EQ(rounds_, 1000);
}

TEST_F(LoopBusyPoll, TimersAndPostsComeInBetween) {
  bool timer_ran = false, post_ran = false;
  const Handle timer = loop_->after(std::chrono::milliseconds(1), [&] { timer_ran = true; });
  const MonotonicTime began = loop_->clock().monotonic();
  std::thread poster;
  bool both = false;
  watch_ = must_watch(*loop_, pipe_.reader.get(), Interest::read, [&](Interest) {
    if (++rounds_ == 100) poster = std::thread([&] { loop_->post([&] { post_ran = true; }); });
    both = timer_ran && post_ran;
    if (both || loop_->clock().monotonic() - began > std::chrono::seconds(60)) watch_.reset();
  });
  pipe_.write("x");  // never read: ready at every look
  loop_->run();
  if (poster.joinable()) poster.join();
  EXPECT_TRUE(both);
}

TEST_F(LoopBusyPoll, WhatComesWhileItPollsIsNotALongWaitLater) {
  // Another thread answers each byte; nothing is lost between a look and the sleep after it.
  const Pipe back;
  std::thread other([&] {
    char byte;
    for (int i = 0; i < 2000;) {
      if (::read(back.reader.get(), &byte, 1) != 1) {
        std::this_thread::yield();
        continue;
      }
      ++i;
      if (i % 7 == 0) std::this_thread::sleep_for(BusyPoll::kWindow * 2);  // sometimes too late for the window
      pipe_.write("x");
    }
  });
  watch_ = must_watch(*loop_, pipe_.reader.get(), Interest::read, [&](Interest) {
    pipe_.drain();
    if (++rounds_ == 2000) return watch_.reset();
    back.write("x");
  });
  back.write("x");
  loop_->run();
  other.join();
  EXPECT_EQ(rounds_, 2000);
}

}  // namespace
}  // namespace tenon::event
