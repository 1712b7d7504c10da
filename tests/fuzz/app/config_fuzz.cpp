// Any text as a config file: it is accepted or every problem says what and where, the same each time; what is accepted
// is accepted again by an engine that takes over.
//
// Nothing is asked of this machine: what a config may ask stands in the records.
#include "app/config_loader.hpp"

#include <cstdint>

#include "fuzz/must.hpp"

namespace {

using tenon::app::ConfigSources;
using tenon::app::LoadedConfig;
using tenon::fuzz::must;

ConfigSources sources_of(std::string text) {
  ConfigSources sources;
  sources.files.push_back({"tenon.json", "/etc/tenon/tenon.json", std::move(text)});
  sources.records.environment = {"HOME=/home/user", "PATH=/usr/bin:/bin", "NAME=value", "EMPTY="};
  sources.records.env_files = {{"/etc/tenon/x.env", "A=1\nB=two words\n# note\n"}};
  sources.records.users = {{"user", {"user", "/home/user", 1000, 1000, {1000}}}};
  sources.records.facts = {{"hostname", "alpha"}, {"runtime_directory", "/run/user/1000"}};
  return sources;
}

LoadedConfig load(std::string text) { return tenon::app::load_config(sources_of(std::move(text)), {.replay = true}); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const LoadedConfig loaded = load(text);
  must(loaded.config.supervision != nullptr, "there is always a tree");
  for (const auto& problem : loaded.problems) {
    must(!problem.file.empty(), "a problem names its file");
    must(!problem.sentence.empty() || !problem.expected.empty(), "a problem says what is wrong");
    const std::string line = tenon::app::to_string(problem);
    must(line.find('\n') == std::string::npos, "a problem is one line", line);
  }
  must(load(text).problems == loaded.problems, "the same text has the same problems");
  if (!loaded.ok()) return 0;
  must(tenon::app::load_config(loaded.sources, {.replay = true}).ok(), "a successor accepts what was accepted", text);
  return 0;
}
