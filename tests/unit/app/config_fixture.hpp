// A directory of a test's own in which configs are written and loaded.
#pragma once

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "app/config_loader.hpp"
#include "unit/common/temporary_directory.hpp"

namespace tenon::app {

class ConfigFixture : public testing::Test {
 protected:
  // The default socket's directory must not be the machine's own.
  void SetUp() override { ::setenv("XDG_RUNTIME_DIR", directory.path().c_str(), 1); }

  std::string write(const std::string& name, const std::string& text, mode_t mode = 0644) {
    const std::string path = directory / name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
  LoadedConfig load(const std::string& text, const LoadOptions& options = {}) {
    return load_config(load_sources(write("tenon.json", text)), options);
  }
  // One child with these members.
  LoadedConfig load_child(const std::string& members, const LoadOptions& options = {}) {
    return load(R"({"supervision": {"children": [{"id": "a", "command": ["true"])" + members + "}]}}", options);
  }

  static std::vector<std::string> lines(const std::vector<ConfigProblem>& problems) {
    std::vector<std::string> texts;
    for (const ConfigProblem& problem : problems) texts.push_back(to_string(problem));
    return texts;
  }
  static const runtime::ProcessConfig& process(const LoadedConfig& loaded, std::size_t index) {
    return *std::get<std::shared_ptr<const runtime::ProcessConfig>>(loaded.config.supervision->children.at(index));
  }
  static const runtime::SupervisorConfig& supervisor(const LoadedConfig& loaded, std::size_t index) {
    return *std::get<std::shared_ptr<const runtime::SupervisorConfig>>(loaded.config.supervision->children.at(index));
  }
  // What the process gets, shared and own.
  static std::vector<std::string> environment(const runtime::ProcessConfig& process) {
    std::vector<std::string> all = *process.shared_env;
    all.insert(all.end(), process.env.begin(), process.env.end());
    return all;
  }

  TemporaryDirectory directory;
};

// schemas/ of the source tree.
inline std::filesystem::path schema_directory() {
  return std::filesystem::path(__FILE__).parent_path() / "../../../schemas";
}

}  // namespace tenon::app
