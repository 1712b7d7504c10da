#include <string>
#include <vector>

#include "loop_fixture.hpp"

namespace tenon::event {
namespace {

class RecordTurns final : public TurnObserver {
 public:
  void turn_began() noexcept override {
    EXPECT_FALSE(inside) << "turns do not nest";
    inside = true;
    ++turns;
  }
  void turn_ended() noexcept override {
    EXPECT_TRUE(inside);
    inside = false;
  }
  bool inside = false;
  int turns = 0;
};

class LoopTurns : public LoopTest {
 protected:
  void SetUp() override { loop_->set_turn_observer(&observer_); }
  RecordTurns observer_;
};

TEST_F(LoopTurns, EveryKindOfCallbackRunsInsideATurn) {
  const Pipe pipe;
  pipe.write("x");
  std::vector<bool> inside;
  std::unique_ptr<FdWatch> watch = must_watch(*loop_, pipe.reader.get(), Interest::read, [&](Interest) {
    inside.push_back(observer_.inside);
    watch.reset();
  });
  const Handle timer = loop_->after(Duration::zero(), [&] { inside.push_back(observer_.inside); });
  loop_->post([&] { inside.push_back(observer_.inside); });
  loop_->run();
  EXPECT_EQ(inside, (std::vector{true, true, true}));
  EXPECT_FALSE(observer_.inside);
}

TEST_F(LoopTurns, NoTurnIsOpenWhileTheLoopWaits) {
  // A timer in the future makes the loop wait in between: the turns before and after must be two.
  int at_post = 0, at_timer = 0;
  loop_->post([&] { at_post = observer_.turns; });
  const Handle timer = loop_->after(std::chrono::milliseconds(2), [&] { at_timer = observer_.turns; });
  loop_->run();
  EXPECT_EQ(at_post, 1);
  EXPECT_GT(at_timer, at_post);
}

TEST_F(LoopTurns, WorkThatAlwaysPostsMoreStillEndsItsTurns) {
  int rounds = 0;
  std::function<void()> again = [&] {
    if (++rounds < 10'000) loop_->post(again);
  };
  loop_->post(again);
  loop_->run();
  EXPECT_GT(observer_.turns, 9);  // a hang is a turn that does not end; being busy is not
}

TEST_F(LoopTurns, ManyPostedTasksAreCutIntoSeveralTurns) {
  for (int i = 0; i < 10'000; ++i) loop_->post([] {});
  loop_->run();
  EXPECT_GT(observer_.turns, 5);
  EXPECT_LT(observer_.turns, 100) << "but not a turn per task";
}

TEST_F(LoopTurns, ObserverRemovedDuringATurnIsNotToldItsEnd) {
  loop_->post([&] { loop_->set_turn_observer(nullptr); });
  loop_->post([] {});
  loop_->run();
  EXPECT_TRUE(observer_.inside) << "removed inside the turn, so it never heard of its end";
  EXPECT_EQ(observer_.turns, 1);
}

TEST_F(LoopTurns, ObserverReplacedDuringATurnSeesOnlyWholeTurns) {
  RecordTurns next;
  loop_->post([&] {
    loop_->set_turn_observer(&next);
    loop_->post([] {});
  });
  loop_->run();
  EXPECT_EQ(next.turns, 1);
  EXPECT_FALSE(next.inside);
}

}  // namespace
}  // namespace tenon::event
