// What goes wrong with one process, or with the machine: the others keep running, and what is said names the process and
// the reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// A host with the children given and one that answers, which nothing must touch.
class Faults : public ::testing::Test {
 protected:
  void begin(const std::string& children, HostProcess::Options options = {}, const std::string& more = "") {
    host_.emplace("{ " + more + R"( "supervision": { "children": [
      { "id": "echo", "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
        "subscribe": [{ "topic": "ask" }], "ready": { "on": "event", "timeout": "1m" } },)" + children + "] } }",
                  std::move(options));
  }
  void launch() {
    host_->launch();
    ASSERT_TRUE(wait_until([&] { return host_->worker_status("echo") == "idle"; })) << host_->log();
    echo_ = host_->worker_pid("echo");
  }
  void expect_others_to_run() {
    EXPECT_EQ(host_->worker_pid("echo"), echo_);
    EXPECT_EQ(host_->cli({"request", "ask", "--data", "1"}).exit_code, 0) << host_->log();
    EXPECT_EQ(host_->engine_restarts(), engine_restarts_) << host_->log();
  }
  std::string text(const std::string& id, const char* key) const {
    const auto status = host_->json({"status", id});
    const auto found = status ? status->root().find(key) : std::nullopt;
    return found ? found->is_string() ? std::string(*found->as_string()) : found->to_json() : "";
  }

  std::optional<HostProcess> host_;
  pid_t echo_ = 0;
  int engine_restarts_ = 0;
};

TEST_F(Faults, AProcessThatIgnoresTermIsKilledAfterItsGrace) {
  begin(R"({ "id": "w", "command": ["bash", "-c", "trap '' TERM; exec sleep 1000"], "stop": { "grace": "50ms" } })");
  ASSERT_NO_FATAL_FAILURE(launch());
  const pid_t before = host_->worker_pid("w");
  EXPECT_EQ(host_->cli({"restart", "w"}).exit_code, 0) << host_->log();
  EXPECT_NE(host_->worker_pid("w"), before);
  EXPECT_THAT(text("w", "last_exit"), HasSubstr("signal 9 (KILL): it had not ended 50 ms after TERM"));
  EXPECT_EQ(host_->cli({"stop", "w"}).exit_code, 0);
  EXPECT_EQ(text("w", "status"), "terminated");
  expect_others_to_run();
}

TEST_F(Faults, AProcessThatFloodsItsLogIsSlowedDownAndSaysWhatWasDropped) {
  begin(R"({ "id": "w", "command": ["yes", "a line of a flood"], "log": { "rate": "64KiB", "burst": "64KiB" } })");
  ASSERT_NO_FATAL_FAILURE(launch());
  EXPECT_TRUE(wait_until([&] { return host_->cli({"logs", "w"}).out.find("dropped: over the rate of 64 KiB a second") !=
                                      std::string::npos; }));
  expect_others_to_run();
}

TEST_F(Faults, AScriptWhoseInterpreterIsMissingIsNamedWithIt) {
  begin(R"({ "id": "w", "command": ["${TEST}/script"] })");
  write_text(host_->path("script"), "#!/no/such/interpreter\n");
  ASSERT_EQ(::chmod(host_->path("script").c_str(), 0700), 0);
  ASSERT_NO_FATAL_FAILURE(launch());
  EXPECT_TRUE(wait_until([&] { return text("w", "status") == "error"; })) << host_->log();
  EXPECT_THAT(text("w", "reason"), HasSubstr("its interpreter (the #! line)"));
  EXPECT_THAT(host_->log(), HasSubstr("/no/such/interpreter"));
  expect_others_to_run();
}

// After the fork and before the exec.
TEST_F(Faults, AProcessWhoseDirectoryHasGoneDoesNotStartAgain) {
  begin(R"({ "id": "w", "command": ["sleep", "1000"], "cwd": "${TEST}/place" })");
  fs::create_directory(host_->path("place"));
  ASSERT_NO_FATAL_FAILURE(launch());
  ASSERT_TRUE(wait_until([&] { return host_->worker_pid("w") != 0; }));
  fs::remove(host_->path("place"));
  ::kill(host_->worker_pid("w"), SIGKILL);
  EXPECT_TRUE(wait_until([&] { return text("w", "status") == "error"; })) << host_->log();
  EXPECT_THAT(text("w", "reason"), HasSubstr(host_->path("place")));
  expect_others_to_run();
}

TEST_F(Faults, APolicyThatAnswersNonsenseIsToldByNameAndABackOffStandsIn) {
  begin(R"({ "id": "w", "command": ["sleep", "1000"], "restart": { "policy": "nonsense_on_exit" } })", {},
        R"("plugins": { "directories": ["policies"] },)");
  fs::create_directory(host_->path("policies"));
  fs::copy_file(TENON_SHELF_DIRECTORY "/nonsense_on_exit.so", host_->path("policies/nonsense_on_exit.so"));
  ASSERT_NO_FATAL_FAILURE(launch());
  ASSERT_TRUE(wait_until([&] { return host_->worker_pid("w") != 0; }));
  const pid_t before = host_->worker_pid("w");
  ::kill(before, SIGKILL);
  EXPECT_TRUE(wait_until([&] { return text("w", "status") == "idle" && host_->worker_pid("w") != before; }));
  EXPECT_THAT(text("w", "history"), HasSubstr("built-in back-off stands in for the policy \\\"nonsense_on_exit\\\""));
  EXPECT_THAT(host_->log(), HasSubstr("the action 4711"));
  EXPECT_THAT(host_->http_answer("/metrics"),
              HasSubstr(R"(tenon_plugin_misbehaviour_total{plugin="nonsense_on_exit")"));
  expect_others_to_run();
}

// ---- the machine ----

// A control group that holds so many processes and threads, with all of the host in it; empty: none can be made.
class ProcessTable {
 public:
  explicit ProcessTable(int size) {
    const std::string mount = fs::exists("/sys/fs/cgroup/pids/cgroup.procs") ? "/sys/fs/cgroup/pids" : "/sys/fs/cgroup";
    const std::string path = mount + "/tenon-test-" + std::to_string(::getpid());
    std::error_code failed;
    if (!fs::create_directory(path, failed) || failed) return;
    path_ = path;
    if (!fs::exists(path_ + "/pids.max")) remove();
    else resize(size);
  }
  ~ProcessTable() { remove(); }
  bool exists() const { return !path_.empty(); }
  void resize(int size) { write_text(path_ + "/pids.max", std::to_string(size)); }
  HostProcess::Options options() const {
    HostProcess::Options options;
    options.wrapper = {"bash", "-c", "echo $$ > " + path_ + "/cgroup.procs && exec \"$@\"", "bash"};
    return options;
  }

 private:
  // The host's own groups in it are gone with the host.
  void remove() {
    if (!path_.empty()) wait_until([&] { return ::rmdir(path_.c_str()) == 0 || errno == ENOENT; });
    path_.clear();
  }
  std::string path_;
};

struct Counts {
  std::size_t idle = 0, waiting = 0;
};
Counts counts(const HostProcess& host) {
  Counts found;
  const auto listed = host.json({"ps"});
  if (!listed) return found;
  for (const JsonValue process : listed->root().elements()) {
    if (!process.find("id")->as_string()->starts_with("many.")) continue;
    found.idle += process.find("status")->as_string() == "idle";
    found.waiting += process.find("reason")->as_string()->find("the machine is short of something") == 0;
  }
  return found;
}

TEST_F(Faults, WhereTheProcessTableIsFullTheRestWaitsAndComesWhenThereIsRoom) {
  ProcessTable table(24);
  if (!table.exists()) GTEST_SKIP() << "this user may not make control groups that limit processes";
  begin(R"({ "id": "many", "replicas": 40, "command": ["sleep", "1000"], "depends_on": ["echo"] })", table.options());
  ASSERT_NO_FATAL_FAILURE(launch());
  ASSERT_TRUE(wait_until([&] { return counts(*host_).idle > 5 && counts(*host_).waiting > 5; })) << host_->log();
  expect_others_to_run();
  EXPECT_THAT(host_->cli({"ps"}).out, HasSubstr("Resource temporarily unavailable"));
  // An engine is a process, too; its place may be taken meanwhile.
  ASSERT_EQ(::kill(host_->engine_pid(), SIGKILL), 0);
  ASSERT_TRUE(wait_until([&] { return host_->engine_restarts() > 0; })) << host_->log();
  table.resize(500);
  EXPECT_TRUE(wait_until([&] { return counts(*host_).idle == 40; })) << host_->log();
  engine_restarts_ = 1;
  expect_others_to_run();
  EXPECT_EQ(host_->stop(), 0);
  host_.reset();
}

// A small file system of the host's own; the test sees it through the host.
class SmallDisk {
 public:
  static bool may_be_made() {
    return run_program({"unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"}).exit_code == 0;
  }
  // With `for_the_host` it is where the host writes first, with `at` further places that are as small.
  static HostProcess::Options options(const std::string& size, bool for_the_host = false,
                                      std::vector<std::string> at = {}) {
    HostProcess::Options options;
    at.push_back("$TEST/disk");
    std::string script = for_the_host ? "export XDG_RUNTIME_DIR=$TEST/disk; " : "";
    for (const std::string& place : at)
      script += "mkdir -p -m 700 " + place + " && mount -t tmpfs -o mode=0700,size=" + size + " tmpfs " + place + " && ";
    options.wrapper = {"unshare", "-m", "bash", "-c", script + "exec \"$@\"", "bash"};
    return options;
  }
  explicit SmallDisk(const HostProcess& host)
      : root_("/proc/" + std::to_string(host.keeper_pid()) + "/root" + host.directory() + "/disk/") {}
  std::string path(const std::string& name) const { return root_ + name; }
  void fill(std::size_t size) { write_text(path("filler"), std::string(size, 'x')); }
  void make_room() { fs::remove(path("filler")); }

 private:
  std::string root_;
};

TEST_F(Faults, WhereTheDiskIsFullLogsGoToMemoryAndTheFileSaysWhatIsMissing) {
  if (!SmallDisk::may_be_made()) GTEST_SKIP() << "this user may not mount a file system";
  begin(R"({ "id": "w", "command": ["${WORKERS}/counting.py"],
      "log": { "file": "${TEST}/disk/w.log", "max_file": "16KiB", "keep_files": 1 } })", SmallDisk::options("64k"));
  ASSERT_NO_FATAL_FAILURE(launch());
  SmallDisk disk(*host_);
  const auto log_says = [&](const char* what) { return host_->log().find(what) != std::string::npos; };
  ASSERT_TRUE(wait_until([&] { return fs::exists(disk.path("w.log")); })) << host_->log();
  disk.fill(64 << 10);
  ASSERT_TRUE(wait_until([&] { return log_says("No space left on device; lines go to memory only"); })) << host_->log();
  EXPECT_THAT(host_->log(), HasSubstr("process=w"));
  const std::string before = host_->cli({"logs", "w", "-n", "1"}).out;
  EXPECT_TRUE(wait_until([&] { return host_->cli({"logs", "w", "-n", "1"}).out != before; })) << "memory goes on";
  expect_others_to_run();
  disk.make_room();
  ASSERT_TRUE(wait_until([&] { return log_says("can be written again"); })) << host_->log();
  EXPECT_TRUE(wait_until([&] {
    const std::string written = read_text(disk.path("w.log.1")) + read_text(disk.path("w.log"));
    return written.find(" lines are missing here") != std::string::npos;
  }));
  expect_others_to_run();
}

// What the host itself writes: the copies of plugins that it loads.
TEST_F(Faults, WhereThereIsNoRoomForPluginsTheHostDoesNotStartAndSaysSo) {
  if (!SmallDisk::may_be_made()) GTEST_SKIP() << "this user may not mount a file system";
  const std::string mine = "/tmp/tenon-" + std::to_string(::geteuid());
  begin(R"({ "id": "w", "command": ["sleep", "1000"] })",
        SmallDisk::options("16k", true, {mine, "/var/tmp", "/dev/shm"}));
  host_->launch();
  EXPECT_EQ(host_->wait_for_end(), 1) << host_->log();
  EXPECT_THAT(host_->log(), HasSubstr("json.so"));
  EXPECT_THAT(host_->log(), HasSubstr("No space left on device"));
}

TEST_F(Faults, WhereTheHostsDirectoryFillsUpItAndItsSuccessorUseAnother) {
  if (!SmallDisk::may_be_made()) GTEST_SKIP() << "this user may not mount a file system";
  begin(R"({ "id": "w", "command": ["sleep", "1000"] })", SmallDisk::options("64m", true),
        R"("plugins": { "directories": ["policies"] },)");
  fs::create_directory(host_->path("policies"));
  ASSERT_NO_FATAL_FAILURE(launch());
  SmallDisk(*host_).fill(64 << 20);
  fs::copy_file(TENON_SHELF_DIRECTORY "/good.so", host_->path("policies/good.so"));
  const auto plugins = [&] { return host_->cli({"plugin", "list"}).out; };
  EXPECT_TRUE(wait_until([&] { return plugins().find("policies/good.so") != std::string::npos; }));
  EXPECT_EQ(plugins().find("No space left"), std::string::npos) << host_->log();
  expect_others_to_run();
  ASSERT_EQ(::kill(host_->engine_pid(), SIGKILL), 0);
  ASSERT_TRUE(host_->wait_for_engine_restart(1)) << host_->log();
  engine_restarts_ = 1;
  expect_others_to_run();
}

}  // namespace
}  // namespace tenon::test_support
