// Every verb of the command line against a running host: what it does, what it prints, how it exits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "support/host_process.hpp"

namespace tenon::test_support {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kConfig = R"({
  "node": "alpha",
  "routes": [],
  "supervision": { "children": [
    { "id": "echo", "replicas": 2, "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
      "subscribe": [{ "topic": "ask", "group": "echoes" }], "ready": { "on": "event" },
      "health": [{ "check": "process", "interval": "100ms" }] },
    { "id": "talker", "command": ["bash", "-c",
      "trap 'echo hup' HUP; for i in 1 2 3; do echo line $i; done; while :; do sleep 0.01; done"] },
    { "id": "nested", "supervisor": { "children": [ { "id": "leaf", "command": ["sleep", "1000"] } ] } }
  ] } })";

// One host for all; a test leaves every process running.
class Cli : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    host_ = new HostProcess(kConfig);
    ASSERT_TRUE(host_->start()) << host_->log();
  }
  static void TearDownTestSuite() {
    delete host_;
    host_ = nullptr;
  }
  static ProgramResult cli(std::vector<std::string> words, std::string_view input = {}) {
    return host_->cli(std::move(words), input);
  }
  static std::string status(const std::string& id) { return host_->worker_status(id); }

  // The names that the document's root (or the first element of an array) lacks.
  static std::vector<std::string> missing(const std::vector<std::string>& verb, const std::vector<std::string>& names) {
    const auto document = host_->json(verb);
    if (!document) return {"no JSON from " + verb.front()};
    JsonValue object = document->root();
    if (object.is_array()) {
      if (object.size() == 0) return {"an element"};
      object = object.at(0);
    }
    std::vector<std::string> lacking;
    for (const std::string& name : names)
      if (!object.find(name)) lacking.push_back(name);
    return lacking;
  }
  static HostProcess* host_;
};
HostProcess* Cli::host_ = nullptr;

const std::vector<std::string> kNone;

TEST_F(Cli, InfoHasWhatIsPromised) {
  EXPECT_EQ(missing({"info"},
                    {"version", "abi", "node", "keeper_pid", "engine_pid", "engine_restarts", "uptime_ms", "socket"}),
            kNone);
  const auto info = host_->json({"info"});
  EXPECT_EQ(info->root().find("node")->as_string(), "alpha");
  EXPECT_EQ(info->root().find("socket")->as_string(), host_->socket());
}

TEST_F(Cli, PsHasWhatIsPromised) {
  EXPECT_EQ(missing({"ps"}, {"id", "status", "reason", "pid", "restarts", "uptime_ms", "health", "supervisor",
                             "mailbox", "memory_bytes", "cpu_seconds"}),
            kNone);
  const auto ps = host_->json({"ps"});
  EXPECT_EQ(ps->root().size(), 4u);
  for (const JsonValue process : ps->root().elements()) {
    const auto mailbox = process.find("mailbox");
    ASSERT_TRUE(mailbox);
    for (const char* name : {"depth", "capacity", "dropped"}) EXPECT_TRUE(mailbox->find(name)) << name;
  }
}

TEST_F(Cli, TreeShowsTheNestedSupervisor) {
  const auto tree = host_->json({"tree"});
  ASSERT_TRUE(tree);
  const ProgramResult text = cli({"tree"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, HasSubstr("nested"));
  EXPECT_THAT(text.out, HasSubstr("leaf"));
}

TEST_F(Cli, StatusShowsOneProcessInFull) {
  EXPECT_EQ(missing({"status", "echo.1"}, {"id", "status", "pid", "uptime_ms", "restarts", "mailbox", "limits"}),
            kNone);
  const ProgramResult unknown = cli({"status", "ecko.1"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("echo.1"));
}

TEST_F(Cli, StatusShowsHealthResultsAsTextAndJsonAsTheyAre) {
  EXPECT_TRUE(wait_until([] { return cli({"health"}).out.find("+") != std::string::npos; }));
  const std::string status = cli({"status", "echo.1"}).out;
  EXPECT_THAT(status, ContainsRegex("CHECK +ROLE +STATE +LAST RESULT +AGE"));
  EXPECT_THAT(status, ContainsRegex("process +liveness +healthy +healthy +[0-9]"));
  EXPECT_THAT(status, Not(HasSubstr("{\"")));
  const auto json = host_->json({"status", "echo.1"});
  ASSERT_TRUE(json);
  EXPECT_GT(json->root().find("checks")->at(0).find("results")->size(), 0u);
}

TEST_F(Cli, StatusAndLogsOfSeveralAreOfEachThatTheSelectorsName) {
  const auto both = host_->json({"status", "echo"});
  ASSERT_TRUE(both);
  ASSERT_TRUE(both->root().is_array());
  EXPECT_EQ(both->root().size(), 2u);
  const ProgramResult logs = cli({"logs", "talker", "leaf"});
  EXPECT_EQ(logs.exit_code, 0) << logs.err;
  EXPECT_THAT(logs.out, HasSubstr("talker  line 1\ntalker  line 2\n"));
  EXPECT_EQ(cli({"logs", "nobody"}).exit_code, 1);
}

TEST_F(Cli, StopAndStartWaitForTheResult) {
  ASSERT_EQ(cli({"stop", "leaf"}).exit_code, 0);
  EXPECT_EQ(status("leaf"), "terminated");
  ASSERT_EQ(cli({"start", "leaf"}).exit_code, 0);
  EXPECT_EQ(status("leaf"), "idle");
}

TEST_F(Cli, RestartGivesANewPid) {
  const pid_t before = host_->worker_pid("echo.1");
  ASSERT_EQ(cli({"restart", "echo.1"}).exit_code, 0);
  EXPECT_NE(host_->worker_pid("echo.1"), before);
  EXPECT_EQ(status("echo.1"), "idle");
}

TEST_F(Cli, AGlobAndASupervisorNameSeveral) {
  EXPECT_EQ(cli({"stop", "echo.*", "nested"}).exit_code, 0);
  for (const char* id : {"echo.1", "echo.2", "leaf"}) EXPECT_EQ(status(id), "terminated") << id;
  EXPECT_EQ(cli({"start", "echo", "nested"}).exit_code, 0);
  for (const char* id : {"echo.1", "echo.2", "leaf"}) EXPECT_EQ(status(id), "idle") << id;
}

TEST_F(Cli, APausedProcessGetsNothingUntilItResumes) {
  ASSERT_EQ(cli({"pause", "echo.1"}).exit_code, 0);
  EXPECT_EQ(status("echo.1"), "paused");
  const ProgramResult answer = cli({"request", "ask", "--data", "1", "--json"});
  EXPECT_EQ(answer.exit_code, 0) << answer.err;
  EXPECT_THAT(answer.out, HasSubstr(std::to_string(host_->worker_pid("echo.2"))));
  ASSERT_EQ(cli({"resume", "echo.1"}).exit_code, 0);
  EXPECT_EQ(status("echo.1"), "idle");
}

TEST_F(Cli, KillSendsTheSignalNamed) {
  ASSERT_EQ(cli({"kill", "--signal", "HUP", "talker"}).exit_code, 0);
  EXPECT_TRUE(wait_until([] { return cli({"logs", "talker"}).out.find("hup") != std::string::npos; }));
  EXPECT_EQ(cli({"kill", "--signal", "NONSENSE", "talker"}).exit_code, 2);
}

TEST_F(Cli, LogsGivesTheLastLines) {
  ASSERT_TRUE(wait_until([] { return cli({"logs", "talker"}).out.find("line 3") != std::string::npos; }));
  const ProgramResult all = cli({"logs", "talker", "-n", "1000"});
  EXPECT_EQ(all.exit_code, 0);
  EXPECT_THAT(all.out, HasSubstr("line 1"));
  EXPECT_EQ(cli({"logs", "nobody"}).exit_code, 1);
}

TEST_F(Cli, RequestPrintsTheAnswer) {
  const ProgramResult answer = cli({"request", "ask", "--data", R"({"n":42})", "--json"});
  EXPECT_EQ(answer.exit_code, 0) << answer.err;
  EXPECT_THAT(answer.out, HasSubstr(R"({"n":42})"));
  const ProgramResult nobody = cli({"request", "nobody.listens", "--data", "1", "--timeout", "1s"});
  EXPECT_EQ(nobody.exit_code, 1);
}

TEST_F(Cli, TailPrintsWhatPasses) {
  BackgroundProgram tail({tenon_binary(), "tail", "echo.>", "-n", "1", "--json"}, {"TENON_SOCKET=" + host_->socket()},
                         host_->path("tail"));
  // Sends until the tail has seen one: only then is it certain that it listens.
  EXPECT_TRUE(wait_until([&] {
    EXPECT_EQ(cli({"send", "ask", "--data", "[1,2]"}).exit_code, 0);
    return !tail.is_running();
  }));
  EXPECT_EQ(tail.wait(), 0);
  EXPECT_THAT(read_text(host_->path("tail")), HasSubstr("[1,2]"));
}

TEST_F(Cli, ATailDoesNotMakeLookDeliveredWhatNobodyTakes) {
  BackgroundProgram tail({tenon_binary(), "tail", "nobody.>", "-n", "1", "--json"}, {"TENON_SOCKET=" + host_->socket()},
                         host_->path("tail"));
  EXPECT_TRUE(wait_until([&] {
    EXPECT_EQ(cli({"send", "nobody.listens", "--data", "1"}).exit_code, 1);
    return !tail.is_running();  // it has seen one
  }));
  EXPECT_EQ(tail.wait(), 0);
}

TEST_F(Cli, SendTakesDataFromAnOptionAFileAndStdin) {
  EXPECT_EQ(cli({"send", "ask", "--type", "question", "--data", "1"}).exit_code, 0);
  write_text(host_->path("data.json"), "{\"a\":1}");
  EXPECT_EQ(cli({"send", "ask", "--file", host_->path("data.json")}).exit_code, 0);
  EXPECT_EQ(cli({"send", "ask", "-"}, "{\"b\":2}").exit_code, 0);
  EXPECT_NE(cli({"send", "ask", "--data", "{broken"}).exit_code, 0);
  EXPECT_NE(cli({"send", "a..b", "--data", "1"}).exit_code, 0);
}

TEST_F(Cli, RoutesTransportsAndHealthPrintJson) {
  EXPECT_EQ(missing({"routes"}, {"topic"}), kNone);
  EXPECT_TRUE(host_->json({"transports"}));
  EXPECT_EQ(missing({"health"}, {"check", "state"}), kNone);
}

TEST_F(Cli, PluginListNamesWhatIsLoaded) {
  EXPECT_EQ(missing({"plugin", "list"}, {"name", "version", "file", "state", "reason", "components"}), kNone);
  const ProgramResult list = cli({"plugin", "list"});
  for (const char* name : {"json", "msgpack", "nats", "heartbeat", "on_failure"})
    EXPECT_THAT(list.out, HasSubstr(name));
}

TEST_F(Cli, PluginInfoNeedsNoHost) {
  const ProgramResult info = run_program(
      {tenon_binary(), "plugin", "info", TENON_PLUGIN_DIRECTORY "/nats.so", "--json"}, {"TENON_SOCKET=/nowhere/s"});
  EXPECT_EQ(info.exit_code, 0) << info.err;
  EXPECT_THAT(info.out, HasSubstr("transport/nats"));
}

TEST_F(Cli, CheckAcceptsTheRunningConfig) {
  const ProgramResult check = run_program({tenon_binary(), "check", host_->config_path()},
                                          {"TEST=" + host_->directory(), "WORKERS=" TENON_TEST_WORKERS});
  EXPECT_EQ(check.exit_code, 0) << check.out << check.err;
}

TEST_F(Cli, EveryVerbHasHelpWithAnExample) {
  for (const char* verb :
       {"run",    "check", "info", "ps",   "tree",    "status", "start",  "stop",       "restart", "pause", "top",
        "resume", "kill",  "logs", "send", "request", "tail",   "routes", "transports", "health",  "shutdown"}) {
    const ProgramResult help = cli({verb, "--help"});
    EXPECT_EQ(help.exit_code, 0) << verb;
    EXPECT_THAT(help.out, HasSubstr("tenon " + std::string(verb))) << verb;
  }
  for (const char* verb : {"list", "info"}) EXPECT_EQ(cli({"plugin", verb, "--help"}).exit_code, 0) << verb;
  EXPECT_EQ(cli({"--version"}).exit_code, 0);
}

TEST_F(Cli, WrongUsageIsTwoAndNoHostIsThree) {
  EXPECT_EQ(cli({"ps", "--nonsense"}).exit_code, 2);
  EXPECT_EQ(cli({"stop"}).exit_code, 2);
  const ProgramResult unknown = cli({"restrat", "echo.1"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("restart"));
  const ProgramResult none = run_program({tenon_binary(), "ps", "--socket", host_->path("nobody")});
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_NE(none.err, "");
}

TEST_F(Cli, TwoHundredTailsDisturbNobody) {
  std::vector<std::unique_ptr<BackgroundProgram>> tails;
  for (int i = 0; i < 200; ++i)
    tails.push_back(std::make_unique<BackgroundProgram>(std::vector<std::string>{tenon_binary(), "tail", ">"},
                                                        std::vector<std::string>{"TENON_SOCKET=" + host_->socket()},
                                                        ""));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(cli({"request", "ask", "--data", "1"}).exit_code, 0);
  EXPECT_TRUE(host_->json({"ps"}));
  EXPECT_EQ(host_->engine_restarts(), 0);
}

TEST_F(Cli, MetricsTellCountersFromGauges) {
  const std::string metrics = host_->http_answer("/metrics");
  for (const char* counter : {"tenon_events_total", "tenon_dead_letters_total", "tenon_process_restarts_total",
                              "tenon_engine_restarts_total", "tenon_system_events_dropped_total"})
    EXPECT_THAT(metrics, HasSubstr("# TYPE " + std::string(counter) + " counter\n"));
  for (const char* gauge : {"tenon_process_up", "tenon_mailbox_depth", "tenon_event_bytes"})
    EXPECT_THAT(metrics, HasSubstr("# TYPE " + std::string(gauge) + " gauge\n"));
}

TEST_F(Cli, HttpAnswersWithoutTheCli) {
  EXPECT_EQ(host_->http_status("/healthz"), 200);
  EXPECT_EQ(host_->http_status("/readyz"), 200);
  EXPECT_EQ(host_->http_status("/metrics"), 200);
  EXPECT_EQ(host_->http_status("/v1/processes/echo.1"), 200);
  EXPECT_EQ(host_->http_status("/v1/processes/nobody"), 404);
  EXPECT_EQ(host_->http_status("/v1/nothing"), 404);
}

}  // namespace
}  // namespace tenon::test_support
