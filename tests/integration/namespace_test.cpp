// As PID 1 of a PID namespace, as in a container: no init, no runtime directory.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

const std::vector<std::string> kUnshare = {"unshare", "--pid", "--fork", "--mount-proc", "--kill-child"};

bool may_unshare() {
  std::vector<std::string> words = kUnshare;
  words.push_back("true");
  return run_program(words).exit_code == 0;
}

std::vector<pid_t> children_of(pid_t pid) {
  const std::string name = std::to_string(pid);
  std::istringstream text(read_text("/proc/" + name + "/task/" + name + "/children"));
  return {std::istream_iterator<pid_t>(text), {}};
}

TEST(PidNamespace, TheHostRunsAsPidOneAndReapsStrangers) {
  if (!may_unshare()) GTEST_SKIP() << "this user may not make PID namespaces";
  // The orphan's parent ends at once, so the orphan becomes the host's child, which did not start it.
  HostProcess host(R"({ "supervision": { "children": [
    { "id": "echo", "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "ask" }], "ready": { "on": "event" } },
    { "id": "parent", "command": ["bash", "-c", "setsid sleep 0.2 & exit 0"],
      "restart": { "policy": "never" } } ] } })",
                   {{}, {"XDG_RUNTIME_DIR="}, kUnshare});
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_EQ(host.keeper_pid(), 1);
  EXPECT_EQ(host.cli({"request", "ask", "--data", "1"}).exit_code, 0) << host.log();
  const std::vector<pid_t> keeper = children_of(host.pid());
  ASSERT_EQ(keeper.size(), 1u);
  // In the end the engine and the echo are all that is left, and no zombie.
  EXPECT_TRUE(wait_until([&] {
    const std::vector<pid_t> left = children_of(keeper[0]);
    return left.size() == 2 && std::all_of(left.begin(), left.end(), is_alive);
  }));
  EXPECT_EQ(host.cli({"shutdown"}).exit_code, 0);
  EXPECT_EQ(host.wait_for_end(), 0) << host.log();
}

TEST(PidNamespace, TheDefaultSocketNeedsNoRuntimeDirectory) {
  if (!may_unshare()) GTEST_SKIP() << "this user may not make PID namespaces";
  HostProcess scratch("");
  write_text(scratch.path("c.json"), R"({ "supervision": { "children": [
      { "id": "task", "command": ["true"], "restart": { "policy": "never" } } ] } })");
  std::vector<std::string> words = kUnshare;
  words.insert(words.end(), {"env", "-u", "XDG_RUNTIME_DIR", "-u", "TENON_SOCKET", tenon_binary(), "run",
                             scratch.path("c.json"), "--until-idle"});
  const ProgramResult run = run_program(words);
  EXPECT_EQ(run.exit_code, 0) << run.err;
}

}  // namespace
}  // namespace tenon::test_support
