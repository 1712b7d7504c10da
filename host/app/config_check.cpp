#include "app/config_check.hpp"

#include <cstdio>

#include "app/descriptor_budget.hpp"
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

}  // namespace

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
      std::printf("%s is good: %zu processes; %s\n", path.c_str(), loaded.config.workers.size(),
                  descriptor_sentence(loaded.config).c_str());
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
