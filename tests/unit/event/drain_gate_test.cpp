#include "event/drain_gate.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "event/fake_loop.hpp"

namespace tenon::event {
namespace {

class DrainGateTest : public ::testing::Test {
 protected:
  FakeLoop loop_;
  DrainGate gate_{loop_};
  int closed_ = 0;
};

TEST_F(DrainGateTest, CloseOfAnEmptyGateCallsBackOnTheLoop) {
  gate_.close([&] { ++closed_; });
  EXPECT_EQ(closed_, 0) << "never inside close()";
  loop_.run_posted();
  EXPECT_EQ(closed_, 1);
}

TEST_F(DrainGateTest, CloseWaitsForTheLastTokenAndCallsBackOnce) {
  DrainGate::Token a = gate_.enter(), b = gate_.enter();
  gate_.close([&] { ++closed_; });
  a.leave();
  loop_.run_posted();
  EXPECT_EQ(closed_, 0);
  EXPECT_EQ(gate_.in_flight(), 1u);
  b.leave();
  EXPECT_EQ(closed_, 0) << "never inside a token";
  loop_.run_posted();
  EXPECT_EQ(closed_, 1);
}

TEST_F(DrainGateTest, ClosedGateLetsNobodyIn) {
  gate_.close([&] { ++closed_; });
  const DrainGate::Token refused = gate_.enter();
  EXPECT_FALSE(refused);
  EXPECT_EQ(gate_.in_flight(), 0u);
  loop_.run_posted();
}

TEST_F(DrainGateTest, MovedTokenCountsOnce) {
  std::vector<DrainGate::Token> tokens;
  for (int i = 0; i < 10; ++i) tokens.push_back(gate_.enter());
  EXPECT_EQ(gate_.in_flight(), 10u);
  tokens[0] = std::move(tokens[1]);
  EXPECT_EQ(gate_.in_flight(), 9u);
  tokens.clear();
  EXPECT_EQ(gate_.in_flight(), 0u);
}

TEST_F(DrainGateTest, EmptyingAnOpenGateTellsNobody) {
  gate_.enter().leave();
  EXPECT_EQ(loop_.pending_posts(), 0u);
}

TEST_F(DrainGateTest, CallbackMayDestroyTheGate) {
  auto gate = std::make_unique<DrainGate>(loop_);
  DrainGate::Token token = gate->enter();
  gate->close([&] { gate.reset(), ++closed_; });
  token.leave();
  loop_.run_posted();
  EXPECT_EQ(closed_, 1);
  EXPECT_EQ(gate, nullptr);
}

}  // namespace
}  // namespace tenon::event
