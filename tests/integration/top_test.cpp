// `tenon top` on a terminal: a host with a thousand processes, keys, sizes, signals, and a host that goes away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstring>

#include "support/host_process.hpp"
#include "support/terminal_program.hpp"

namespace tenon::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kConfig = R"({ "node": "alpha", "supervision": { "children": [
    { "id": "w", "replicas": 1000, "command": ["sleep", "infinity"] },
    { "id": "spin", "command": ["sh", "-c", "while :; do :; done"] },
    { "id": "nested", "supervisor": { "children": [ { "id": "leaf", "command": ["sleep", "infinity"] } ] } }
  ] } })";

pid_t only_child_of(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid);
  return std::stoi(read_text(directory + "/task/" + std::to_string(pid) + "/children"));
}

// One host for all; a test that does something to it has its own.
class Top : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    host_ = new HostProcess(kConfig);
    ASSERT_TRUE(host_->start()) << host_->log();
  }
  static void TearDownTestSuite() {
    delete host_;
    host_ = nullptr;
  }
  static std::unique_ptr<TerminalProgram> top(std::vector<std::string> options = {}, std::size_t columns = 80,
                                              std::size_t rows = 24, std::vector<std::string> environment = {}) {
    options.insert(options.begin(), {tenon_binary(), "top"});
    environment.push_back("TENON_SOCKET=" + host_->socket());
    return std::make_unique<TerminalProgram>(std::move(options), environment, columns, rows);
  }
  static HostProcess* host_;
};
HostProcess* Top::host_ = nullptr;

TEST_F(Top, ShowsAPageOfAThousandProcesses) {
  const auto top = Top::top();
  ASSERT_TRUE(top->shows("1-18 of 1002")) << top->picture().text();
  const std::string picture = top->picture().text();
  EXPECT_THAT(picture, StartsWith("alpha  tenon "));
  EXPECT_THAT(picture, HasSubstr("\n1002 processes:  1002 idle\n"));
  EXPECT_TRUE(top->picture().full_screen());
  EXPECT_TRUE(top->wait_until_picture([](const Picture& p) { return p.line(5).starts_with("spin "); }))
      << "the one that works is first\n" << top->picture().text();
  EXPECT_EQ(top->picture().garbage(), "");
}

TEST_F(Top, KeysSortScrollAndFilter) {
  const auto top = Top::top({"--interval", "1h", "--sort", "id"});
  ASSERT_TRUE(top->shows("PROCESS↓"));
  top->type("G");
  EXPECT_TRUE(top->shows("985-1002 of 1002"));
  EXPECT_THAT(top->picture().line(22), StartsWith("w.1000 "));
  top->type("\x1b[5~\x1b[A");  // Page Up and Up
  EXPECT_TRUE(top->shows("967-984 of 1002"));
  top->type("gR");
  EXPECT_TRUE(top->shows("PROCESS↑"));
  EXPECT_THAT(top->picture().line(5), StartsWith("w.1000 "));
  top->type("/LEAF");
  EXPECT_TRUE(top->shows("filter: LEAF_"));
  top->type("\r");
  EXPECT_TRUE(top->shows("1-1 of 1, 1002 in all"));
  top->type("t");
  EXPECT_TRUE(top->shows("\n  nested running ")) << top->picture().text();
  EXPECT_THAT(top->picture().text(), HasSubstr("\n    leaf idle"));
  top->type("\x1b");
  EXPECT_TRUE(top->shows("of 1004"));
  top->type("h");
  EXPECT_TRUE(top->shows("any key goes back"));
  top->type("q");
  EXPECT_EQ(top->wait(), 0);
}

TEST_F(Top, ARefreshWritesAtMostAScreen) {
  const auto top = Top::top({"--interval", "1h"}, 100, 40);
  ASSERT_TRUE(top->wait_until_picture([](const Picture& p) { return p.line(5).starts_with("spin "); }));
  const auto uptime_is_other = [before = top->picture().line(0)](const Picture& p) { return p.line(0) != before; };
  top->take_bytes();
  // Until its uptime shows another second; each answer to a key is the whole refresh before the next key.
  std::size_t refreshes = 0;
  while (!uptime_is_other(top->picture()) && ++refreshes < 1000) {
    top->type(" ");
    top->wait_until_picture(uptime_is_other, std::chrono::milliseconds(200));
  }
  const std::string bytes = top->take_bytes();
  EXPECT_GT(bytes.size(), 0u);
  EXPECT_LT(bytes.size(), refreshes * 8000) << "the rows of a thousand would be ten times as much";
  EXPECT_THAT(bytes, Not(HasSubstr("\x1b[2J"))) << "that flickers";
}

TEST_F(Top, FollowsTheTerminalsSize) {
  const auto top = Top::top({"--interval", "1h"});
  ASSERT_TRUE(top->shows("1-18 of 1002"));
  top->resize(120, 40);
  EXPECT_TRUE(top->shows("1-34 of 1002")) << top->picture().text();
  EXPECT_THAT(top->picture().line(39), StartsWith("1-34 of 1002"));
  EXPECT_THAT(top->picture().line(4), HasSubstr("DROPPED"));
  top->resize(30, 5);
  EXPECT_TRUE(top->shows("1-2 of 1002")) << top->picture().text();
  EXPECT_THAT(top->picture().line(4), StartsWith("1-2 of 1002"));
  EXPECT_EQ(top->picture().garbage(), "");
}

TEST_F(Top, TheTerminalIsAsBeforeHoweverItEnds) {
  struct Case {
    const char* name;
    std::string_view keys;
    int signal_number;  // to be sent, without keys
    int exit_code;
  };
  const Case cases[] = {
      {"q", "q", 0, 0},
      {"Ctrl-C", "\x03", 0, 0},
      {"TERM", "", SIGTERM, 0},
      {"a crash", "", SIGSEGV, 128 + SIGSEGV},
      {"Ctrl-\\", "\x1c", 0, 128 + SIGQUIT},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    // The shell keeps the terminal open, so that its modes can be looked at.
    TerminalProgram shell({"bash", "-c", "ulimit -c 0; \"$0\" top; echo ended $?; read -r x", tenon_binary()},
                          {"TENON_SOCKET=" + host_->socket()}, 80, 24);
    const termios before = shell.modes();
    ASSERT_TRUE(shell.shows("of 1002"));
    EXPECT_TRUE(shell.picture().full_screen());
    EXPECT_FALSE(shell.picture().cursor());
    EXPECT_EQ(shell.modes().c_lflag & (ICANON | ECHO), 0u);
    shell.type(one.keys);
    if (one.keys.empty()) ::kill(only_child_of(shell.pid()), one.signal_number);
    EXPECT_TRUE(shell.shows("ended " + std::to_string(one.exit_code))) << shell.picture().text();
    EXPECT_FALSE(shell.picture().full_screen());
    EXPECT_TRUE(shell.picture().cursor());
    EXPECT_TRUE(shell.picture().wraps());
    const termios after = shell.modes();
    EXPECT_EQ(after.c_lflag, before.c_lflag);
    EXPECT_EQ(after.c_iflag, before.c_iflag);
    EXPECT_EQ(std::memcmp(after.c_cc, before.c_cc, sizeof after.c_cc), 0);
  }
}

TEST_F(Top, SuspendsAndComesBack) {
  TerminalProgram shell({"bash", "-c", "set -m; \"$0\" top; echo suspended; read -r x; fg; echo ended $?", tenon_binary()},
                        {"TENON_SOCKET=" + host_->socket()}, 80, 24);
  ASSERT_TRUE(shell.shows("of 1002"));
  shell.type("\x1a");
  ASSERT_TRUE(shell.shows("suspended")) << shell.picture().text();
  EXPECT_FALSE(shell.picture().full_screen());
  EXPECT_NE(shell.modes().c_lflag & ECHO, 0u);
  shell.type("\n");
  EXPECT_TRUE(shell.wait_until_picture([](const Picture& p) { return p.full_screen(); })) << shell.picture().text();
  EXPECT_TRUE(shell.shows("of 1002"));
  shell.type("q");
  EXPECT_TRUE(shell.shows("ended 0")) << shell.picture().text();
  EXPECT_FALSE(shell.picture().full_screen());
}

TEST_F(Top, EndsOnATerminalThatTakesNothingMore) {
  const auto top = Top::top({"--interval", "1h"}, 300, 100);
  ASSERT_TRUE(top->shows("of 1002"));
  for (int i = 0; i < 100; ++i) top->type("\x0c");  // each draws everything again, and nobody reads
  top->signal(SIGTERM);
  EXPECT_EQ(top->wait_without_reading(), 0);
}

TEST_F(Top, ColoursUnlessToldOtherwise) {
  const auto coloured = top();
  ASSERT_TRUE(coloured->shows("of 1002"));
  EXPECT_THAT(coloured->take_bytes(), HasSubstr("\x1b[32midle\x1b[0m"));
  const auto plain = top({}, 80, 24, {"NO_COLOR=1"});
  ASSERT_TRUE(plain->shows("of 1002"));
  EXPECT_THAT(plain->take_bytes(), Not(HasSubstr("\x1b[32m")));
}

TEST_F(Top, ATerminalWithoutAFullScreenIsToldWhatToDo) {
  const auto dumb = top({}, 80, 24, {"TERM=dumb"});
  EXPECT_EQ(dumb->wait(), 1);
  EXPECT_THAT(dumb->picture().text(), HasSubstr("tenon top -n 1"));
  EXPECT_FALSE(dumb->picture().full_screen());
}

TEST_F(Top, PrintsSnapshotsWhereThereIsNoTerminal) {
  const ProgramResult once = host_->cli({"top", "--interval", "100ms", "--sort", "id"});
  EXPECT_EQ(once.exit_code, 0) << once.err;
  EXPECT_THAT(once.out, StartsWith("alpha  tenon "));
  EXPECT_THAT(once.out, HasSubstr("\nleaf "));
  EXPECT_EQ(std::count(once.out.begin(), once.out.end(), '\n'), 1002 + 4);
  EXPECT_THAT(once.out, Not(HasSubstr("\x1b")));

  const ProgramResult lines = host_->cli({"top", "--json", "-n", "2", "--interval", "100ms"});
  EXPECT_EQ(lines.exit_code, 0) << lines.err;
  EXPECT_EQ(std::count(lines.out.begin(), lines.out.end(), '\n'), 2);
  const auto document = JsonDocument::parse(lines.out.substr(0, lines.out.find('\n')), "line");
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_EQ(document->root().size(), 1002u);
  for (const JsonValue process : document->root().elements())
    EXPECT_TRUE(process.find("cpu_percent")->as_double()) << process.to_json();
}

TEST(TopWithoutAHost, IsThree) {
  TerminalProgram top({tenon_binary(), "top", "--socket", "/nowhere/s"}, {}, 80, 24);
  EXPECT_EQ(top.wait(), 3);
  EXPECT_THAT(top.picture().text(), HasSubstr("no host is running on /nowhere/s"));
  EXPECT_FALSE(top.picture().full_screen());
}

TEST(TopOfAHostThatGoesAway, KeepsThePictureAndGoesOn) {
  HostProcess host(R"({ "supervision": { "children": [ { "id": "one", "command": ["sleep", "infinity"] } ] } })");
  ASSERT_TRUE(host.start()) << host.log();
  TerminalProgram top({tenon_binary(), "top", "--interval", "100ms"}, {"TENON_SOCKET=" + host.socket()}, 80, 24);
  ASSERT_TRUE(top.shows("engine restarts 0"));
  ::kill(host.engine_pid(), SIGKILL);
  EXPECT_TRUE(top.shows("engine restarts 1")) << top.picture().text();

  EXPECT_EQ(host.stop(), 0);
  EXPECT_TRUE(top.shows("the host is not running; waiting for it on")) << top.picture().text();
  EXPECT_THAT(top.picture().text(), HasSubstr("\none "));
  ASSERT_TRUE(host.start()) << host.log();
  EXPECT_TRUE(top.shows("engine restarts 0")) << top.picture().text();
  EXPECT_TRUE(top.wait_until_picture([](const Picture& p) { return p.line(3).empty(); })) << top.picture().text();

  const pid_t engine = host.engine_pid();
  ::kill(engine, SIGSTOP);
  EXPECT_TRUE(top.shows("the host does not answer; waiting")) << top.picture().text();
  top.type("q");
  EXPECT_EQ(top.wait(), 0) << "a host that hangs does not keep it";
  ::kill(engine, SIGCONT);
}

}  // namespace
}  // namespace tenon::test_support
