// The engine on another binary, with real processes: none is touched, and what does not take over is rolled back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

// A host that runs a copy of the binary, which the test replaces.
class Upgrade : public testing::Test {
 protected:
  Upgrade() : installed_(fs::temp_directory_path() / ("tenon-upgrade-" + std::to_string(::getpid()))) {
    install(read_text(tenon_binary()));
    HostProcess::Options options;
    options.binary = installed_;
    options.environment = {"BASH_ENV=" + installed_ + ".hang", "PLUGINS=" TENON_PLUGIN_DIRECTORY};
    host_.emplace(R"({ "plugins": { "directories": ["${PLUGINS}"] }, "supervision": { "children": [
      { "id": "echo", "command": ["python3", "${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
        "subscribe": [ { "topic": "ask" } ], "ready": { "on": "event", "timeout": "1m" } },
      { "id": "quiet", "command": ["sleep", "1000"] } ] } })", options);
  }
  ~Upgrade() override {
    fs::remove(installed_);
    fs::remove(installed_ + ".hang");
  }
  // As a package manager does: beside it, then over it.
  void install(const std::string& content) {
    write_text(installed_ + ".new", content);
    fs::permissions(installed_ + ".new", fs::perms(0755));
    fs::rename(installed_ + ".new", installed_);
  }
  void expect_untouched() {
    EXPECT_EQ(host_->worker_pid("echo"), echo_);
    EXPECT_EQ(host_->worker_pid("quiet"), quiet_);
    EXPECT_EQ(host_->engine_restarts(), 0) << "an upgrade is no crash";
  }
  void start() {
    ASSERT_TRUE(host_->start()) << host_->log();
    echo_ = host_->worker_pid("echo"), quiet_ = host_->worker_pid("quiet");
  }

  std::string installed_;
  std::optional<HostProcess> host_;
  pid_t echo_ = 0, quiet_ = 0;
};

TEST_F(Upgrade, GoesOnWithAnEngineOfTheInstalledBinary) {
  ASSERT_NO_FATAL_FAILURE(start());
  const pid_t engine = host_->engine_pid();
  install(read_text(tenon_binary()));
  const ProgramResult upgraded = host_->cli({"upgrade"});
  EXPECT_EQ(upgraded.exit_code, 0) << upgraded.err << host_->log();
  EXPECT_THAT(upgraded.out, HasSubstr("has taken over"));
  EXPECT_NE(host_->engine_pid(), engine);
  // The new one runs the new file; the old file is gone.
  EXPECT_EQ(fs::read_symlink("/proc/" + std::to_string(host_->engine_pid()) + "/exe"), installed_);
  expect_untouched();
  EXPECT_EQ(host_->cli({"request", "ask", "--data", "1"}).exit_code, 0) << "the channel goes on";
}

TEST_F(Upgrade, StaysOnTheNewBinaryWhenTheEngineDies) {
  ASSERT_NO_FATAL_FAILURE(start());
  install(read_text(tenon_binary()));
  ASSERT_EQ(host_->cli({"upgrade"}).exit_code, 0);
  ::kill(host_->engine_pid(), SIGKILL);
  ASSERT_TRUE(host_->wait_for_engine_restart(1));
  EXPECT_EQ(fs::read_symlink("/proc/" + std::to_string(host_->engine_pid()) + "/exe"), installed_);
}

TEST_F(Upgrade, IsRolledBackWhenTheNewOneCannotBeExecuted) {
  ASSERT_NO_FATAL_FAILURE(start());
  install("neither a program nor a script");
  const ProgramResult upgraded = host_->cli({"upgrade"});
  EXPECT_EQ(upgraded.exit_code, 1);
  EXPECT_THAT(upgraded.err, HasSubstr("goes on as it was"));
  expect_untouched();
  EXPECT_EQ(host_->cli({"request", "ask", "--data", "1"}).exit_code, 0);
}

TEST_F(Upgrade, IsRolledBackWhenTheNewOneEnds) {
  ASSERT_NO_FATAL_FAILURE(start());
  install(read_text("/bin/false"));
  const ProgramResult upgraded = host_->cli({"upgrade"});
  EXPECT_EQ(upgraded.exit_code, 1);
  EXPECT_THAT(upgraded.err, HasSubstr("exit code 1"));
  expect_untouched();
  EXPECT_EQ(host_->cli({"request", "ask", "--data", "1"}).exit_code, 0);
}

TEST_F(Upgrade, IsRolledBackWhenTheNewOneDoesNotTakeOver) {
  ASSERT_NO_FATAL_FAILURE(start());
  write_text(installed_ + ".hang", "read -r line < <(exec sleep 60)\n");  // what a bash does before all else
  install(read_text("/bin/bash"));
  const ProgramResult upgraded = host_->cli({"upgrade"});
  EXPECT_EQ(upgraded.exit_code, 1) << upgraded.out;
  EXPECT_THAT(upgraded.err, HasSubstr("did not take over within 5 s"));
  expect_untouched();
  EXPECT_EQ(host_->cli({"request", "ask", "--data", "1"}).exit_code, 0);
}

TEST_F(Upgrade, IsOneAtATime) {
  ASSERT_NO_FATAL_FAILURE(start());
  write_text(installed_ + ".hang", "read -r line < <(exec sleep 60)\n");
  install(read_text("/bin/bash"));
  EXPECT_EQ(host_->http_post("/v1/upgrade", "").substr(9, 3), "202");
  // The engine that was asked answers until it leaves; then nobody does before the trial is over.
  const std::string second = host_->http_post("/v1/upgrade", "");
  EXPECT_TRUE(second.empty() || second.substr(9, 3) != "202") << second;
  ASSERT_TRUE(wait_until([&] {
    const auto info = host_->json({"info"});
    return info && info->root().find("upgrades")->as_u64() == 1u;
  }));
  EXPECT_THAT(host_->cli({"info"}).out, HasSubstr("did not take over"));
  expect_untouched();
}

TEST_F(Upgrade, IsNotWaitedForWhenTheHostGoesAway) {
  ASSERT_NO_FATAL_FAILURE(start());
  write_text(installed_ + ".hang", ": > " + host_->path("hangs") + "; read -r line < <(exec sleep 60)\n");
  install(read_text("/bin/bash"));
  BackgroundProgram upgrade({tenon_binary(), "upgrade", "--socket", host_->socket()}, {}, host_->path("upgrade"));
  ASSERT_TRUE(wait_until([&] { return fs::exists(host_->path("hangs")); })) << host_->log();
  host_->signal(SIGKILL);
  EXPECT_EQ(upgrade.wait(), 3);
  EXPECT_THAT(read_text(host_->path("upgrade")), HasSubstr("the host went away"));
}

TEST_F(Upgrade, IsRefusedWhenThereIsNothingToRun) {
  ASSERT_NO_FATAL_FAILURE(start());
  const pid_t engine = host_->engine_pid();
  fs::remove(installed_);
  const ProgramResult upgraded = host_->cli({"upgrade"});
  EXPECT_EQ(upgraded.exit_code, 1);
  EXPECT_THAT(upgraded.err, HasSubstr("install it first"));
  EXPECT_EQ(host_->engine_pid(), engine);
  expect_untouched();
}

TEST_F(Upgrade, IsRefusedWhenOthersMayWriteTheBinary) {
  ASSERT_NO_FATAL_FAILURE(start());
  fs::permissions(installed_, fs::perms(0777));
  const ProgramResult upgraded = host_->cli({"upgrade"});
  EXPECT_EQ(upgraded.exit_code, 1);
  EXPECT_THAT(upgraded.err, HasSubstr("go-w"));
  expect_untouched();
}

}  // namespace
}  // namespace tenon::test_support
