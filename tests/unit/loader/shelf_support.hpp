// What the loader's tests share: the built shelf of plugins, directories of their own, the one kind that the shelf
// uses.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <tenon/restart_policy.h>

#include <gtest/gtest.h>

#include "loader/call_trace.hpp"
#include "loader/component_table.hpp"

namespace tenon::loader::test {

inline std::string shelf(const std::string& name) { return std::string(TENON_SHELF_DIRECTORY) + "/" + name + ".so"; }

inline std::string read_octets(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline void write_octets(const std::string& path, const std::string& octets, mode_t mode = 0644) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(octets.data(), static_cast<std::streamsize>(octets.size()));
  file.close();
  EXPECT_TRUE(file) << path;
  EXPECT_EQ(::chmod(path.c_str(), mode), 0) << path;
}

// Mode 0700, removed with all in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = "/tmp/tenon-loader-test-XXXXXX";
    path_ = ::mkdtemp(pattern.data()) != nullptr ? pattern : std::string();
    EXPECT_FALSE(path_.empty());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string at(const std::string& name) const { return path_ + "/" + name; }
  // As `cp` does: into the same inode if the file is there.
  std::string put(const std::string& shelf_name, const std::string& as) const {
    write_octets(at(as), read_octets(shelf(shelf_name)));
    return at(as);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) names.push_back(entry.path().filename());
    return names;
  }

 private:
  std::string path_;
};

// The stubs tell the completed slots apart from the plugin's own.
inline tenon_status unsupported_stub() { return TENON_ERR_UNSUPPORTED; }
inline void silent_stub() {}
inline AnyFunction silent() { return reinterpret_cast<AnyFunction>(&silent_stub); }

inline KindDescription restart_policy_kind() {
  KindDescription kind;
  kind.kind = TENON_KIND_RESTART_POLICY;
  kind.min_table_size = sizeof(tenon_restart_policy);
  kind.slots = {
      {"create", offsetof(tenon_restart_policy, create), true, nullptr},
      {"destroy", offsetof(tenon_restart_policy, destroy), true, nullptr},
      {"on_exit", offsetof(tenon_restart_policy, on_exit), true, nullptr},
      {"on_ready", offsetof(tenon_restart_policy, on_ready), false, silent()},
      {"reset", offsetof(tenon_restart_policy, reset), false, silent()},
      {"get_interface", offsetof(tenon_restart_policy, get_interface), false, nullptr},
  };
  return kind;
}

// Remembers every call, and what it is in now.
class RecordingTrace final : public CallTrace {
 public:
  void enter(std::string_view file, std::string_view component, std::string_view call) noexcept override {
    calls.emplace_back(call);
    files.emplace_back(file);
    components.emplace_back(component);
    ++depth;
  }
  void leave() noexcept override { --depth; }
  std::vector<std::string> calls, files, components;
  int depth = 0;
};

}  // namespace tenon::loader::test
