#include <utility>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include "event/asio_access.hpp"
#include "event/fake_loop.hpp"
#include "loop_fixture.hpp"

namespace tenon::event {
namespace {

namespace asio = boost::asio;

class AsioAccess : public LoopTest {
 protected:
  struct Inside final : TurnObserver {
    void turn_began() noexcept override { inside = true; }
    void turn_ended() noexcept override { inside = false; }
    bool inside = false;
  } observer_;
};

TEST_F(AsioAccess, WrappedHandlerRunsInsideATurn) {
  loop_->set_turn_observer(&observer_);
  bool wrapped = false, bare = true;
  asio::post(asio_context(*loop_), wrap_turn(*loop_, [&] { wrapped = observer_.inside; }));
  asio::post(asio_context(*loop_), [&] { bare = observer_.inside; });
  loop_->run();
  EXPECT_TRUE(wrapped);
  EXPECT_FALSE(bare);
}

TEST_F(AsioAccess, WrappedHandlerGetsTheArgumentsOfItsOperation) {
  asio::steady_timer timer(asio_context(*loop_), std::chrono::hours(1));
  boost::system::error_code seen;
  timer.async_wait(wrap_turn(*loop_, [&](const boost::system::error_code& error) { seen = error; }));
  loop_->post([&] { timer.cancel(); });
  loop_->run();
  EXPECT_EQ(seen, asio::error::operation_aborted);
}

TEST_F(AsioAccess, WhatAHandlerRegistersWithTheLoopIsServed) {
  const Pipe pipe;
  pipe.write("x");
  std::unique_ptr<FdWatch> watch;
  int calls = 0;
  const auto serve = [&] {
    watch = must_watch(*loop_, pipe.reader.get(), Interest::read, [&](Interest) { ++calls, watch.reset(); });
  };
  asio::post(asio_context(*loop_), wrap_turn(*loop_, serve));
  loop_->run();
  asio::post(asio_context(*loop_), serve);  // forgot to wrap: not seen by the observer, but not lost
  loop_->run();
  EXPECT_EQ(calls, 2);
}

TEST_F(AsioAccess, WrappingKeepsTheAssociatedExecutor) {
  asio::strand<asio::io_context::executor_type> strand(asio_context(*loop_).get_executor());
  bool on_strand = false;
  asio::post(asio_context(*loop_),
             wrap_turn(*loop_, asio::bind_executor(strand, [&] { on_strand = strand.running_in_this_thread(); })));
  loop_->run();
  EXPECT_TRUE(on_strand);
}

TEST_F(AsioAccess, NestedTurnsCountAsOne) {
  struct Count final : TurnObserver {
    void turn_began() noexcept override { ++began; }
    void turn_ended() noexcept override { ++ended; }
    int began = 0, ended = 0;
  } count;
  loop_->set_turn_observer(&count);
  auto inner = wrap_turn(*loop_, [] {});
  asio::post(asio_context(*loop_), wrap_turn(*loop_, [&] { inner(); }));
  loop_->run();
  EXPECT_EQ(count.began, 1);
  EXPECT_EQ(count.ended, 1);
}

TEST(AsioAccessDeathTest, FakeLoopHasNoContext) {
  FakeLoop fake;
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // written-off threads of other tests may still run
  EXPECT_DEATH(asio_context(fake), "no io_context");
}

}  // namespace
}  // namespace tenon::event
