// A config while it is being read: the host's values and what has to be checked once everything is known.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "app/config_loader.hpp"
#include "app/config_reader.hpp"

namespace tenon::app {

// A name of something that may be defined further down, and where it stands.
struct NameUse {
  std::string name;
  JsonValue at;
  std::string owner = {};  // the child that depends on it
};

// A component that the config needs, and its `config` object.
struct PluginUse {
  std::string kind;             // "transport"
  std::string name;             // "nats"
  JsonValue at;                 // the name; or the object that needs it, where the name is a default
  bool named = true;            // false: a default
  std::optional<JsonValue> config_at;
  std::string config = "{}";    // expanded
  std::optional<JsonValue> transport = {};  // the one that the component is for
  std::string url = {};                     // the transport's, expanded
  bool without_channel = false;             // it is for a process that has none
};

// Environments of processes that are equal share one list: ten thousand children keep one copy.
class SharedEnvironments {
 public:
  std::shared_ptr<const std::vector<std::string>> share(std::vector<std::string> variables) {
    const auto [known, fresh] = known_.try_emplace(std::move(variables));
    if (fresh) known->second = std::make_shared<const std::vector<std::string>>(known->first);
    return known->second;
  }

 private:
  std::map<std::vector<std::string>, std::shared_ptr<const std::vector<std::string>>> known_;
};

struct ConfigDraft {
  explicit ConfigDraft(const LoadOptions& load_options) : options(load_options) {
    root.id = "root";
    root.on_limit = runtime::OnLimit::fail_child;  // a nested supervisor's is escalate
  }

  const LoadOptions& options;
  integration::HostConfig host;
  runtime::SupervisorConfig root;
  std::size_t processes = 0;
  std::shared_ptr<const integration::WorkerConfig> latest_worker;
  bool too_many_processes = false;  // told already
  std::unordered_map<std::string, JsonValue> ids;           // of children, where each was given first
  std::unordered_map<std::string, std::uint32_t> replicas;  // of the ids that have them; 0: none at present
  std::map<std::string, std::uint32_t> file_replicas;       // the same, before anybody scaled them
  struct Significance {
    JsonValue at;
    const runtime::SupervisorConfig* supervisor;
  };
  std::vector<Significance> significant;  // children that say whether they are
  std::vector<NameUse> dependencies;
  std::vector<NameUse> listening;  // where sockets of processes listen
  std::vector<std::vector<std::string>*> dependency_lists;  // in the tree, those that are not empty
  std::map<std::string, JsonValue> transports;        // where each was given first
  std::vector<NameUse> transport_uses;
  std::vector<PluginUse> plugins;
  std::vector<std::shared_ptr<runtime::ProcessConfig>> checked;  // processes with health checks
  SharedEnvironments environments;
};

// --- the parts; each stands in the source file named beside it ---

// The node's name must be known before children are read. config_host.cpp
void read_node(ConfigReader& reader, const JsonValue& root, ConfigDraft& draft);
void complete_node(ConfigReader& reader, ConfigDraft& draft);
// The whole document of one file. config_host.cpp
void read_host(ConfigReader& reader, const JsonValue& at, ConfigDraft& draft);
// What follows from all files: socket, plugin directories. config_host.cpp
void complete_host(ConfigReader& reader, const JsonValue& main, ConfigDraft& draft);
void describe_host(std::vector<SectionKeys>& out);

void read_transports(ConfigReader& reader, const JsonValue& at, ConfigDraft& draft);  // config_transports.cpp
void describe_transports(std::vector<SectionKeys>& out);

void read_routes(ConfigReader& reader, const JsonValue& at, ConfigDraft& draft);  // config_routes.cpp
void check_transport_uses(ConfigReader& reader, const ConfigDraft& draft);
void describe_routes(std::vector<SectionKeys>& out);

void read_supervision(ConfigReader& reader, const JsonValue& at, ConfigDraft& draft);  // config_supervision.cpp
void check_significance(ConfigReader& reader, const ConfigDraft& draft);
void check_dependencies(ConfigReader& reader, const JsonValue& main, ConfigDraft& draft);
void describe_supervision(std::vector<SectionKeys>& out);

// A child that runs a program, with its replicas. config_process.cpp
void read_process(ConfigReader& reader, const JsonValue& at, const std::string& id, ConfigDraft& draft,
                  runtime::SupervisorConfig& parent);
// `depends_on` of the child `owner`. config_supervision.cpp
void read_depends_on(ConfigReader& reader, const JsonValue& at, const std::string& owner, ConfigDraft& draft,
                     std::vector<std::string>& out);
void describe_process(std::vector<SectionKeys>& out);

// Notes that the config needs the component; returns its config as JSON text, expanded. config_plugins.cpp
std::string use_plugin(ConfigReader& reader, ConfigDraft& draft, PluginUse use);
void check_plugins(ConfigReader& reader, const ConfigDraft& draft);
// To processes that a check watches as systemd's watchdog does: how often they have to be heard, and where they say so.
// After complete_host. config_watchdog.cpp
void give_watchdogs(ConfigReader& reader, ConfigDraft& draft);

}  // namespace tenon::app
