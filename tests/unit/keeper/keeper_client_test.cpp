#include "keeper/keeper_client.hpp"

#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keeper/stash.hpp"

namespace tenon::keeper {
namespace {

using testing::_;
using testing::Invoke;
using testing::StrictMock;

class MockEvents : public KeeperEvents {
 public:
  MOCK_METHOD(void, adopted, (Adoption&));
  MOCK_METHOD(void, on_spawned, (Spawned), (override));
  MOCK_METHOD(void, on_spawn_failed, (SpawnFailed), (override));
  MOCK_METHOD(void, on_exited, (Exited), (override));
  MOCK_METHOD(void, on_closed, (Closed), (override));
  MOCK_METHOD(void, on_listening, (Listening), (override));
  MOCK_METHOD(void, on_listen_failed, (ListenFailed), (override));
  MOCK_METHOD(void, on_shutdown_requested, (ShutdownRequested), (override));
  MOCK_METHOD(void, on_reload_requested, (), (override));
  MOCK_METHOD(void, on_link_lost, (const Error&), (override));
  MOCK_METHOD(void, on_interest_changed, (bool), (override));
  void on_adopted(Adoption adoption) override { adopted(adoption); }
};

// The test is the keeper.
class KeeperClientTest : public testing::Test {
 protected:
  KeeperClientTest() {
    auto pair = make_link();
    EXPECT_TRUE(pair.ok());
    keeper_.emplace(std::move(pair->keeper_end));
    client_.emplace(std::move(pair->engine_end), events_);
  }
  Hello hello() {
    Hello hello;
    hello.engine_ordinal = 2;
    hello.host_parameters = "--config x";
    hello.vitals = make_shared_memory("vitals", sizeof(VitalsPage)).value();
    hello.breadcrumbs = make_shared_memory("breadcrumbs", sizeof(BreadcrumbPage)).value();
    return hello;
  }
  void say(Message message) {
    ASSERT_TRUE(keeper_->send(std::move(message)).ok());
    client_->on_readable();
  }
  template <class T>
  T heard() {
    auto received = keeper_->receive();
    EXPECT_TRUE(received.ok() && received->message.has_value() && std::holds_alternative<T>(*received->message));
    return std::move(std::get<T>(*received->message));
  }
  void greet() {
    EXPECT_CALL(events_, adopted(_));
    say(hello());
    (void)heard<HelloAck>();
    say(AdoptEnd{});
  }

  StrictMock<MockEvents> events_;
  std::optional<Link> keeper_;
  std::optional<KeeperClient> client_;
};

TEST_F(KeeperClientTest, CollectsWhatTheKeeperHoldsIntoOneAdoption) {
  say(hello());
  EXPECT_EQ(heard<HelloAck>().protocol_version, kProtocolVersion);
  say(StashEntry{"config", "{}", {}});
  AdoptedChild child;
  child.key = {"a", 1};
  child.exit = ExitReport{ExitStatus{3, 0, false}, {}, {}, {}, 0};
  say(std::move(child));
  say(AdoptedListener{ListenSpec{"control"}, 0, {}});
  EXPECT_CALL(events_, adopted(_)).WillOnce(Invoke([](Adoption& adoption) {
    EXPECT_EQ(adoption.hello.engine_ordinal, 2u);
    EXPECT_EQ(adoption.hello.host_parameters, "--config x");
    EXPECT_EQ(adoption.stash.at("config").bytes, "{}");
    ASSERT_EQ(adoption.children.size(), 1u);
    EXPECT_EQ(adoption.children[0].exit->status.code, 3);
    EXPECT_EQ(adoption.listeners.at(0).spec.name, "control");
    EXPECT_TRUE(adoption.trail.calls.empty());
  }));
  say(AdoptEnd{});
  EXPECT_NE(client_->vitals(), nullptr);
  EXPECT_NE(client_->breadcrumbs(), nullptr);
}

TEST_F(KeeperClientTest, ReadsTheBreadcrumbsOfTheEngineBeforeAndClearsThem) {
  Hello greeting = hello();
  auto page = MappedPage<BreadcrumbPage>::map(greeting.breadcrumbs.get());
  ASSERT_TRUE(page.ok());
  BreadcrumbLane lane(page->get());
  BreadcrumbScope scope(lane, register_place(**page, "bad.so", "transport/bad"), register_call(**page, "create"));
  say(std::move(greeting));
  EXPECT_CALL(events_, adopted(_)).WillOnce(Invoke([](Adoption& adoption) {
    ASSERT_EQ(adoption.trail.calls.size(), 1u);
    EXPECT_EQ(adoption.trail.calls[0].file, "bad.so");
    EXPECT_EQ(adoption.trail.calls[0].call, "create");
  }));
  say(AdoptEnd{});
  EXPECT_TRUE(read_breadcrumbs(**page).calls.empty());
}

TEST_F(KeeperClientTest, RefusesAKeeperOfAnotherVersionAndTouchesNoChild) {
  Hello old = hello();
  old.protocol_version = kProtocolVersion + 1;
  EXPECT_CALL(events_, on_link_lost(testing::Field(&Error::code, errc::unsupported)));
  say(std::move(old));
  EXPECT_EQ(client_->fd(), -1);
  EXPECT_EQ(client_->forget({"a", 1}).error().code, errc::wrong_state);
}

TEST_F(KeeperClientTest, RefusesPagesThatCouldShrinkUnderIt) {
  Hello unsealed = hello();
  unsealed.vitals.reset(::memfd_create("vitals", MFD_CLOEXEC));
  EXPECT_CALL(events_, on_link_lost(testing::Field(&Error::code, errc::bad_data)));
  say(std::move(unsealed));
}

TEST_F(KeeperClientTest, DeliversAnswersAndSendsRequests) {
  greet();
  EXPECT_CALL(events_, on_exited(testing::Field(&Exited::pid, 77)));
  say(Exited{{"a", 1}, 77, {}});
  ASSERT_TRUE(client_->signal({"a", 1}, SIGHUP, SignalTarget::group).ok());
  EXPECT_EQ(heard<SignalRequest>().signal_number, SIGHUP);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_TRUE(client_->put("k", "v", {ends[0]}).ok());
  EXPECT_EQ(heard<StashPut>().descriptors.size(), 1u);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(KeeperClientTest, QueuesWhatTheKeeperDoesNotReadAndRefusesBeyondTheLimit) {
  greet();
  EXPECT_CALL(events_, on_interest_changed(true));
  std::size_t sent = 0;
  Status last;
  while (last.ok()) {
    last = client_->put("key", std::string(40'000, 'x'));
    if (last.ok()) ++sent;
    ASSERT_LT(sent, kMaxQueuedMessages + 100'000);
  }
  EXPECT_EQ(last.error().code, errc::exhausted);
  EXPECT_TRUE(client_->wants_write());
  EXPECT_CALL(events_, on_interest_changed(false));
  for (std::size_t received = 0; received < sent; ++received) {
    (void)heard<StashPut>();
    client_->on_writable();
  }
  EXPECT_FALSE(client_->wants_write());
}

TEST_F(KeeperClientTest, KillsEveryGroupWhenTheKeeperDies) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::setpgid(0, 0);
    ::syscall(SYS_close_range, 3u, ~0u, 0u);  // its copy of the keeper's end would keep the link alive
    for (;;) ::pause();
  }
  ::setpgid(child, child);
  greet();
  EXPECT_CALL(events_, on_spawned(_));
  Spawned spawned;
  spawned.key = {"a", 1};
  spawned.pid = child;
  say(std::move(spawned));
  EXPECT_CALL(events_, on_link_lost(testing::Field(&Error::code, errc::unavailable)));
  keeper_.reset();
  pollfd closed{client_->fd(), POLLIN, 0};  // once the child has closed its copy too
  ASSERT_EQ(::poll(&closed, 1, 10'000), 1);
  client_->on_readable();
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(KeeperClientTest, CountsAMessageOutOfPlaceAsTheEndOfTheLink) {
  greet();
  EXPECT_CALL(events_, on_link_lost(testing::Field(&Error::code, errc::bad_data)));
  say(Quit{1});
}

TEST(KeeperLinkEnvironment, IsTakenOnce) {
  auto pair = make_link();
  ASSERT_TRUE(pair.ok());
  ::setenv(kLinkVariable, std::to_string(pair->engine_end.get()).c_str(), 1);
  auto taken = KeeperClient::take_link_from_environment();
  ASSERT_TRUE(taken.ok());
  (void)pair->engine_end.release();
  auto again = KeeperClient::take_link_from_environment();
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, errc::wrong_state);
}

TEST(Stash, ReplacesAndForgets) {
  Stash stash;
  ASSERT_TRUE(stash.put({"k", "one", {}}).ok());
  ASSERT_TRUE(stash.put({"k", "two", {}}).ok());
  EXPECT_EQ(stash.find("k")->bytes, "two");
  stash.erase("k");
  EXPECT_EQ(stash.find("k"), nullptr);
}

TEST(Stash, KeepsTheOldValueWhenTheNewOneIsOverALimit) {
  Stash stash;
  ASSERT_TRUE(stash.put({"k", "old", {}}).ok());
  StashPut greedy{"k", "new", {}};
  greedy.descriptors.resize(kMaxStashDescriptors + 1);
  EXPECT_EQ(stash.put(std::move(greedy)).error().code, errc::exhausted);
  EXPECT_EQ(stash.put({"", "x", {}}).error().code, errc::invalid_argument);
  EXPECT_EQ(stash.find("k")->bytes, "old");
}

TEST(Stash, CountsBytesOfReplacedAndErasedEntriesNoMore) {
  Stash stash;
  const std::string big(Stash::kMaxBytes / 2, 'x');
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(stash.put({"k", big, {}}).ok());
  EXPECT_TRUE(stash.put({"l", std::string(Stash::kMaxBytes / 2 - 100, 'x'), {}}).ok());
  EXPECT_EQ(stash.put({"m", big, {}}).error().code, errc::exhausted);
  stash.erase("k");
  EXPECT_TRUE(stash.put({"m", big, {}}).ok());
}

}  // namespace
}  // namespace tenon::keeper
