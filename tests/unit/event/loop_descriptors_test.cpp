#include <fcntl.h>
#include <sys/socket.h>

#include <vector>

#include "loop_fixture.hpp"

namespace tenon::event {
namespace {

class LoopDescriptors : public LoopTest {};

TEST_F(LoopDescriptors, ReadableDescriptorRunsItsCallbackUntilItIsDrained) {
  const Pipe pipe;
  pipe.write("abc");
  int calls = 0;
  std::unique_ptr<FdWatch> watch = must_watch(*loop_, pipe.reader.get(), Interest::read, [&](Interest ready) {
    EXPECT_EQ(ready, Interest::read);
    char byte;
    ASSERT_EQ(::read(pipe.reader.get(), &byte, 1), 1);  // one byte a call: the rest must bring the callback back
    if (++calls == 3) watch.reset();
  });
  loop_->run();
  EXPECT_EQ(calls, 3);
}

TEST_F(LoopDescriptors, UnreadInputComesBackAgainAndAgain) {
  const Pipe pipe;
  pipe.write("x");
  int calls = 0;
  const auto watch = must_watch(*loop_, pipe.reader.get(), Interest::read, [&](Interest) {
    if (++calls == 5) loop_->stop();
  });
  loop_->run();
  EXPECT_EQ(calls, 5);
}

TEST_F(LoopDescriptors, WritableAndReadableAreToldInOneCall) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const unique_fd a(ends[0]), b(ends[1]);
  ASSERT_EQ(::write(b.get(), "x", 1), 1);
  std::vector<Interest> seen;
  std::unique_ptr<FdWatch> watch = must_watch(*loop_, a.get(), Interest::read_write, [&](Interest ready) {
    seen.push_back(ready);
    watch.reset();
  });
  loop_->run();
  EXPECT_EQ(seen, std::vector{Interest::read_write});
}

TEST_F(LoopDescriptors, HangUpCountsAsReadyInEveryWantedDirection) {
  Pipe pipe;
  pipe.reader.reset();
  std::vector<Interest> seen;
  std::unique_ptr<FdWatch> watch = must_watch(*loop_, pipe.writer.get(), Interest::read_write, [&](Interest ready) {
    seen.push_back(ready);
    watch.reset();
  });
  loop_->run();
  EXPECT_EQ(seen, std::vector{Interest::read_write});
}

TEST_F(LoopDescriptors, OnlyTheWantedDirectionIsTold) {
  Pipe pipe;
  pipe.reader.reset();
  std::vector<Interest> seen;
  std::unique_ptr<FdWatch> watch = must_watch(*loop_, pipe.writer.get(), Interest::write, [&](Interest ready) {
    seen.push_back(ready);
    watch.reset();
  });
  loop_->run();
  EXPECT_EQ(seen, std::vector{Interest::write});
}

TEST_F(LoopDescriptors, NoInterestFiresNothingAndKeepsNoLoopAlive) {
  Pipe pipe;
  pipe.write("x");
  pipe.writer.reset();  // a hang-up, too, which the kernel reports whether wanted or not
  const auto watch = must_watch(*loop_, pipe.reader.get(), Interest::none, [](Interest) { ADD_FAILURE(); });
  loop_->run();  // returns: there is nothing to wait for
  EXPECT_EQ(watch->interest(), Interest::none);
}

TEST_F(LoopDescriptors, HangUpOfAnUnwantedDescriptorDoesNotSpinTheLoop) {
  struct CountTurns final : TurnObserver {
    void turn_began() noexcept override { ++turns; }
    void turn_ended() noexcept override {}
    int turns = 0;
  } observer;
  Pipe hung_up, quiet;
  hung_up.writer.reset();
  const auto unwanted = must_watch(*loop_, hung_up.reader.get(), Interest::none, [](Interest) { ADD_FAILURE(); });
  const auto wanted = must_watch(*loop_, quiet.reader.get(), Interest::read, [](Interest) { ADD_FAILURE(); });
  loop_->set_turn_observer(&observer);
  const Handle end = loop_->after(std::chrono::milliseconds(20), [&] { loop_->stop(); });
  loop_->run();
  EXPECT_LE(observer.turns, 3);  // the hang-up once, the timer once
}

TEST_F(LoopDescriptors, InterestThatComesBackSeesWhatArrivedMeanwhile) {
  const Pipe pipe;
  int calls = 0;
  const auto watch = must_watch(*loop_, pipe.reader.get(), Interest::none, [&](Interest) {
    ++calls;
    loop_->stop();
  });
  pipe.write("x");
  loop_->post([&] { watch->set_interest(Interest::read); });
  loop_->run();
  EXPECT_EQ(calls, 1);
}

TEST_F(LoopDescriptors, LosingInterestInACallbackEndsTheRun) {
  const Pipe pipe;
  pipe.write("x");
  int calls = 0;
  std::unique_ptr<FdWatch> watch = must_watch(*loop_, pipe.reader.get(), Interest::read, [&](Interest) {
    ++calls;
    watch->set_interest(Interest::none);
  });
  loop_->run();
  EXPECT_EQ(calls, 1);
}

TEST_F(LoopDescriptors, WithdrawnAndRenewedInterestIsServed) {
  const Pipe pipe;
  int calls = 0;
  const auto watch = must_watch(*loop_, pipe.reader.get(), Interest::read, [&](Interest) {
    ++calls;
    loop_->stop();
  });
  loop_->post([&] {
    watch->set_interest(Interest::none);  // the wait is withdrawn after this turn …
    loop_->post([&] {
      pipe.write("x");
      watch->set_interest(Interest::read);  // … and needed again
    });
  });
  loop_->run();
  EXPECT_EQ(calls, 1);
}

TEST_F(LoopDescriptors, DestroyedInItsOwnCallbackFinishesWithItsCapturesAlive) {
  const Pipe pipe;
  pipe.write("x");
  std::unique_ptr<FdWatch> watch;
  const auto captured = std::make_shared<int>(42);
  int seen = 0;
  watch = must_watch(*loop_, pipe.reader.get(), Interest::read, [&, captured](Interest) {
    watch.reset();
    seen = *captured;  // under ASan a freed capture fails here
  });
  loop_->run();
  EXPECT_EQ(seen, 42);
  EXPECT_EQ(captured.use_count(), 1) << "the callback is freed once it returned";
}

TEST_F(LoopDescriptors, WatchCancelledByAnotherCallbackOfTheSameTurnNeverFires) {
  const Pipe a, b;
  a.write("x");
  b.write("x");
  std::unique_ptr<FdWatch> watch_a, watch_b;
  int calls = 0;
  const auto drop_both = [&](Interest) { ++calls, watch_a.reset(), watch_b.reset(); };
  watch_a = must_watch(*loop_, a.reader.get(), Interest::read, drop_both);
  watch_b = must_watch(*loop_, b.reader.get(), Interest::read, drop_both);
  loop_->run();
  EXPECT_EQ(calls, 1);
}

TEST_F(LoopDescriptors, ReusedDescriptorNumberDoesNotInheritADueEvent) {
  Pipe a;
  Pipe b;
  a.write("x");
  b.write("x");
  std::unique_ptr<FdWatch> watch_a, watch_b, replacement;
  const auto replace = [&](std::unique_ptr<FdWatch>& victim, Pipe& pipe) {
    const Pipe fresh;  // silent; made first, so that the number is still taken
    const int number = pipe.reader.get();
    victim.reset();
    pipe.reader.reset();
    pipe.writer.reset();
    ASSERT_EQ(::dup3(fresh.reader.get(), number, O_CLOEXEC), number);
    pipe.reader = unique_fd(number);
    pipe.writer = fresh.writer.duplicate();
    replacement = must_watch(*loop_, number, Interest::read, [](Interest) { ADD_FAILURE() << "a stale event"; });
    loop_->post([&] { loop_->stop(); });
  };
  int calls = 0;
  const auto serve = [&](Pipe& mine, std::unique_ptr<FdWatch>& victim, Pipe& theirs) {
    ++calls;
    mine.drain();
    replace(victim, theirs);
  };
  watch_a = must_watch(*loop_, a.reader.get(), Interest::read, [&](Interest) { serve(a, watch_b, b); });
  watch_b = must_watch(*loop_, b.reader.get(), Interest::read, [&](Interest) { serve(b, watch_a, a); });
  loop_->run();
  EXPECT_EQ(calls, 1);
  replacement.reset();
}

TEST_F(LoopDescriptors, DestroyedWatchLeavesTheDescriptorOpen) {
  const Pipe pipe;
  must_watch(*loop_, pipe.reader.get(), Interest::read, [](Interest) {}).reset();
  EXPECT_NE(::fcntl(pipe.reader.get(), F_GETFD), -1);
}

TEST_F(LoopDescriptors, DuplicateThatOutlivesTheDescriptorIsOutOfTheReactor) {
  Pipe pipe;
  pipe.write("x");
  const unique_fd duplicate = pipe.reader.duplicate();  // what the keeper holds
  auto watch = must_watch(*loop_, pipe.reader.get(), Interest::read, [](Interest) { ADD_FAILURE(); });
  watch.reset();
  pipe.reader.reset();
  loop_->post([] {});
  loop_->run();
}

TEST_F(LoopDescriptors, WatchingNeverTouchesTheBlockingMode) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);  // blocking
  const unique_fd reader(ends[0]), writer(ends[1]);
  ASSERT_EQ(::write(writer.get(), "x", 1), 1);
  std::unique_ptr<FdWatch> watch = must_watch(*loop_, reader.get(), Interest::read, [&](Interest) { watch.reset(); });
  loop_->run();
  EXPECT_EQ(::fcntl(reader.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(LoopDescriptors, RegularFileIsRefusedAsIo) {
  const unique_fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file);
  const auto watch = loop_->watch(file.get(), Interest::read, [](Interest) {});
  ASSERT_FALSE(watch);
  EXPECT_EQ(watch.error().code, errc::io);
}

TEST_F(LoopDescriptors, ClosedDescriptorIsRefused) {
  const auto watch = loop_->watch(-1, Interest::read, [](Interest) {});
  ASSERT_FALSE(watch);
  EXPECT_EQ(watch.error().code, errc::invalid_argument);
}

TEST_F(LoopDescriptors, SecondWatchOnADescriptorIsRefusedAndTheFirstGoesOn) {
  const Pipe pipe;
  pipe.write("x");
  int calls = 0;
  std::unique_ptr<FdWatch> first = must_watch(*loop_, pipe.reader.get(), Interest::read, [&](Interest) {
    ++calls;
    first.reset();
  });
  const auto second = loop_->watch(pipe.reader.get(), Interest::read, [](Interest) { ADD_FAILURE(); });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::already_exists);
  loop_->run();
  EXPECT_EQ(calls, 1);
}

TEST_F(LoopDescriptors, MoreDescriptorsThanOneBatchAreAllServed) {
  constexpr std::size_t kCount = 400;
  std::vector<Pipe> pipes(kCount);
  std::vector<std::unique_ptr<FdWatch>> watches(kCount);
  std::size_t served = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    pipes[i].write("x");
    watches[i] = must_watch(*loop_, pipes[i].reader.get(), Interest::read, [&, i](Interest) {
      ++served;
      watches[i].reset();
    });
  }
  loop_->run();
  EXPECT_EQ(served, kCount);
}

TEST_F(LoopDescriptors, BusyDescriptorDoesNotStarveTimersAndPosts) {
  const Pipe pipe;
  pipe.write("x");  // never read: ready for ever
  const auto watch = must_watch(*loop_, pipe.reader.get(), Interest::read, [](Interest) {});
  bool posted = false;
  loop_->post([&] { posted = true; });
  const Handle timer = loop_->after(std::chrono::microseconds(1), [&] { loop_->stop(); });
  loop_->run();
  EXPECT_TRUE(posted);
}

}  // namespace
}  // namespace tenon::event
