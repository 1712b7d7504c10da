// What differs between two configs, told from their texts as an operator edits them.
#include "app/config_diff.hpp"

#include <gmock/gmock.h>

#include "unit/app/config_fixture.hpp"

namespace tenon::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ConfigDiff : public ConfigFixture {
 protected:
  // Each change as "process a restarted: env, limits".
  std::vector<std::string> diff(const std::string& now, const std::string& fresh) {
    const LoadedConfig before = load(now), after = load(fresh);
    EXPECT_THAT(lines(before.problems), IsEmpty());
    EXPECT_THAT(lines(after.problems), IsEmpty());
    std::vector<std::string> out;
    for (const ConfigChange& change : compare_configs(before.config, after.config)) {
      std::string line = change.section + " " + change.name + " " + std::string(to_string(change.effect));
      for (const std::string& key : change.keys) line += (&key == &change.keys.front() ? ": " : ", ") + key;
      out.push_back(line);
    }
    return out;
  }
  static std::string child(const std::string& members) {
    return R"({"supervision": {"children": [{"id": "a", "command": ["true"])" + members + "}]}}";
  }
  std::vector<std::string> of_child(const std::string& now, const std::string& fresh) {
    return diff(child(now), child(fresh));
  }
};

TEST_F(ConfigDiff, FindsNothingInTheSameConfigWrittenAnotherWay) {
  EXPECT_THAT(of_child(R"(, "stop": {"grace": "5s"})", ""), IsEmpty()) << "the default, said aloud";
  EXPECT_THAT(of_child(R"(, "env": {"A": "1", "B": "2"})", R"(, "env": {"B": "2", "A": "1"})"), IsEmpty());
}

TEST_F(ConfigDiff, TellsWhatRestartsAProcessFromWhatDoesNot) {
  const std::string none = R"(, "channel": {"kind": "stdio"})";
  struct Case {
    std::string members;
    const char* key;
    bool restarts;
  };
  const Case cases[] = {
      {R"(, "env": {"A": "1"})", "env", true},
      {R"(, "cwd": "/")", "cwd", true},
      {R"(, "umask": "077")", "umask", true},
      {R"(, "nice": 5)", "nice", true},
      {R"(, "no_new_privileges": true)", "no_new_privileges", true},
      {R"(, "limits": {"open_files": 64})", "limits", true},
      {R"(, "sockets": [{"listen": "127.0.0.1:1"}])", "sockets", true},
      {R"(, "capabilities": ["CAP_KILL"])", "capabilities", true},
      {R"(, "private_tmp": true)", "private_tmp", true},
      {R"(, "io_class": "idle")", "io_class", true},
      {R"(, "io_class": "best_effort", "io_priority": 1)", "io_class", true},
      {R"(, "ready": {"on": "event"})", "ready", true},
      {R"(, "ready": {"on": "start", "timeout": "3s"})", "ready", false},
      {R"(, "delivery": {"mode": "at_least_once"})", "delivery", true},
      {R"(, "delivery": {"attempts": 2})", "delivery", false},
      {R"(, "subscribe": [{"topic": "x"}])", "subscribe", false},
      {R"(, "publish": ["x"])", "publish", false},
      {R"(, "publish": [])", "publish", false},
      {R"(, "echo": true)", "echo", false},
      {R"(, "mailbox": {"capacity": 5})", "mailbox", false},
      {R"(, "restart": {"policy": "never"})", "restart", false},
      {R"(, "health": [{"check": "process"}])", "health", false},
      {R"(, "health": [{"check": "process", "role": "readiness"}])", "health", false},
      {R"(, "stop": {"grace": "1s"})", "stop", false},
      {R"(, "log": {"memory": "4KiB"})", "log", false},
  };
  for (const Case& each : cases) {
    const std::string effect = each.restarts ? "restarted" : "applied";
    EXPECT_THAT(of_child(none, none + each.members), ElementsAre("process a " + effect + ": " + each.key))
        << each.members;
  }
  EXPECT_THAT(of_child(none, R"(, "channel": {"kind": "stdio", "max_event": "2MiB"})"),
              ElementsAre("process a restarted: channel"));
}

TEST_F(ConfigDiff, NamesProcessesThatComeAndGo) {
  EXPECT_THAT(of_child(R"(, "replicas": 3)", R"(, "replicas": 2)"), ElementsAre("process a.3 stopped"));
  EXPECT_THAT(of_child(R"(, "replicas": 1)", R"(, "replicas": 2)"), ElementsAre("process a.2 started"));
  EXPECT_THAT(of_child("", R"(, "replicas": 1)"), ElementsAre("process a.1 started", "process a stopped"));
}

TEST_F(ConfigDiff, ComparesTheTreeAboveThem) {
  const auto tree = [](const std::string& rules, const std::string& order) {
    return R"({"supervision": {"children": [{"id": "g", "supervisor": {)" + rules + R"("children": [)" + order +
           R"(]}}, {"id": "z", "command": ["true"]}]}})";
  };
  const std::string x = R"({"id": "x", "command": ["true"]})", y = R"({"id": "y", "command": ["true"]})";
  EXPECT_THAT(diff(tree("", x + "," + y), tree(R"("strategy": "one_for_all",)", x + "," + y)),
              ElementsAre("supervisor g applied: strategy"));
  EXPECT_THAT(diff(tree("", x + "," + y), tree("", y + "," + x)), ElementsAre("supervisor g applied: children"));
  std::string moved = tree("", x);
  moved.insert(moved.find(R"({"id": "g")"), y + ", ");
  EXPECT_THAT(diff(tree("", x + "," + y), moved), ElementsAre("process y applied: supervisor"));
}

TEST_F(ConfigDiff, SaysWhatOnlyARestartOfTheHostBrings) {
  EXPECT_THAT(diff(R"({"node": "one"})", R"({"node": "two", "logging": {"level": "debug"}})"),
              ElementsAre("host host applied: logging", "host host next_run: node"));
  EXPECT_THAT(diff("{}", R"({"limits": {"events": "1MiB"}})"), ElementsAre("host host applied: limits.events"));
}

// A new key of a process's config must be compared, and have its place among what restarts or does not.
TEST_F(ConfigDiff, KnowsEveryKeyOfAProcess) {
  std::vector<std::string_view> keys;
  for (const SectionKeys& section : config_sections())
    if (section.name == "process") keys = section.keys;
  EXPECT_THAT(keys, testing::UnorderedElementsAre(
                        "id", "replicas", "command", "cwd", "user", "umask", "nice",
                        "no_new_privileges", "env", "env_file", "inherit_env", "channel", "subscribe", "publish",
                        "echo", "mailbox", "delivery", "ready", "restart", "health", "limits", "stop", "depends_on",
                        "significant", "log", "sockets", "capabilities", "private_tmp", "io_class", "io_priority"))
      << "teach config_diff.cpp and start_digest.cpp the new key, then this list";
}

}  // namespace
}  // namespace tenon::app
