// The example that documents the config file, loaded as it stands, with the files that it names.
#include "unit/app/config_example.hpp"

#include <pwd.h>
#include <unistd.h>

namespace tenon::app {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class ConfigContract : public ConfigExampleFixture {};

TEST_F(ConfigContract, AcceptsTheDocumentedExampleAndWarnsOfWhatHasNoEffectYet) {
  const LoadedConfig loaded = load_example();
  EXPECT_THAT(lines(loaded.problems), IsEmpty());
  std::vector<std::string> paths;
  for (const ConfigProblem& warning : loaded.warnings) {
    const bool of_the_machine = warning.path.find(".limits.") != std::string::npos;  // whether it has control groups
    if (!of_the_machine) paths.push_back(warning.path);
  }
  EXPECT_THAT(paths, UnorderedElementsAre("$.transports.bus.retry_attempts", "$.transports.bus.pool",
                                          "$.transports.bus.circuit_breaker"));
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
  const auto& worker = *loaded.config.workers.at("counter.2");
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
