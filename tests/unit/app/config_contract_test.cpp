// The example that documents the config file, loaded as it stands, with the files that it names.
#include "unit/app/config_fixture.hpp"

#include <pwd.h>
#include <unistd.h>

namespace tenon::app {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

// @USER@: "nobody" where the tests run as root, else who runs them.
constexpr const char* kExample = R"jsonc({
  "include": ["conf.d/*.json"],                      // errors name the included file
  "node": "alpha",                                   // default: the host name
  "plugins": { "directories": ["plugins"], "watch": true },
  "control": { "socket": "run/tenon.sock", "http": { "listen": "127.0.0.1:7070", "token_file": "token" } },
  "logging": { "level": "info", "format": "text" },  // or "json"
  "engine": { "hang_timeout": "10s" },
  "limits": { "events": "256MiB" },                  // all mailboxes and the journal together
  "transports": {
    "bus": {
      "plugin": "nats", "url": "nats://127.0.0.1:4222", "timeout": "2s", "retry_attempts": 5,
      "pool": { "min": 1, "max": 4, "acquire_timeout": "1s", "idle_timeout": "60s", "max_lifetime": "30m" },
      "circuit_breaker": { "failure_rate": 0.5, "slow_call": "500ms", "window": 20, "minimum_calls": 10,
                           "open_for": "5s", "half_open_calls": 3 },
      "health_check": { "interval": "5s", "timeout": "1s" },
      "config": {}                                   // the plugin's own, checked against the plugin's schema
    }
  },
  "routes": [
    { "topic": "task.result.>", "to": ["bus"] },               // local events out
    { "from": "bus", "topic": "task.assignment.>" },            // subscribed at the transport, delivered locally
    { "topic": "audit.>", "to": ["bus"], "as": "alpha.{topic}" }
  ],
  "schemas": { "directories": ["schemas"], "mode": "enforce" }, // or "warn", "off"
  "dead_letters": { "capacity": 10000 },             // their own bounded store
  "supervision": {
    "strategy": "one_for_one",                       // one_for_all, rest_for_one
    "intensity": { "restarts": 5, "period": "10s" },
    "on_limit": "fail_child",                        // the root's default
    "children": [
      {
        "id": "counter", "replicas": 3,              // counter.1 … counter.3, also with 1
        "command": ["./counter", "--fast"], "cwd": ".", "user": "@USER@",
        "env": { "MODE": "x" }, "env_file": "counter.env", "inherit_env": false,
        "channel": { "kind": "stdio", "framing": "line", "serializer": "json", "max_event": "1MiB" },
        "subscribe": [ { "topic": "task.assignment.>", "group": "counters" } ],
        "publish": ["task.>"],                       // absent: anything but system.> and tenon.>
        "mailbox": { "capacity": 10000, "bytes": "64MiB", "overflow": "dead_letter" }, // drop_oldest, reject, block
        "delivery": { "mode": "at_least_once", "max_in_flight": 16, "ack_timeout": "30s", "attempts": 5 },
        "ready": { "on": "event", "timeout": "10s" },
        "restart": { "policy": "always",               // on_failure, never, a plugin's name
                     "config": { "initial": "50ms", "factor": 2, "max": "30s", "jitter": 0.1, "reset_after": "60s" } },
        "health": [ { "check": "heartbeat", "interval": "5s", "timeout": "1s", "start_period": "10s",
                      "unhealthy_after": 3, "healthy_after": 1, "on_unhealthy": "restart", "config": {} } ],
        "limits": { "memory": "256MiB", "cpu": 0.5, "processes": 64, "open_files": 1024, "core": "0B" },
        "stop": { "signal": "TERM", "drain": "2s", "grace": "5s" },
        "depends_on": ["broker"]                     // started after it is ready, stopped before it
      },
      { "id": "pipeline", "supervisor": { "strategy": "rest_for_one", "children": [] } }
    ]
  }
})jsonc";

class ConfigContract : public ConfigFixture {
 protected:
  LoadedConfig load_example() {
    std::filesystem::create_directory(directory / "plugins");
    std::filesystem::create_directory(directory / "schemas");
    write("token", "secret", 0600);
    write("counter", "#!/bin/sh\n", 0755);
    write("counter.env", "# a comment\nFROM_FILE=1=2\nMODE=weaker\n");
    write("conf.d/broker.json", R"({"supervision": {"children": [{"id": "broker", "command": ["true"]}]}})");
    std::string text = kExample;
    const std::string user = ::geteuid() == 0 ? "nobody" : ::getpwuid(::geteuid())->pw_name;
    text.replace(text.find("@USER@"), 6, user);
    return load(text);
  }
};

TEST_F(ConfigContract, AcceptsTheDocumentedExampleAndWarnsOfTheCpuLimitOnly) {
  const LoadedConfig loaded = load_example();
  EXPECT_THAT(lines(loaded.problems), IsEmpty());
  ASSERT_EQ(loaded.warnings.size(), 1u);
  EXPECT_EQ(loaded.warnings[0].path, "$.supervision.children[0].limits.cpu");
}

TEST_F(ConfigContract, MakesPathsAbsoluteAndNamesTheHost) {
  const auto config = load_example().config;
  EXPECT_EQ(config.file, directory / "tenon.json");
  EXPECT_EQ(config.node, "alpha");
  EXPECT_EQ(config.plugin_directories.front(), directory / "plugins");
  EXPECT_EQ(config.control.socket, directory / "run/tenon.sock");
  EXPECT_EQ(config.control.http_listen, "127.0.0.1:7070");
  EXPECT_EQ(config.control.http_token_file, directory / "token");
  EXPECT_THAT(config.schema_directories, ElementsAre(directory / "schemas"));
}

TEST_F(ConfigContract, ReadsTheTransportAndTheRoutes) {
  const auto config = load_example().config;
  ASSERT_EQ(config.transports.size(), 1u);
  const auto& bus = config.transports[0];
  EXPECT_EQ(bus.name, "bus");
  EXPECT_EQ(bus.plugin, "nats");
  EXPECT_EQ(bus.pool.max, 4u);
  EXPECT_EQ(bus.pool.max_lifetime, 30min);
  EXPECT_EQ(bus.circuit_breaker->slow_call, 500ms);
  EXPECT_EQ(bus.health_interval, 5s);
  EXPECT_EQ(bus.config, "{}");
  ASSERT_EQ(config.routes.size(), 3u);
  EXPECT_THAT(config.routes[0].to, ElementsAre("bus"));
  EXPECT_EQ(config.routes[1].from, "bus");
  EXPECT_EQ(config.routes[2].as, "alpha.{topic}");
}

TEST_F(ConfigContract, MakesThreeProcessesOfTheReplicas) {
  const LoadedConfig loaded = load_example();
  const auto& tree = *loaded.config.supervision;
  EXPECT_EQ(tree.id, "root");
  ASSERT_EQ(tree.children.size(), 5u);
  EXPECT_EQ(process(loaded, 2).id, "counter.3");
  EXPECT_EQ(process(loaded, 2).base_id, "counter");
  EXPECT_EQ(supervisor(loaded, 3).strategy, runtime::Strategy::rest_for_one);
  EXPECT_EQ(process(loaded, 4).id, "broker");
  EXPECT_EQ(loaded.config.workers.size(), 4u);

  const auto& counter = process(loaded, 0);
  EXPECT_THAT(counter.argv, ElementsAre(directory / "counter", "--fast"));
  EXPECT_EQ(counter.cwd, directory.path());
  EXPECT_EQ(counter.channel, runtime::ChannelKind::stdio);
  EXPECT_EQ(counter.ready.on, runtime::ReadyOn::event);
  EXPECT_EQ(counter.restart.config, R"({"initial":"50ms","factor":2,"max":"30s","jitter":0.1,"reset_after":"60s"})");
  ASSERT_EQ(counter.health.size(), 1u);
  EXPECT_EQ(counter.health[0].check, "heartbeat");
  EXPECT_EQ(counter.health[0].start_period, 10s);
  EXPECT_EQ(counter.limits.memory_bytes, 256u << 20);
  EXPECT_EQ(counter.limits.core_bytes, 0u);
  EXPECT_THAT(counter.depends_on, ElementsAre("broker"));
  EXPECT_EQ(counter.shared_env, process(loaded, 1).shared_env);
  EXPECT_THAT(environment(counter),
              testing::IsSupersetOf({"MODE=x", "FROM_FILE=1=2", "TENON_ID=counter.1", "TENON_NODE=alpha",
                                     "TENON_CONTENT_TYPE=application/json"}));
}

TEST_F(ConfigContract, KeepsWhatAProcessHasToDoWithEventsByItsId) {
  const LoadedConfig loaded = load_example();
  const auto& worker = loaded.config.workers.at("counter.2");
  EXPECT_EQ(worker.channel.framing, integration::Framing::line);
  EXPECT_EQ(worker.channel.max_event, 1u << 20);
  ASSERT_EQ(worker.subscribe.size(), 1u);
  EXPECT_EQ(worker.subscribe[0].group, "counters");
  EXPECT_THAT(worker.publish, ElementsAre("task.>"));
  EXPECT_EQ(worker.delivery.mode, message::DeliveryMode::at_least_once);
}

TEST_F(ConfigContract, SwitchesTheUserWithHomeAndGroupsWhereTheHostMay) {
  const LoadedConfig loaded = load_example();
  const auto& counter = process(loaded, 0);
  if (::geteuid() != 0) {
    EXPECT_FALSE(counter.uid) << "a host without privileges has nothing to switch";
    return;
  }
  const passwd* nobody = ::getpwnam("nobody");
  EXPECT_EQ(counter.uid, nobody->pw_uid);
  EXPECT_EQ(counter.gid, nobody->pw_gid);
  EXPECT_THAT(*counter.groups, Contains(nobody->pw_gid));
  EXPECT_THAT(environment(counter),
              testing::IsSupersetOf({std::string("USER=nobody"), std::string("HOME=") + nobody->pw_dir}));
}

}  // namespace
}  // namespace tenon::app
