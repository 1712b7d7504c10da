#include "app/config_loader.hpp"

#include <filesystem>

#include "app/config_draft.hpp"
#include "app/config_sockets.hpp"

namespace tenon::app {

LoadedConfig load_config(ConfigSources sources, const LoadOptions& options) {
  LoadedConfig loaded;
  loaded.sources = std::move(sources);
  ConfigMachine machine(loaded.sources.records, options.replay);
  ConfigReader reader(machine, options.forgiving);
  ConfigDraft draft(options);
  for (ConfigProblem& problem : loaded.sources.problems) reader.add(std::move(problem));
  loaded.sources.problems.clear();

  std::vector<JsonDocument> documents;  // JsonValues point into these until the end
  for (const ConfigSource& file : loaded.sources.files) {
    reader.add_file(file.name, std::filesystem::path(file.path).parent_path().string());
    auto document = JsonDocument::parse(file.text, file.name, {.comments = true});
    if (document) {
      documents.push_back(std::move(document).value());
    } else {
      reader.add(syntax_problem(file.name, document.error()));
    }
  }
  for (const JsonDocument& document : documents) read_node(reader, document.root(), draft);
  complete_node(reader, draft);
  for (const JsonDocument& document : documents) read_host(reader, document.root(), draft);
  if (!documents.empty()) {
    const JsonValue main = documents.front().root();
    draft.host.file = loaded.sources.files.front().path;
    complete_host(reader, main, draft);
    give_watchdogs(reader, draft);
    check_transport_uses(reader, draft);
    check_significance(reader, draft);
    check_dependencies(reader, main, draft);
    check_listening_places(reader, draft);
    check_plugins(reader, draft);
  }
  draft.host.supervision = std::make_shared<const runtime::SupervisorConfig>(std::move(draft.root));
  loaded.replicas = std::move(draft.file_replicas);
  loaded.config = std::move(draft.host);
  loaded.problems = reader.take_problems();
  loaded.warnings = reader.take_warnings();
  return loaded;
}

std::vector<SectionKeys> config_sections() {
  std::vector<SectionKeys> sections;
  describe_host(sections);
  describe_transports(sections);
  describe_routes(sections);
  describe_supervision(sections);
  describe_process(sections);
  return sections;
}

}  // namespace tenon::app
