// KeeperBridge over a real link; the test is the keeper at its other end.
#include "integration/keeper_bridge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "hub_fixture.hpp"
#include "keeper/link.hpp"
#include "keeper/stash.hpp"
#include "unit/runtime/fakes.hpp"

namespace tenon::integration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct NoEvents final : keeper::KeeperEvents {
  void on_adopted(keeper::Adoption) override {}
  void on_spawned(keeper::Spawned) override {}
  void on_spawn_failed(keeper::SpawnFailed) override {}
  void on_exited(keeper::Exited) override {}
  void on_closed(keeper::Closed) override {}
  void on_listening(keeper::Listening) override {}
  void on_listen_failed(keeper::ListenFailed) override {}
  void on_shutdown_requested(keeper::ShutdownRequested) override {}
  void on_reload_requested() override {}
  void on_link_lost(const Error&) override {}
  void on_interest_changed(bool) override {}
};

class KeeperBridgeTest : public HubTest {
 protected:
  KeeperBridgeTest() {
    auto pair = keeper::make_link();
    EXPECT_TRUE(pair.ok());
    keeper_end.emplace(std::move(pair->keeper_end));
    client.emplace(std::move(pair->engine_end), nothing);
    store.emplace(loop, store_link(*client));
    bridge.emplace(*client, *store);
    commands.emplace(loop, *bridge, 1, [](std::string_view) { return nullptr; });
    manager.emplace(runtime::ProcessManager::Services{loop, *bridge, policies, checks, *hub, observer});
    notify.emplace(loop, *manager, *hub, [](const std::string&, std::uint64_t, pid_t) {});
    sockets.connect(*manager);
    bridge->connect(*manager, *hub, *notify, sockets, logs, *commands);
  }
  ~KeeperBridgeTest() override {
    notify.reset();
    manager.reset();
  }

  // The next request that the keeper hears.
  template <class T>
  T heard() {
    auto received = keeper_end->receive();
    EXPECT_TRUE(received.ok() && received->message.has_value());
    auto* message = received.ok() && received->message ? std::get_if<T>(&*received->message) : nullptr;
    EXPECT_NE(message, nullptr) << "another request than expected";
    return message == nullptr ? T{} : std::move(*message);
  }
  // Labels come between; the next request that is none.
  template <class T>
  T heard_after_labels() {
    for (;;) {
      auto received = keeper_end->receive();
      if (!received.ok() || !received->message) {
        ADD_FAILURE() << "nothing was said";
        return T{};
      }
      if (std::holds_alternative<keeper::StashPut>(*received->message)) continue;
      auto* message = std::get_if<T>(&*received->message);
      EXPECT_NE(message, nullptr) << "another request than expected";
      return message == nullptr ? T{} : std::move(*message);
    }
  }
  bool silent() {
    auto received = keeper_end->receive();
    return received.ok() && !received->message && !received->end_of_stream;
  }

  static std::shared_ptr<runtime::ProcessConfig> worker(const std::string& id) {
    auto config = runtime::test::process(id);
    config->channel = runtime::ChannelKind::stdio;
    return config;
  }
  // Known to hub, log and manager, and asked of the keeper.
  keeper::SpawnSpec started(const std::string& id) {
    add(id, worker_config({{.topic = "ask"}}));
    logs.configure(id, {});
    EXPECT_TRUE(manager->add(worker(id), "root").ok());
    manager->start(id, {});
    return std::move(heard_after_labels<keeper::SpawnRequest>().spec);
  }
  struct Given {
    keeper::ChildDescriptors host;
    WorkerEnd worker;
    unique_fd error;  // the worker's stderr
  };
  static Given descriptors() {
    Given given;
    ChannelEnds ends = make_pipes();
    int error[2];
    if (::pipe2(error, O_CLOEXEC | O_NONBLOCK) != 0) std::abort();
    given.host.output = std::move(ends.host.input);
    given.host.input = std::move(ends.host.output);
    given.host.error.reset(error[0]);
    given.error.reset(error[1]);
    given.worker = std::move(ends.worker);
    return given;
  }
  void spawned(const std::string& id, keeper::ChildDescriptors host, std::int32_t pid = 77) {
    keeper::Spawned message;
    message.key = {id, 1};
    message.pid = pid;
    message.descriptors = std::move(host);
    bridge->on_spawned(std::move(message));
    loop.run_posted();
  }
  void ended(const std::string& id, ExitStatus status) {
    keeper::Exited message;
    message.key = {id, 1};
    message.exit.status = status;
    message.exit.run_time = std::chrono::seconds(1);
    bridge->on_exited(message);
    loop.run_posted();
  }
  std::string log_of(const std::string& id) {
    std::string all;
    logs.last_lines(id, 100, [&](const runtime::LogLine& line) { all.append(line.text).append("\n"); });
    return all;
  }

  NoEvents nothing;
  std::optional<keeper::Link> keeper_end;
  std::optional<keeper::KeeperClient> client;
  std::optional<KeeperStore> store;
  std::optional<KeeperBridge> bridge;
  std::optional<CommandRunner> commands;
  std::vector<std::string> closed;  // listeners
  ProcessSockets sockets{loop, [this](std::string name) { closed.push_back(std::move(name)); }};
  runtime::LogCapture logs{loop, [](const runtime::ProcessId&, const Error&) {}};
  runtime::test::FakePolicies policies;
  runtime::test::FakeChecks checks;
  runtime::test::RecordingObserver observer;
  std::optional<runtime::ProcessManager> manager;
  std::optional<NotifyHub> notify;
};

// --- requests ---

TEST_F(KeeperBridgeTest, ASpawnCarriesAllThatTheConfigSays) {
  auto config = runtime::test::process("counter.1");
  config->argv = {"./counter", "--fast"};
  config->shared_env = std::make_shared<std::vector<std::string>>(std::vector<std::string>{"PATH=/bin"});
  config->env = {"TENON_ID=counter.1"};
  config->cwd = "/srv";
  config->uid = 65534;
  config->gid = 65534;
  config->groups = std::vector<std::uint32_t>{7};
  config->umask = 077;
  config->nice = 5;
  config->no_new_privileges = true;
  config->limits.open_files = 64;
  config->limits.core_bytes = 0;
  config->limits.memory_bytes = 1u << 30;
  config->limits.processes = 9;
  config->limits.cpu = 0.25;
  config->channel = runtime::ChannelKind::socket;
  config->notify = true;
  ASSERT_TRUE(bridge->spawn(*config, 3, {SIGINT, std::chrono::hours(48), 9}).ok());
  const keeper::SpawnSpec spec = heard<keeper::SpawnRequest>().spec;
  EXPECT_EQ(spec.key, (keeper::ProcessKey{"counter.1", 3}));
  EXPECT_EQ(spec.argv, config->argv);
  EXPECT_THAT(spec.environment, ElementsAre("PATH=/bin", "TENON_ID=counter.1"));
  EXPECT_EQ(spec.directory, "/srv");
  EXPECT_EQ(spec.uid, 65534u);
  EXPECT_EQ(spec.gid, 65534u);
  EXPECT_EQ(spec.groups, config->groups);
  EXPECT_EQ(spec.file_mode_mask, 077u);
  EXPECT_EQ(spec.nice, 5);
  EXPECT_TRUE(spec.no_new_privileges);
  ASSERT_EQ(spec.limits.size(), 2u);
  EXPECT_EQ(spec.limits[0].resource, RLIMIT_NOFILE);
  EXPECT_EQ(spec.limits[0].hard, 64u);
  EXPECT_EQ(spec.group_limits.memory_bytes, 1u << 30);
  EXPECT_EQ(spec.group_limits.processes, 9u);
  EXPECT_EQ(spec.group_limits.cpu_millicores, 250u);
  EXPECT_EQ(spec.limits[1].resource, RLIMIT_CORE);
  EXPECT_EQ(spec.limits[1].soft, 0u);
  EXPECT_EQ(spec.channel, keeper::ChannelKind::socket);
  EXPECT_TRUE(spec.notify);
  EXPECT_FALSE(spec.transient);
  EXPECT_EQ(spec.stop.signal_number, SIGINT);
  EXPECT_EQ(spec.stop.rank, 9u);
  EXPECT_EQ(spec.stop.grace, keeper::kMaxGrace) << "cut to what the keeper takes";
}

TEST_F(KeeperBridgeTest, ASpawnNamesTheSocketsThatReplicasShare) {
  auto config = runtime::test::process("web.2");
  config->base_id = "web";
  config->sockets = {{.name = "http", .address = "::1", .port = 80, .backlog = 9},
                     {.name = "admin", .path = "/run/web.sock", .kind = runtime::SocketKind::datagram, .mode = 0600},
                     {.name = "passed", .inherit = true}};
  ASSERT_TRUE(bridge->spawn(*config, 1, {}).ok());
  const auto asked = heard<keeper::SpawnRequest>().spec.sockets;
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].name, "http");
  EXPECT_EQ(asked[0].listener.name, "process/web/http");
  EXPECT_EQ(asked[0].listener.family, keeper::ListenFamily::tcp);
  EXPECT_EQ(asked[0].listener.port, 80);
  EXPECT_EQ(asked[0].listener.backlog, 9);
  EXPECT_TRUE(asked[0].listener.blocking);
  EXPECT_EQ(asked[1].listener.family, keeper::ListenFamily::unix_datagram);
  EXPECT_EQ(asked[1].listener.address, "/run/web.sock");
  EXPECT_EQ(asked[1].listener.mode, 0600u);
  EXPECT_EQ(asked[2].listener.inherit, "passed");
  EXPECT_TRUE(ProcessSockets::owns(asked[2].listener.name));
}

TEST_F(KeeperBridgeTest, ASocketThatNoProcessOfTheHostWantsIsClosed) {
  sockets.adopt("process/gone/http");
  loop.advance(Duration(0));
  EXPECT_THAT(closed, ElementsAre("process/gone/http"));
}

TEST_F(KeeperBridgeTest, OnlyProcessesWithoutAChannelShareAPipeForTheirOutputs) {
  auto config = runtime::test::process("a");
  const auto standard_error = [&] {
    EXPECT_TRUE(bridge->spawn(*config, 1, {}).ok());
    return heard<keeper::SpawnRequest>().spec.standard_error;
  };
  EXPECT_EQ(standard_error(), keeper::OutputMode::capture);
  bridge->share_outputs(true);
  EXPECT_EQ(standard_error(), keeper::OutputMode::merge);
  config->channel = runtime::ChannelKind::stdio;
  EXPECT_EQ(standard_error(), keeper::OutputMode::capture);
}

TEST_F(KeeperBridgeTest, SignalsGoToTheProcessOrToItsGroup) {
  ASSERT_TRUE(bridge->signal("a", 2, SIGHUP, false).ok());
  ASSERT_TRUE(bridge->signal("a", 2, SIGKILL, true).ok());
  EXPECT_EQ(heard<keeper::SignalRequest>().to, keeper::SignalTarget::process);
  const auto second = heard<keeper::SignalRequest>();
  EXPECT_EQ(second.to, keeper::SignalTarget::group);
  EXPECT_EQ(second.signal_number, SIGKILL);
  EXPECT_EQ(second.key, (keeper::ProcessKey{"a", 2}));
}

TEST_F(KeeperBridgeTest, LabelsAndChannelMemoryAreKeptUnderNamesThatNeverMeet) {
  bridge->save_label("a", "label");
  bridge->drop_label("a");
  const unique_fd memory = keeper::make_shared_memory("channel", 4096).value();
  bridge->keep_channel_memory("a", memory.get());
  bridge->keep_channel_memory("a", -1);
  const auto label = heard<keeper::StashPut>();
  EXPECT_EQ(label.key, "label/a");
  EXPECT_EQ(label.bytes, "label");
  EXPECT_EQ(heard<keeper::StashDelete>().key, "label/a");
  const auto kept = heard<keeper::StashPut>();
  EXPECT_EQ(kept.key, "channel/a");
  ASSERT_EQ(kept.descriptors.size(), 1u);
  EXPECT_EQ(heard<keeper::StashDelete>().key, "channel/a");
}

TEST_F(KeeperBridgeTest, AListeningSocketIsAskedForAndGivenBackByName) {
  PluginListeners listeners(*bridge);
  std::optional<int> got;
  const auto listener = listeners.open("/run/x", [&](Result<int> fd) { got = fd.ok() ? *fd : -1; });
  ASSERT_TRUE(listener.ok());
  const keeper::ListenSpec spec = heard<keeper::ListenRequest>().spec;
  EXPECT_EQ(spec.address, "/run/x");
  keeper::Listening granted;
  granted.name = spec.name;
  granted.socket.reset(::eventfd(0, EFD_CLOEXEC));
  listeners.on_listening(std::move(granted));
  ASSERT_TRUE(got.has_value());
  listeners.release(*listener);
  EXPECT_EQ(heard<keeper::Unlisten>().name, spec.name);
}

TEST_F(KeeperBridgeTest, ALostLinkTakesNoRequest) {
  keeper_end.reset();
  client->on_readable();
  EXPECT_EQ(bridge->spawn(*runtime::test::process("a"), 1, {}).error().code, errc::wrong_state);
  EXPECT_EQ(bridge->signal("a", 1, SIGTERM, true).error().code, errc::wrong_state);
  EXPECT_EQ(bridge->keep_listening({.name = "plugin//a", .address = "/a"}).error().code, errc::wrong_state);
  bridge->forget("a", 1);  // there is nobody to tell
  bridge->save_label("a", "x");
}

// --- answers ---

TEST_F(KeeperBridgeTest, AProcessThatCountsAsReadyCanBeWrittenTo) {
  started("echo");
  Given given = descriptors();
  spawned("echo", std::move(given.host));
  hub->set_status("echo", manager->status("echo"));
  EXPECT_EQ(manager->find("echo")->pid, 77);
  EXPECT_EQ(manager->status("echo"), runtime::ProcessStatus::idle) << "ready as soon as it was spawned";
  publish("ask", "1");
  run();
  EXPECT_THAT(given.worker.read(), HasSubstr("id=1"));
}

TEST_F(KeeperBridgeTest, WhatAProcessSaidLastIsRoutedAndLoggedBeforeItsEndIsKnown) {
  started("echo");
  Given given = descriptors();
  spawned("echo", std::move(given.host));
  given.worker.write("{type=tenon.status;data=\"almost done\"}\n");
  ASSERT_EQ(::write(given.error.get(), "last words\n", 11), 11);
  ended("echo", ExitStatus{3, 0, false});
  EXPECT_EQ(events.status.size(), 1u);
  EXPECT_THAT(log_of("echo"), HasSubstr("last words"));
  EXPECT_THAT(observer.events, testing::Contains(HasSubstr("exited echo")));
}

TEST_F(KeeperBridgeTest, ASpawnThatFailedIsTheProcesssFailure) {
  started("echo");
  bridge->on_spawn_failed({{"echo", 1}, "exec", ENOENT, "no such program"});
  loop.run_posted();
  EXPECT_EQ(manager->find("echo")->pid, std::nullopt);
  EXPECT_THAT(manager->find("echo")->reason, HasSubstr("no such program"));
}

TEST_F(KeeperBridgeTest, AWorkerWhoseChannelCannotBeOpenedIsKilled) {
  started("echo");
  const unique_fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));  // epoll takes no regular file
  keeper::ChildDescriptors broken;
  broken.output = file.duplicate();
  broken.input = file.duplicate();
  spawned("echo", std::move(broken));
  EXPECT_EQ(heard_after_labels<keeper::SignalRequest>().signal_number, SIGKILL);
}

TEST_F(KeeperBridgeTest, CommandsAreTheEnginesOwnAndUnknownToTheRuntime) {
  CommandRequest request;
  request.argv = {"/bin/probe"};
  request.deadline = loop.clock().monotonic() + std::chrono::seconds(1);
  std::optional<CommandOutcome> outcome;
  ASSERT_TRUE(commands->run(std::move(request), [&](CommandOutcome o) { outcome = std::move(o); }).ok());
  const keeper::ProcessKey key = heard<keeper::SpawnRequest>().spec.key;
  EXPECT_TRUE(CommandRunner::owns(key));
  keeper::Spawned message;
  message.key = key;
  bridge->on_spawned(std::move(message));
  keeper::Exited exited;
  exited.key = key;
  exited.exit.status = ExitStatus{4, 0, false};
  bridge->on_exited(exited);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->value, 4);
  EXPECT_EQ(heard<keeper::Forget>().key, key);
  EXPECT_TRUE(silent());
  EXPECT_EQ(manager->size(), 0u);
}

TEST_F(KeeperBridgeTest, AChildWithoutItsChannelsMemoryCannotBeAdopted) {
  add("echo", worker_config());
  logs.configure("echo", {});
  Given given = descriptors();
  keeper::AdoptedChild child;
  child.key = {"echo", 1};
  child.channel = keeper::ChannelKind::stdio;
  child.descriptors = std::move(given.host);
  const Status adopted = bridge->adopt(child, {}, {});
  ASSERT_FALSE(adopted.ok());
  EXPECT_EQ(adopted.error().code, errc::wrong_state);

  WorkerConfig without;
  without.channel.kind = runtime::ChannelKind::none;
  add("plain", without);
  logs.configure("plain", {});
  keeper::AdoptedChild plain;
  plain.key = {"plain", 1};
  EXPECT_TRUE(bridge->adopt(plain, {}, {}).ok()) << "one without a channel has nothing to lose";
}

}  // namespace
}  // namespace tenon::integration
