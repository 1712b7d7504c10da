// transport/local on hosts whose keeper holds the socket: it outlives the engine.
#include "plugins/local_fixture.hpp"

namespace tenon::test_support {
namespace {

class LocalWithKeeper : public Local {
 protected:
  std::unique_ptr<TransportInstance> make_kept(const std::string& node, KeptSockets& keeper,
                                               const std::string& config = "{}") {
    return std::make_unique<TransportInstance>(table(), node, "unix://" + path_, config, &keeper);
  }
  std::unique_ptr<TransportInstance> join_kept(const std::string& node, KeptSockets& keeper) {
    auto instance = make_kept(node, keeper);
    const Started call = instance->connect();
    EXPECT_TRUE(run_until([&] { return instance->succeeded(call); }));
    return instance;
  }
  static void engine_dies(std::unique_ptr<TransportInstance>& node) {
    node->kept->engine_dies();
    node.reset();
  }
  ino_t inode() const {
    struct stat found {};
    return ::lstat(path_.c_str(), &found) == 0 ? found.st_ino : 0;
  }

  KeptSockets alphas_, betas_;
};

TEST_F(LocalWithKeeper, PeersQueueAtTheSameSocketWhileTheEngineRestarts) {
  auto alpha = join_kept("alpha", alphas_);
  const auto beta = join_kept("beta", betas_);
  const ino_t before = inode();
  engine_dies(alpha);
  ASSERT_TRUE(run_until([&] { return beta->state() == TENON_TRANSPORT_RECONNECTING; }));
  settle_down();
  EXPECT_EQ(inode(), before);
  EXPECT_FALSE(betas_.holds(path_)) << "the path is taken though nobody accepts";

  alpha = make_kept("alpha", alphas_);
  subscribe(*alpha, 1, "ask");
  const Started call = alpha->connect();
  ASSERT_TRUE(run_until([&] { return alpha->succeeded(call) && beta->state() == TENON_TRANSPORT_CONNECTED; }));
  EXPECT_EQ(inode(), before);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(beta->send({.topic = "ask"}).status, TENON_OK);
  EXPECT_TRUE(run_until([&] { return received(*alpha) == 20; }));
}

TEST_F(LocalWithKeeper, ARestartedHostNeverJoinsItself) {
  auto alpha = join_kept("alpha", alphas_);
  engine_dies(alpha);
  alpha = join_kept("alpha", alphas_);
  EXPECT_TRUE(alpha->logged("listening at"));
}

TEST_F(LocalWithKeeper, TheSocketGoesBackWhenTheHostDisconnects) {
  const auto alpha = join_kept("alpha", alphas_);
  const Started call = alpha->disconnect();
  ASSERT_TRUE(run_until([&] { return alpha->succeeded(call); }));
  EXPECT_FALSE(alphas_.holds(path_));
  EXPECT_EQ(alpha->kept->listeners(), 0u);
  const Started again = alpha->connect();
  EXPECT_TRUE(run_until([&] { return alpha->succeeded(again); }));
}

TEST_F(LocalWithKeeper, ARequestUnderWayIsWithdrawnByADisconnect) {
  const auto alpha = make_kept("alpha", alphas_);
  const Started connecting = alpha->connect();
  const Started leaving = alpha->disconnect();
  ASSERT_TRUE(run_until([&] { return alpha->has_ended(connecting) && alpha->has_ended(leaving); }));
  settle_down();
  EXPECT_EQ(alpha->kept->listeners(), 0u);
  EXPECT_EQ(alpha->state(), TENON_TRANSPORT_DISCONNECTED);
}

TEST_F(LocalWithKeeper, HostsWithAndWithoutAKeeperMeet) {
  const auto alpha = join_kept("alpha", alphas_);
  const auto beta = join("beta");
  auto gamma = join_kept("gamma", betas_);
  subscribe(*beta, 1, "x");
  gamma->send({.topic = "x"});
  EXPECT_TRUE(run_until([&] { return received(*beta) == 1; }));
}

TEST_F(LocalWithKeeper, WhatTheHostRefusesIsToldInItsWords) {
  const auto alpha = make_kept("alpha", alphas_, R"({"mode":"listen"})");
  alpha->kept->failure = TENON_ERR_PERMISSION;
  const Started refused = alpha->connect();
  ASSERT_TRUE(run_until([&] { return alpha->has_ended(refused); }));
  EXPECT_EQ(alpha->ended(refused)->error->code, TENON_ERR_PERMISSION);
  EXPECT_THAT(alpha->ended(refused)->error->text, HasSubstr("the keeper says no"));

  alpha->kept->failure = TENON_OK;
  alpha->kept->refusal = TENON_ERR_EXHAUSTED;
  const Started full = alpha->connect();
  ASSERT_TRUE(run_until([&] { return alpha->has_ended(full); }));
  EXPECT_EQ(alpha->ended(full)->error->code, TENON_ERR_EXHAUSTED);
}

TEST_F(LocalWithKeeper, AHostWhoseKeeperCannotIsAHostWithoutOne) {
  const auto alpha = make_kept("alpha", alphas_);
  alpha->kept->refusal = TENON_ERR_UNSUPPORTED;
  const Started call = alpha->connect();
  EXPECT_TRUE(run_until([&] { return alpha->succeeded(call); }));
  EXPECT_NE(inode(), 0u);
}

TEST_F(LocalWithKeeper, ARemovedSocketIsAskedForAnewAndPeersStay) {
  const auto alpha = join_kept("alpha", alphas_);
  const auto beta = join_kept("beta", betas_);
  std::filesystem::remove(path_);
  const Started mended = alpha->health_check();
  EXPECT_TRUE(run_until([&] { return alpha->succeeded(mended); }));
  EXPECT_NE(inode(), 0u);
  EXPECT_EQ(beta->state(), TENON_TRANSPORT_CONNECTED);
  join("gamma");
}

}  // namespace
}  // namespace tenon::test_support
