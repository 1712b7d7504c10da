#include "integration/plugin_listeners.hpp"

#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <optional>
#include <sys/eventfd.h>
#include <unistd.h>

namespace tenon::integration {
namespace {

class FakeKeeper final : public ListenerKeeper {
 public:
  Status keep_listening(keeper::ListenSpec spec) override {
    if (refuse) return Error(errc::exhausted, "the link is full");
    said.push_back("listen " + spec.name);
    last = std::move(spec);
    return {};
  }
  Status stop_listening(std::string name) override {
    said.push_back("unlisten " + name);
    return {};
  }
  bool refuse = false;
  std::vector<std::string> said;
  keeper::ListenSpec last;
};

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

class PluginListenersTest : public ::testing::Test {
 protected:
  using Said = std::vector<std::string>;

  std::uint64_t open(const std::string& path) {
    auto opened = listeners.open(path, [this](Result<int> fd) { answers.push_back(std::move(fd)); });
    EXPECT_TRUE(opened.ok());
    return opened.ok() ? *opened : 0;
  }
  // The keeper grants the oldest request for the path; the number of the descriptor that travelled.
  int grant(const std::string& path) {
    keeper::Listening listening;
    listening.name = "plugin/" + path;
    listening.socket.reset(::eventfd(0, EFD_CLOEXEC));  // any descriptor will do
    const int fd = listening.socket.get();
    listeners.on_listening(std::move(listening));
    return fd;
  }
  void refuse(const std::string& path, errc code, const std::string& message) {
    listeners.on_listen_failed({"plugin/" + path, static_cast<std::int32_t>(code), message});
  }

  FakeKeeper keeper_;
  PluginListeners listeners{keeper_};
  std::vector<Result<int>> answers;
};

TEST_F(PluginListenersTest, AsksTheKeeperForASocketOfItsOwnersOnlyAndHandsItsDescriptorOver) {
  open("/run/x.sock");
  EXPECT_EQ(keeper_.last.name, "plugin//run/x.sock");
  EXPECT_EQ(keeper_.last.address, "/run/x.sock");
  EXPECT_EQ(keeper_.last.family, keeper::ListenFamily::unix_stream);
  EXPECT_EQ(keeper_.last.mode, 0600u);
  EXPECT_FALSE(keeper_.last.http);
  EXPECT_TRUE(answers.empty()) << "never from within";
  const int fd = grant("/run/x.sock");
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(*answers[0], fd);
  EXPECT_TRUE(is_open(fd));
}

TEST_F(PluginListenersTest, KnowsItsNamesFromThoseOfTheControlApi) {
  EXPECT_TRUE(PluginListeners::owns("plugin//run/x.sock"));
  EXPECT_FALSE(PluginListeners::owns("control"));
  EXPECT_FALSE(PluginListeners::owns("control-http"));
}

TEST_F(PluginListenersTest, APathHasOneHolderAtATime) {
  const std::uint64_t first = open("/a");
  const auto second = listeners.open("/a", [](Result<int>) {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, errc::already_exists);
  EXPECT_TRUE(second.error().retryable);
  grant("/a");
  listeners.release(first);
  open("/a");
}

TEST_F(PluginListenersTest, ReleasingClosesTheDescriptorAndTellsTheKeeperOnce) {
  const std::uint64_t listener = open("/a");
  const int fd = grant("/a");
  listeners.release(listener);
  EXPECT_FALSE(is_open(fd));
  listeners.release(listener);
  listeners.release(4711);
  EXPECT_EQ(keeper_.said, (Said{"listen plugin//a", "unlisten plugin//a"}));
}

TEST_F(PluginListenersTest, TheAnswerToAWithdrawnRequestIsNotTakenForThatToALaterOne) {
  listeners.release(open("/a"));
  open("/a");
  const int of_the_first = grant("/a");
  EXPECT_TRUE(answers.empty());
  EXPECT_FALSE(is_open(of_the_first));
  const int of_the_second = grant("/a");
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(*answers[0], of_the_second);
}

TEST_F(PluginListenersTest, AnUnaskedAnswerIsDropped) {
  EXPECT_FALSE(is_open(grant("/nobody")));
  refuse("/nobody", errc::io, "no");
}

TEST_F(PluginListenersTest, AnotherHostAtThePathIsWorthARetryAndAnotherFileIsNot) {
  const std::string path = ::testing::TempDir() + "plugin_listeners_file";
  open(path);
  refuse(path, errc::already_exists, "another host is running on " + path + " (pid 7); choose another --socket");
  { std::ofstream(path) << "precious"; }
  open(path);
  refuse(path, errc::already_exists, path + " exists and is not a socket; choose another path with --socket");
  ::unlink(path.c_str());
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_TRUE(answers[0].error().retryable);
  EXPECT_FALSE(answers[1].error().retryable);
  EXPECT_NE(answers[1].error().message.find("no socket"), std::string::npos);
  for (const auto& answer : answers) {
    EXPECT_EQ(answer.error().code, errc::already_exists);
    EXPECT_EQ(answer.error().message.find("--socket"), std::string::npos) << "advice for the control socket only";
  }
}

TEST_F(PluginListenersTest, WhatTheSystemRefusedIsToldWithAdviceThatHelpsHere) {
  open("/root/x");
  refuse("/root/x", errc::permission, "bind /root/x: Permission denied; choose another path with --socket");
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].error().message, "bind /root/x: Permission denied; use another path");
  open("/root/x");  // the refused one holds nothing
}

TEST_F(PluginListenersTest, ALinkThatIsFullRefusesAndLeavesNothingBehind) {
  keeper_.refuse = true;
  EXPECT_EQ(listeners.open("/a", [](Result<int>) {}).error().code, errc::exhausted);
  keeper_.refuse = false;
  open("/a");
}

TEST_F(PluginListenersTest, TheirNumberIsBounded) {
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < PluginListeners::kMaxListeners; ++i) last = open("/" + std::to_string(i));
  EXPECT_EQ(listeners.open("/more", [](Result<int>) {}).error().code, errc::exhausted);
  listeners.release(last);
  open("/more");
}

TEST_F(PluginListenersTest, WhatAnEarlierEngineHeldIsDroppedUnlessSomebodyAsksForIt) {
  open("/kept");
  const keeper::ListenSpec kept = keeper_.last;
  open("/forgotten");
  const keeper::ListenSpec forgotten = keeper_.last;
  FakeKeeper keeper;
  PluginListeners successor(keeper);
  successor.adopt(kept);
  successor.adopt(forgotten);
  ASSERT_TRUE(successor.open("/kept", [](Result<int>) {}).ok());
  successor.drop_unclaimed();
  successor.drop_unclaimed();
  EXPECT_EQ(keeper.said, (Said{"listen plugin//kept", "unlisten plugin//forgotten"}));
}

TEST_F(PluginListenersTest, AnAdoptedSocketOfOtherSettingsIsDroppedAtOnce) {
  open("/a");
  keeper::ListenSpec older = keeper_.last;
  older.backlog = 1;
  listeners.adopt(older);
  EXPECT_EQ(keeper_.said.back(), "unlisten plugin//a");
}

TEST_F(PluginListenersTest, AnAnswerMayReleaseItself) {
  std::uint64_t listener = 0;
  const auto opened = listeners.open("/a", [&](Result<int>) { listeners.release(listener); });
  listener = *opened;
  EXPECT_FALSE(is_open(grant("/a")));
}

}  // namespace
}  // namespace tenon::integration
