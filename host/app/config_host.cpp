// The host's own sections: node, plugins, control, logging, engine, limits, schemas, dead_letters.
#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "app/config_address.hpp"
#include "app/config_draft.hpp"
#include "common/text.hpp"

namespace tenon::app {

using namespace std::chrono_literals;
using integration::ControlConfig;
using integration::HostConfig;
using integration::SchemaMode;

namespace {

constexpr std::size_t kMaxDirectories = 64;
constexpr std::size_t kMaxNode = 64;
constexpr std::int64_t kMaxDeadLetters = 10'000'000;
constexpr std::uint64_t kMiB = 1u << 20;

constexpr Choice<log::Level> kLevels[] = {{"trace", log::Level::trace}, {"debug", log::Level::debug},
                                          {"info", log::Level::info},   {"warn", log::Level::warn},
                                          {"error", log::Level::error}, {"off", log::Level::off}};
constexpr Choice<log::Format> kFormats[] = {{"text", log::Format::text}, {"json", log::Format::json}};
constexpr Choice<SchemaMode> kModes[] = {
    {"enforce", SchemaMode::enforce}, {"warn", SchemaMode::warn}, {"off", SchemaMode::off}};

void add_directory(ConfigReader& reader, const JsonValue& at, std::vector<std::string>& out, bool plugins) {
  std::string path, written;
  // Empty, as "${PLUGINS:-}" is where the variable is not set, stands for no directory.
  if (!reader.text(at, written, "a path to a directory") || written.empty() || !reader.path(at, path)) return;
  if (!reader.machine().replay()) {
    const Status fine = plugins ? loader::check_plugin_directory(path) : Status();
    const std::string wrong = fine ? reader.machine().wrong_with_directory(path) : fine.error().message;
    if (!wrong.empty()) {
      reader.refuse(at, wrong);
      return;
    }
  }
  if (std::find(out.begin(), out.end(), path) == out.end()) out.push_back(std::move(path));
}

constexpr Key<HostConfig> kPluginKeys[] = {
    {"directories",
     [](ConfigReader& reader, const JsonValue& at, HostConfig& out) {
       reader.array(at, kMaxDirectories, "directories",
                    [&](const JsonValue& one) { add_directory(reader, one, out.plugin_directories, true); });
     },
     KeyRule::adds},
    {"watch",
     [](ConfigReader& reader, const JsonValue& at, HostConfig& out) { reader.boolean(at, out.watch_plugins); }},
};

void read_listen(ConfigReader& reader, const JsonValue& at, ControlConfig& out) {
  std::string text;
  if (!reader.text(at, text, "an address such as \"127.0.0.1:7070\"")) return;
  const auto listen = parse_ip_and_port(text);
  if (!listen) {
    reader.wrong(at, "an address and a port such as \"127.0.0.1:7070\" or \"[::1]:7070\"");
  } else if (!is_loopback(*listen)) {
    reader.refuse(at, "listening beyond loopback needs TLS, which this version does not offer; listen on 127.0.0.1 and "
                      "put a TLS proxy before it", "a loopback address");
  } else {
    out.http_listen = to_string(*listen);
  }
}

void read_token_file(ConfigReader& reader, const JsonValue& at, ControlConfig& out) {
  if (!reader.path(at, out.http_token_file)) return;
  const std::string wrong = reader.machine().wrong_with_secret(out.http_token_file);
  if (!wrong.empty()) reader.refuse(at, wrong, "a file that the host's user alone may read");
}

constexpr Key<ControlConfig> kHttpKeys[] = {{"listen", read_listen}, {"token_file", read_token_file}};
const Section<ControlConfig> kHttp{"http", kHttpKeys, {"listen", "token_file"}};

void read_socket(ConfigReader& reader, const JsonValue& at, ControlConfig& out) {
  std::string path;
  if (!reader.path(at, path)) return;
  constexpr std::size_t limit = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() > limit) {
    reader.refuse(at, "the socket's path has " + std::to_string(path.size()) + " octets, the kernel takes " +
                          std::to_string(limit) + "; choose a shorter one",
                  "a path of at most " + std::to_string(limit) + " octets");
    return;
  }
  const std::string wrong = reader.machine().wrong_with_socket(path);
  if (!wrong.empty()) reader.refuse(at, wrong, "a path where the host may make a socket");
  out.socket = path;
}

constexpr Key<ControlConfig> kControlKeys[] = {
    {"socket", read_socket},
    {"http",
     [](ConfigReader& reader, const JsonValue& at, ControlConfig& out) { read_section(reader, at, kHttp, out); }},
};

constexpr Key<HostConfig> kLoggingKeys[] = {
    {"level", [](ConfigReader& reader, const JsonValue& at,
                 HostConfig& out) { reader.choice<log::Level>(at, out.log_level, kLevels); }},
    {"format", [](ConfigReader& reader, const JsonValue& at,
                  HostConfig& out) { reader.choice<log::Format>(at, out.log_format, kFormats); }},
};

constexpr Key<HostConfig> kEngineKeys[] = {
    {"hang_timeout", [](ConfigReader& reader, const JsonValue& at,
                        HostConfig& out) { reader.duration(at, out.hang_timeout, 100ms, 1h); }},
};

constexpr Key<HostConfig> kLimitKeys[] = {
    {"events", [](ConfigReader& reader, const JsonValue& at,
                  HostConfig& out) { reader.size(at, out.event_limit, kMiB, kMiB << 20); }},
    {"request_timeout", [](ConfigReader& reader, const JsonValue& at,
                           HostConfig& out) { reader.duration(at, out.request_timeout, 1ms, 24h); }},
    {"block_for", [](ConfigReader& reader, const JsonValue& at,
                     HostConfig& out) { reader.duration(at, out.block_for, 0s, 1h); }},
};

constexpr Key<HostConfig> kSchemaKeys[] = {
    {"directories",
     [](ConfigReader& reader, const JsonValue& at, HostConfig& out) {
       reader.array(at, kMaxDirectories, "directories",
                    [&](const JsonValue& one) { add_directory(reader, one, out.schema_directories, false); });
     },
     KeyRule::adds},
    {"mode", [](ConfigReader& reader, const JsonValue& at,
                HostConfig& out) { reader.choice<SchemaMode>(at, out.schema_mode, kModes); }},
};

constexpr Key<HostConfig> kDeadLetterKeys[] = {
    {"capacity", [](ConfigReader& reader, const JsonValue& at,
                    HostConfig& out) { reader.whole(at, out.dead_letter_capacity, 1, kMaxDeadLetters); }},
};

const Section<HostConfig> kPlugins{"plugins", kPluginKeys, {}, true};
const Section<ControlConfig> kControl{"control", kControlKeys, {}, true};
const Section<HostConfig> kLogging{"logging", kLoggingKeys, {}, true};
const Section<HostConfig> kEngine{"engine", kEngineKeys, {}, true};
const Section<HostConfig> kLimits{"limits", kLimitKeys, {}, true};
const Section<HostConfig> kSchemas{"schemas", kSchemaKeys, {}, true};
const Section<HostConfig> kDeadLetters{"dead_letters", kDeadLetterKeys, {}, true};

template <const Section<HostConfig>& section>
void read_part(ConfigReader& reader, const JsonValue& at, ConfigDraft& draft) {
  read_section(reader, at, section, draft.host);
}

void ignore(ConfigReader&, const JsonValue&, ConfigDraft&) {}

constexpr Key<ConfigDraft> kRootKeys[] = {
    {"$schema",  // for editors
     [](ConfigReader& reader, const JsonValue& at, ConfigDraft&) {
       if (!at.is_string()) reader.wrong(at, "a string");
     },
     KeyRule::adds},
    {"include", ignore, KeyRule::adds},  // followed by load_sources()
    {"node", ignore},                    // read_node() has it
    {"plugins", read_part<kPlugins>, KeyRule::adds},
    {"control", [](ConfigReader& reader, const JsonValue& at,
                   ConfigDraft& draft) { read_section(reader, at, kControl, draft.host.control); }, KeyRule::adds},
    {"logging", read_part<kLogging>, KeyRule::adds},
    {"engine", read_part<kEngine>, KeyRule::adds},
    {"limits", read_part<kLimits>, KeyRule::adds},
    {"transports", read_transports, KeyRule::adds},
    {"routes", read_routes, KeyRule::adds},
    {"schemas", read_part<kSchemas>, KeyRule::adds},
    {"dead_letters", read_part<kDeadLetters>, KeyRule::adds},
    {"supervision", read_supervision, KeyRule::adds},
    {"durable", nullptr, KeyRule::reserved},
};
const Section<ConfigDraft> kRoot{"", kRootKeys, {}, true};

std::string legal_node(const std::string& hostname) {
  std::string node;
  for (const char c : hostname.substr(0, kMaxNode)) {
    const bool legal =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    node += legal ? c : '-';
  }
  return node.empty() ? "localhost" : node;
}

}  // namespace

void read_node(ConfigReader& reader, const JsonValue& root, ConfigDraft& draft) {
  if (const auto at = root.find("node")) reader.identifier(*at, draft.host.node, kMaxNode);
}

void read_host(ConfigReader& reader, const JsonValue& at, ConfigDraft& draft) {
  read_section(reader, at, kRoot, draft);
}

void complete_node(ConfigReader& reader, ConfigDraft& draft) {
  if (draft.host.node.empty()) draft.host.node = legal_node(reader.machine().hostname());
}

void complete_host(ConfigReader& reader, const JsonValue& main, ConfigDraft& draft) {
  HostConfig& host = draft.host;
  const std::string own = reader.machine().own_plugin_directory();
  host.own_plugin_directory = own;
  auto& directories = host.plugin_directories;
  if (!own.empty() && std::find(directories.begin(), directories.end(), own) == directories.end()) {
    directories.push_back(own);
  }
  if (host.control.socket.empty()) {
    const auto directory = reader.machine().runtime_directory();
    if (directory) {
      host.control.socket = *directory + "/tenon.sock";
    } else {
      reader.refuse(main, directory.error().message + "; or set control.socket");
    }
  }
}

void describe_host(std::vector<SectionKeys>& out) {
  for (const auto* section : {&kPlugins, &kLogging, &kEngine, &kLimits, &kSchemas, &kDeadLetters}) {
    out.push_back(keys_of(*section));
  }
  out.push_back(keys_of(kRoot));
  out.push_back(keys_of(kControl));
  out.push_back(keys_of(kHttp));
}

}  // namespace tenon::app
