#include "app/config_check.hpp"

#include <cstdio>

#include "common/system.hpp"
#include "message/validation.hpp"

namespace tenon::app {

namespace {

std::vector<SchemaFinding> check_against_schema(const std::string& schema_text, const std::string& json) {
  auto schema = message::Schema::compile(schema_text, "the plugin's schema");
  if (!schema.ok()) return {{"", schema.error().message}};
  std::vector<SchemaFinding> out;
  for (message::SchemaFinding& finding : (*schema)->findings(json))
    out.push_back({std::move(finding.pointer), std::move(finding.message)});
  return out;
}

constexpr std::uint64_t kWithChannel = 5, kWithoutChannel = 2;  // descriptors that a process takes in the keeper
constexpr std::uint64_t kNotifySocket = 1;                      // and one that speaks by sd_notify
constexpr std::uint64_t kOwn = 128;                             // that the host keeps for itself

std::string descriptor_sentence(std::size_t processes) {
  const auto limit = descriptor_limit();
  if (!limit.ok()) return {};
  const std::uint64_t suffices = limit->maximum > kOwn ? (limit->maximum - kOwn) / kWithChannel : 0;
  return "the descriptor limit of " + std::to_string(limit->maximum) + " suffices for " + std::to_string(suffices) +
         " processes" +
         (processes > suffices ? "; this config has " + std::to_string(processes) +
                                     ": raise it (ulimit -Hn, LimitNOFILE=)" : "");
}

}  // namespace

std::uint64_t descriptors_needed(const integration::HostConfig& config) {
  std::uint64_t needed = kOwn;
  for (const auto& [id, worker] : config.workers)
    needed += worker.channel.kind == runtime::ChannelKind::none ? kWithoutChannel : kWithChannel;
  runtime::for_each_process(*config.supervision, [&needed](const auto& process) {
    if (process->notify) needed += kNotifySocket;
  });
  return needed;
}

LoadOptions load_options(bool replay) {
  LoadOptions options;
  options.replay = replay;
  options.survey = loader::survey_plugins;
  options.schema_check = check_against_schema;
  return options;
}

int check_config(const std::string& path, bool json) {
  LoadedConfig loaded = load_config(load_sources(path), load_options(false));
  // Schemas of events are part of what the config names.
  message::SchemaRegistry schemas;
  if (loaded.ok() && loaded.config.schema_mode != integration::SchemaMode::off)
    for (const std::string& directory : loaded.config.schema_directories)
      if (Status added = schemas.add_directory(directory); !added.ok()) {
        ConfigProblem problem;
        problem.file = directory;
        problem.sentence = added.error().message;
        loaded.problems.push_back(std::move(problem));
      }
  if (json) {
    std::printf("%s\n", problems_to_json(loaded.problems, loaded.warnings).c_str());
  } else {
    if (!loaded.problems.empty() || !loaded.warnings.empty())
      std::fputs(format_problems(loaded.problems, loaded.warnings).c_str(), stdout);
    if (loaded.ok()) {
      const std::size_t processes = loaded.config.workers.size();
      std::printf("%s is good: %zu processes; %s\n", path.c_str(), processes, descriptor_sentence(processes).c_str());
    }
  }
  if (loaded.ok()) return 0;
  const std::size_t errors = loaded.problems.size();
  std::fflush(stdout);
  std::fprintf(stderr, "tenon: %s was not accepted: %zu error%s; mend what is listed and check again\n", path.c_str(),
               errors, errors == 1 ? "" : "s");
  return 1;
}

}  // namespace tenon::app
