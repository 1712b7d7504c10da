// From the texts of a config to a HostConfig, with every problem at once.
//
// Merging. Included files add to the main one: objects are joined key by key, `routes` and `supervision.children` are
// appended in the order of the files, and so are the lists of directories; transports are joined by name. Anything else
// that is given twice is an error that names both places. Paths are relative to the file in which they stand.
//
// Ids of children are [A-Za-z0-9_-]; the dot is kept for replicas ("counter.2"), so no id can collide with one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app/config_problem.hpp"
#include "app/config_section.hpp"
#include "app/config_source.hpp"
#include "app/scale.hpp"
#include "integration/host_config.hpp"
#include "keeper/spawn_spec.hpp"
#include "loader/plugin_directory.hpp"

namespace tenon::app {

// What a JSON Schema says against a value: where (a JSON pointer, "" is the value itself) and a sentence.
struct SchemaFinding {
  std::string pointer;
  std::string sentence;
};
using SchemaCheck = std::function<std::vector<SchemaFinding>(const std::string& schema, const std::string& json)>;
using PluginSurvey = std::function<std::vector<loader::SurveyedPlugin>(const std::vector<std::string>& directories)>;

struct LoadOptions {
  // Rebuild an accepted config from its records: nothing is read from the disk and nothing about the machine is judged.
  bool replay = false;
  // For a host that starts: what the machine lacks for one process alone (its command, directory, log file, a check's
  // program) is a warning. That process fails by itself, or goes without, and the others run.
  bool forgiving = false;
  // loader::survey_plugins, to check the names of plugins; empty: they are not checked.
  PluginSurvey survey;
  // Checks the plugins' own `config` objects; called once for each different pair. Empty: they are not checked.
  SchemaCheck schema_check;
  // Replaces `replicas` of the children with these ids, where they have any and the number is still the one that was
  // replaced, up to kMaxReplicas. Not part of the records: whoever scales gives it again with the next load.
  Scales scales;
};

inline constexpr std::uint32_t kMaxReplicas = 10'000;     // of one child
inline constexpr std::size_t kMaxProcesses = keeper::kMaxProcesses;  // of the config
inline constexpr std::size_t kMaxSupervisorDepth = 16;

struct LoadedConfig {
  integration::HostConfig config;  // complete only if there are no problems; `supervision` is never null
  std::vector<ConfigProblem> problems;  // by file, then by place
  std::vector<ConfigProblem> warnings;
  std::map<std::string, std::uint32_t> replicas;  // of the children that have them, as the files say
  ConfigSources sources;  // with complete records: what a restarted engine is to be given
  bool ok() const noexcept { return problems.empty(); }
};

LoadedConfig load_config(ConfigSources sources, const LoadOptions& options = {});

// All tables of keys, for the test that compares them with schemas/config.schema.json.
std::vector<SectionKeys> config_sections();

}  // namespace tenon::app
