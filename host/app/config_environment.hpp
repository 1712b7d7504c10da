// The environment of a child: what it gets, from where, and in which order.
//
// From weak to strong: PATH, HOME, USER and LANG of the host (HOME and USER of `user` where that is set); with
// `inherit_env` everything that the host may pass on; the lines of `env_file`; `env`; and TENON_*, which only the host
// sets. No message ever quotes a value.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/config_reader.hpp"
#include "integration/host_config.hpp"

namespace tenon::app {

struct EnvironmentDraft {
  std::map<std::string, std::string> own;  // `env`
  std::optional<JsonValue> file;           // `env_file`
  bool inherit = false;
  const ConfigUser* user = nullptr;  // null: the host's own
};

using Environment = std::map<std::string, std::string>;

void read_env(ConfigReader& reader, const JsonValue& at, Environment& out);

// All of it but TENON_ID, which differs between replicas.
Environment compose_environment(ConfigReader& reader, const EnvironmentDraft& draft,
                                const integration::ChannelConfig& channel, std::size_t passed_sockets,
                                const std::string& node);
// "NAME=value", sorted.
std::vector<std::string> as_list(const Environment& environment);

// application/json for "json", application/msgpack for "msgpack", and so on for others.
std::string content_type_of(const std::string& serializer);

}  // namespace tenon::app
