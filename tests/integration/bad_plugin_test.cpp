// Plugins dropped into the directory of a running host: the good ones are used, the bad ones are named, and no worker
// notices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using ::testing::HasSubstr;

class DroppedPlugin : public ::testing::Test {
 protected:
  DroppedPlugin()
      : host_(R"({ "plugins": { "directories": ["dropped"] }, "supervision": { "children": [
      { "id": "echo", "replicas": 2, "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
        "subscribe": [{ "topic": "ask", "group": "echoes" }], "ready": { "on": "event" } } ] } })") {
    std::filesystem::create_directory(host_.path("dropped"));
  }

  void SetUp() override {
    ASSERT_TRUE(host_.start()) << host_.log();
    pids_ = {host_.worker_pid("echo.1"), host_.worker_pid("echo.2")};
  }

  // As a package manager installs it: beside, then renamed into its place.
  void drop(const std::string& plugin, const std::string& as = {}) {
    const std::string target = host_.path("dropped/" + (as.empty() ? plugin : as) + ".so");
    std::filesystem::copy_file(TENON_SHELF_DIRECTORY "/" + plugin + ".so", target + ".new",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::rename(target + ".new", target);
  }
  // What `plugin list` says of the file; "" if it does not know it.
  std::string field(const std::string& file, const char* name) const {
    const auto list = host_.json({"plugin", "list"});
    if (!list) return "";
    for (const JsonValue plugin : list->root().elements()) {
      if (!plugin.find("file")->as_string().value_or("").ends_with("/dropped/" + file + ".so")) continue;
      return std::string(plugin.find(name)->as_string().value_or(""));
    }
    return "";
  }
  bool becomes(const std::string& file, const std::string& state) {
    return wait_until([&] { return field(file, "state") == state; });
  }
  void expect_workers_untouched() {
    EXPECT_EQ((std::vector<pid_t>{host_.worker_pid("echo.1"), host_.worker_pid("echo.2")}), pids_);
    EXPECT_EQ(host_.cli({"request", "ask", "--data", "1"}).exit_code, 0) << host_.log();
  }

  HostProcess host_;
  std::vector<pid_t> pids_;
};

TEST_F(DroppedPlugin, AGoodOneIsLoaded) {
  drop("good");
  EXPECT_TRUE(becomes("good", "loaded")) << host_.log();
  EXPECT_EQ(host_.engine_restarts(), 0);
  expect_workers_untouched();
}

TEST_F(DroppedPlugin, OneOfAnotherAbiIsRejectedWithBothVersions) {
  drop("other_major");
  ASSERT_TRUE(becomes("other_major", "rejected")) << host_.log();
  EXPECT_THAT(field("other_major", "reason"), HasSubstr("ABI"));
  EXPECT_EQ(host_.engine_restarts(), 0);
  expect_workers_untouched();
}

TEST_F(DroppedPlugin, TheRejectedAreEachRejectedForAReason) {
  const std::vector<std::string> shelf = {"no_note",      "no_symbol",         "missing_slot", "no_struct_size",
                                          "returns_null", "unresolved_symbol", "illegal_name", "two_notes"};
  for (const std::string& plugin : shelf) drop(plugin);
  for (const std::string& plugin : shelf) {
    EXPECT_TRUE(becomes(plugin, "rejected")) << plugin << "\n" << host_.log();
    EXPECT_NE(field(plugin, "reason"), "") << plugin;
  }
  EXPECT_EQ(host_.engine_restarts(), 0);
  expect_workers_untouched();
}

TEST_F(DroppedPlugin, TextInsteadOfALibraryIsRejected) {
  write_text(host_.path("dropped/text.so"), "no library\n");
  EXPECT_TRUE(becomes("text", "rejected")) << host_.log();
  expect_workers_untouched();
}

TEST_F(DroppedPlugin, OneThatAbortsInItsConstructorIsQuarantinedAfterOneEngineRestart) {
  drop("abort_in_constructor");
  ASSERT_TRUE(becomes("abort_in_constructor", "quarantined")) << host_.log();
  EXPECT_EQ(host_.engine_restarts(), 1) << host_.log();
  expect_workers_untouched();
  // And never touched again: not by the next engine either.
  ::kill(host_.engine_pid(), SIGKILL);
  ASSERT_TRUE(host_.wait_for_engine_restart(2)) << host_.log();
  EXPECT_EQ(field("abort_in_constructor", "state"), "quarantined");
  EXPECT_EQ(host_.engine_restarts(), 2);
  expect_workers_untouched();
}

TEST_F(DroppedPlugin, OneThatCrashesTheEngineWithoutATraceIsLeftOutInSafeMode) {
  drop("abort_in_thread");
  EXPECT_TRUE(wait_until([&] {
    const auto info = host_.json({"info"});
    return info && info->root().find("safe_mode")->as_bool() == true;
  })) << host_.log();
  EXPECT_EQ(host_.engine_restarts(), 5) << host_.log();
  EXPECT_EQ(field("abort_in_thread", "state"), "") << "it is not even looked at";
  EXPECT_THAT(host_.log(), HasSubstr("safe mode"));
  expect_workers_untouched();
  EXPECT_EQ(host_.stop(), 0);
}

TEST_F(DroppedPlugin, CopyingOverALoadedOneHarmsNobody) {
  drop("good");
  ASSERT_TRUE(becomes("good", "loaded")) << host_.log();
  // cp truncates and rewrites the file in place.
  ASSERT_EQ(run_program({"cp", TENON_SHELF_DIRECTORY "/good_2_0_0.so", host_.path("dropped/good.so")}).exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return field("good", "version") == "2.0.0"; })) << host_.log();
  ASSERT_EQ(run_program({"truncate", "--size=0", host_.path("dropped/good.so")}).exit_code, 0);
  expect_workers_untouched();
  EXPECT_EQ(host_.engine_restarts(), 0) << host_.log();
}

// A restart policy that brings the engine down when its process ends.
class BadPolicy : public ::testing::TestWithParam<const char*> {
 protected:
  BadPolicy() : host_(config()) {
    std::filesystem::create_directory(host_.path("policies"));
    std::filesystem::copy_file(TENON_SHELF_DIRECTORY "/" + std::string(GetParam()) + ".so", file());
  }
  static std::string config() {
    return R"({ "engine": { "hang_timeout": "1s" }, "plugins": { "directories": ["policies"] },
      "supervision": { "children": [
        { "id": "victim", "command": ["sleep", "1000"], "restart": { "policy": ")" +
           std::string(GetParam()) + R"(" } },
        { "id": "echo", "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
          "subscribe": [{ "topic": "ask" }], "ready": { "on": "event" } } ] } })";
  }
  std::string file() const { return host_.path("policies/" + std::string(GetParam()) + ".so"); }
  bool is_quarantined() const {
    const auto list = host_.json({"plugin", "list"});
    if (!list) return false;
    for (const JsonValue plugin : list->root().elements())
      if (plugin.find("file")->as_string() == file()) return plugin.find("state")->as_string() == "quarantined";
    return false;
  }

  HostProcess host_;
};

TEST_P(BadPolicy, IsQuarantinedAfterOneEngineRestartAndABackOffStandsIn) {
  ASSERT_TRUE(host_.start()) << host_.log();
  const pid_t victim = host_.worker_pid("victim"), echo = host_.worker_pid("echo");
  ASSERT_GT(victim, 0);
  ::kill(victim, SIGKILL);
  ASSERT_TRUE(wait_until([&] { return host_.engine_restarts() == 1; })) << host_.log();
  ASSERT_TRUE(wait_until([&] { return host_.worker_pid("victim") > 0 && host_.worker_pid("victim") != victim; }))
      << host_.log();
  EXPECT_TRUE(is_quarantined()) << host_.log();
  EXPECT_EQ(host_.worker_pid("echo"), echo);
  EXPECT_EQ(host_.cli({"request", "ask", "--data", "1"}).exit_code, 0) << host_.log();
  EXPECT_EQ(host_.engine_restarts(), 1) << host_.log();
}

INSTANTIATE_TEST_SUITE_P(Shelf, BadPolicy,
                         ::testing::Values("abort_in_create", "overflow_in_create", "spin_in_on_exit"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace tenon::test_support
