// schemas/config.schema.json and the reader's tables describe one language.
#include "unit/app/config_fixture.hpp"

#include "common/exit_status.hpp"
#include "common/json_writer.hpp"
#include "common/system.hpp"

namespace tenon::app {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAreArray;

class ConfigSchema : public ConfigFixture {
 protected:
  ConfigSchema()
      : document_(JsonDocument::parse(read_file((schema_directory() / "config.schema.json").string(), 1 << 20).value(),
                                      "config.schema.json")
                      .value()) {}

  JsonValue root() const { return document_.root(); }
  JsonValue definition(std::string_view name) const {
    return name.empty() ? root() : root().find("definitions")->find(name).value();
  }
  static std::vector<std::string> names(const std::optional<JsonValue>& list) {
    std::vector<std::string> texts;
    if (!list) return texts;
    for (const JsonMember member : list->members()) texts.emplace_back(member.key);
    for (const JsonValue element : list->elements()) texts.emplace_back(element.as_string().value());
    return texts;
  }
  static bool is_reserved(const JsonValue& property) { return property.find("not").has_value(); }

  // The members of a section, each with the schema's default.
  std::string defaults_of(std::string_view section, std::initializer_list<std::string_view> except = {}) const {
    JsonWriter writer;
    writer.begin_object();
    for (const JsonMember property : definition(section).find("properties")->members()) {
      const auto value = property.value.find("default");
      if (!value || std::find(except.begin(), except.end(), property.key) != except.end()) continue;
      writer.key(property.key).raw(value->to_json());
    }
    writer.end_object();
    return writer.take();
  }

 private:
  JsonDocument document_;
};

TEST_F(ConfigSchema, HasExactlyTheKeysThatTheReaderKnows) {
  std::vector<std::string> sections;
  for (const SectionKeys& section : config_sections()) {
    SCOPED_TRACE(section.name);
    sections.emplace_back(section.name);
    const JsonValue definition = this->definition(section.name);
    std::vector<std::string> keys, reserved;
    for (const JsonMember member : definition.find("properties")->members()) {
      (is_reserved(member.value) ? reserved : keys).emplace_back(member.key);
    }
    EXPECT_THAT(keys, UnorderedElementsAreArray(section.keys.begin(), section.keys.end()));
    EXPECT_THAT(reserved, UnorderedElementsAreArray(section.reserved.begin(), section.reserved.end()));
    EXPECT_THAT(names(definition.find("required")),
                UnorderedElementsAreArray(section.required.begin(), section.required.end()));
    ASSERT_TRUE(definition.find("additionalProperties"));
    EXPECT_EQ(definition.find("additionalProperties")->as_bool(), false);
  }
  for (const JsonMember member : root().find("definitions")->members()) {
    if (member.value.find("properties")) {
      EXPECT_THAT(sections, testing::Contains(member.key)) << "the schema has a section that nobody reads";
    }
  }
}

TEST_F(ConfigSchema, ExplainsEveryKeyThatHasASectionOfItsOwn) {
  for (const JsonMember member : root().find("properties")->members()) {
    EXPECT_TRUE(member.value.find("description")) << member.key;
  }
}

// Everything that has a default in the schema, as text.
std::string described(const LoadedConfig& loaded, const runtime::ProcessConfig& process) {
  const integration::HostConfig& host = loaded.config;
  JsonWriter w;
  w.begin_object();
  w.member("watch", host.watch_plugins).member("level", log::to_string(host.log_level));
  w.member("format", static_cast<int>(host.log_format)).member("hang", host.hang_timeout.count());
  w.member("events", host.event_limit).member("request", host.request_timeout.count());
  w.member("block", host.block_for.count()).member("mode", static_cast<int>(host.schema_mode));
  w.member("dead_letters", host.dead_letter_capacity).member("directories", host.schema_directories.size());
  const auto& root = *host.supervision;
  w.member("strategy", to_string(root.strategy)).member("on_limit", to_string(root.on_limit));
  w.member("restarts", root.intensity.restarts).member("period", root.intensity.period.count());
  for (const auto& transport : host.transports) {
    w.key(transport.name).begin_array().value(transport.url).value(transport.timeout.count());
    w.value(transport.retry_attempts).value(transport.health_interval.count()).value(transport.health_timeout.count());
    w.value(transport.pool.min).value(transport.pool.max).value(transport.pool.acquire_timeout.count());
    w.value(transport.pool.idle_timeout.count()).value(transport.pool.max_lifetime.count());
    const auto& breaker = transport.circuit_breaker.value();
    w.value(breaker.failure_rate).value(breaker.slow_call.count()).value(breaker.window).value(breaker.minimum_calls);
    w.value(breaker.open_for.count()).value(breaker.half_open_calls).end_array();
  }
  for (const auto& route : host.routes) w.member("direct", route.direct);
  const auto& worker = *host.workers.at("a");
  w.key("worker").begin_array().value(worker.echo).value(worker.channel.serializer).value(worker.channel.max_event);
  w.value(worker.channel.data_as_bytes).value(worker.mailbox.capacity).value(worker.mailbox.bytes);
  w.value(message::to_string(worker.mailbox.overflow)).value(static_cast<int>(worker.delivery.mode));
  w.value(worker.delivery.max_in_flight).value(worker.delivery.ack_timeout.count()).value(worker.delivery.attempts);
  w.value(worker.subscribe.size()).end_array();
  w.key("process")
      .begin_array()
      .value(process.cwd)
      .value(process.no_new_privileges)
      .value(process.ready.timeout.count());
  w.value(process.restart.policy).value(signal_name(process.stop.signal)).value(process.stop.drain.count());
  w.value(process.stop.grace.count()).value(process.log.ring_bytes).value(process.log.max_file_bytes);
  w.value(process.log.keep_files).value(process.log.rate_bytes).value(process.log.burst_bytes);
  for (const auto& health : process.health) {
    w.value(health.interval.count()).value(health.timeout.count()).value(health.start_period.count());
    w.value(health.unhealthy_after).value(health.healthy_after).value(health.degraded_after);
    w.value(to_string(health.role)).value(static_cast<int>(health.on_unhealthy));
  }
  w.value(process.depends_on.size()).value(process.shared_env->size()).end_array().end_object();
  return w.take();
}

std::string merged(const std::string& object, const std::string& more) {
  return object == "{}" ? "{" + more + "}" : object.substr(0, object.size() - 1) + "," + more + "}";
}

TEST_F(ConfigSchema, PromisesTheDefaultsThatTheReaderFillsIn) {
  const std::string sparse = R"({
    "transports": {"bus": {"plugin": "nats", "pool": {}, "circuit_breaker": {}, "health_check": {}}},
    "routes": [{"topic": "a", "from": "bus"}],
    "supervision": {"children": [{"id": "a", "command": ["true"], "channel": {"kind": "stdio"},
                                  "ready": {"on": "start"}, "health": [{"check": "process"}]}]}
  })";
  const std::string child = merged(
      defaults_of("process", {"health"}),
      R"("id": "a", "command": ["true"], "health": [)" + merged(defaults_of("health_check"), R"("check": "process")") +
          R"(], "channel": )" + merged(defaults_of("channel"), R"("kind": "stdio")") + R"(, "ready": )" +
          merged(defaults_of("ready"), R"("on": "start")") + R"(, "mailbox": )" + defaults_of("mailbox") +
          R"(, "delivery": )" + defaults_of("delivery") + R"(, "stop": )" + defaults_of("stop") + R"(, "log": )" +
          defaults_of("log") + R"(, "restart": )" + defaults_of("restart"));
  const std::string transport = merged(
      defaults_of("transport"), R"("plugin": "nats", "pool": )" + defaults_of("pool") + R"(, "circuit_breaker": )" +
                                    defaults_of("circuit_breaker") + R"(, "health_check": )" +
                                    defaults_of("transport_health_check"));
  std::string full = R"({"transports": {"bus": )" + transport + R"(}, "routes": [)" +
                     merged(defaults_of("route"), R"("topic": "a", "from": "bus")") + R"(], "supervision": )" +
                     merged(defaults_of("supervision", {"children"}),
                            R"("intensity": )" + defaults_of("intensity") + R"(, "children": [)" + child + "]");
  for (const char* section : {"plugins", "logging", "engine", "limits", "schemas", "dead_letters"}) {
    full += ", \"" + std::string(section) + "\": " + defaults_of(section);
  }
  full += "}";
  const LoadedConfig without = load(sparse);
  const LoadedConfig with = load(full);
  ASSERT_THAT(lines(without.problems), IsEmpty());
  ASSERT_THAT(lines(with.problems), IsEmpty()) << full;
  EXPECT_EQ(described(with, process(with, 0)), described(without, process(without, 0)));
}

TEST_F(ConfigSchema, PromisesEscalationToNestedSupervisors) {
  EXPECT_EQ(definition("supervisor").find("properties")->find("on_limit")->find("default")->as_string(), "escalate");
  const LoadedConfig loaded = load(R"({"supervision": {"children": [{"id": "s", "supervisor": {}}]}})");
  EXPECT_EQ(supervisor(loaded, 0).on_limit, runtime::OnLimit::escalate);
  EXPECT_EQ(loaded.config.supervision->on_limit, runtime::OnLimit::fail_child);
}

}  // namespace
}  // namespace tenon::app
