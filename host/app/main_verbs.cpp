#include "app/main_verbs.hpp"

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>

#include <sys/prctl.h>

#include "app/config_check.hpp"
#include "app/engine.hpp"
#include "app/run_options.hpp"
#include "app/version.hpp"
#include "common/error.hpp"
#include "common/json_writer.hpp"
#include "keeper/keeper.hpp"
#include "loader/plugin_directory.hpp"

namespace tenon::app {

namespace {

// Becomes the keeper. The config itself is read by the engine, which says what is wrong with it.
int run_host(const cli::RunRequest& request) {
  char resolved[PATH_MAX];
  if (::realpath(request.config.c_str(), resolved) == nullptr) {
    const Error error = Error::from_errno(errno, "open " + request.config);
    std::fprintf(stderr, "tenon: %s; name an existing config file\n", error.message.c_str());
    return cli::kFailed;
  }
  RunOptions options;
  options.config = resolved;
  options.socket = request.socket;
  options.until_idle = request.until_idle;
  if (request.run_for) options.end_at = SystemClock().monotonic() + *request.run_for;
  keeper::KeeperOptions keeper_options;
  keeper_options.host_parameters = options.encode();
  return keeper::run_keeper(keeper_options);
}

int engine() {
  // execveat leaves the name of a descriptor in /proc; people look for "tenon".
  ::prctl(PR_SET_NAME, "tenon-engine");
  return run_engine();
}

void write_identity(JsonWriter& json, const loader::PluginIdentity& identity, const std::string& file) {
  json.begin_object().member("file", file).member("name", identity.name).member("version", identity.version.text());
  json.member("vendor", identity.vendor).member("licence", identity.licence).member("abi", to_string(identity.abi));
  json.key("components").begin_array();
  for (const loader::ComponentIdentity& component : identity.components) {
    json.begin_object().member("component", loader::component_id(component.kind, component.name));
    json.key("schema").raw(component.schema).end_object();
  }
  json.end_array().end_object();
}

// Nothing of the file is executed.
int plugin_info(const std::string& file, bool as_json) {
  const auto identity = loader::inspect_plugin(file);
  if (!identity.ok()) {
    std::fprintf(stderr, "tenon: %s: %s\n", file.c_str(), identity.error().message.c_str());
    return cli::kFailed;
  }
  JsonWriter json(as_json ? JsonWriter::Style::compact : JsonWriter::Style::pretty);
  write_identity(json, *identity, file);
  if (as_json) {
    std::printf("%s\n", json.take().c_str());
    return cli::kDone;
  }
  std::printf("name      %s %s\nvendor    %s\nlicence   %s\nabi       %s (this host: %s)\n", identity->name.c_str(),
              identity->version.text().c_str(), identity->vendor.c_str(), identity->licence.c_str(),
              to_string(identity->abi).c_str(), to_string(loader::host_abi()).c_str());
  for (const std::string& component : identity->component_ids()) std::printf("component %s\n", component.c_str());
  return cli::kDone;
}

}  // namespace

cli::LocalVerbs local_verbs() {
  return {std::string(kVersion), run_host, check_config, plugin_info, engine};
}

}  // namespace tenon::app
