// The text of a config and everything else that it was made from, as one value.
//
// The model. Reading a config has two halves. load_sources() collects the main file, the files that it includes and the
// host's environment. load_config() turns that into a HostConfig; what it has to ask the machine meanwhile (env_file
// files, users, the host's name) it adds to the records. The completed value is kept by the keeper as bytes, so that a
// restarted engine rebuilds the very same config without reading the disk, whatever was edited since. The bytes hold
// secrets: they stay in memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_problem.hpp"
#include "common/result.hpp"

namespace tenon::app {

struct ConfigSource {
  std::string name;  // for messages: as the operator wrote it, or beside the including file as that was written
  std::string path;  // absolute, without symbolic links
  std::string text;
  bool operator==(const ConfigSource&) const = default;
};

struct ConfigUser {
  std::string name;
  std::string home;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;  // supplementary, the gid included
  bool operator==(const ConfigUser&) const = default;
};

// What the machine said while the config was read first.
struct ConfigRecords {
  std::vector<std::string> environment;             // the host's own, "NAME=value"
  std::map<std::string, std::string> env_files;     // absolute path → text
  std::map<std::string, ConfigUser> users;          // by the name in the config
  std::map<std::string, std::string> facts;         // "hostname", "runtime_directory", …: see ConfigMachine
  bool operator==(const ConfigRecords&) const = default;
};

struct ConfigSources {
  static constexpr std::size_t kMaxFiles = 1024;
  static constexpr std::size_t kMaxFileBytes = 16u << 20;
  static constexpr std::size_t kMaxBytes = 32u << 20;  // of all files together; the keeper holds 64 MiB
  static constexpr std::uint32_t kMaxIncludeDepth = 8;

  std::vector<ConfigSource> files;  // the main one first, then what it includes, depth first, each file once
  ConfigRecords records;
  std::vector<ConfigProblem> problems;  // of reading the files; not part of the bytes

  std::string to_bytes() const;
  // errc::bad_data for anything that to_bytes() of this version would not have made.
  static Result<ConfigSources> from_bytes(std::string_view bytes);
};

// Reads `path` and what it includes. Never fails: what could not be read stands in `problems`, with the place of the
// `include` that asked for it. An include is a path or a shell pattern, relative to the file that holds it; a pattern
// may match nothing, its matches come sorted by name. What is no JSON is kept: load_config() says why.
ConfigSources load_sources(const std::string& path);

}  // namespace tenon::app
