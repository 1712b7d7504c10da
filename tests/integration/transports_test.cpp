// Two hosts with real workers, joined by a real nats-server or by the local transport.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/host_process.hpp"
#include "support/nats_server.hpp"

namespace tenon::test_support {
namespace {

using ::testing::HasSubstr;

// Asks go out, echoes come in; `recorder` writes down what came.
std::string asking_host(const std::string& transport) {
  return R"({ "node": "asking", "transports": { "bus": )" + transport + R"( },
    "routes": [ { "topic": "ask.>", "to": ["bus"] }, { "from": "bus", "topic": "echo.>" } ],
    "supervision": { "children": [
      { "id": "recorder", "command": ["${WORKERS}/recorder.py", "${TEST}/echoes"], "channel": { "kind": "stdio" },
        "subscribe": [{ "topic": "echo.>" }], "ready": { "on": "event" } } ] } })";
}

std::string answering_host(const std::string& transport) {
  return R"({ "node": "answering", "transports": { "bus": )" + transport + R"( },
    "routes": [ { "from": "bus", "topic": "ask.>" }, { "topic": "echo.>", "to": ["bus"] } ],
    "supervision": { "children": [
      { "id": "echo", "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
        "subscribe": [{ "topic": "ask.>" }], "ready": { "on": "event" } } ] } })";
}

class TwoHosts {
 public:
  explicit TwoHosts(const std::string& transport)
      : asking(asking_host(transport)), answering(answering_host(transport)) {}

  void start() {
    ASSERT_TRUE(answering.start()) << answering.log();
    ASSERT_TRUE(asking.start()) << asking.log();
  }
  // Asks until the echo of this question has come: subscriptions cross the wire on their own time.
  bool question_is_echoed(const std::string& question) {
    return wait_until([&] {
      asking.cli({"send", "ask.x", "--data", "\"" + question + "\""});
      return read_text(asking.path("echoes")).find(question) != std::string::npos;
    });
  }

  HostProcess asking, answering;
};

std::string nats(const NatsServer& server) { return R"({ "plugin": "nats", "url": ")" + server.url() + R"(" })"; }

TEST(Nats, EventsCrossBetweenTwoHosts) {
  if (NatsServer::may_be_missing()) GTEST_SKIP() << "nats-server is not installed";
  NatsServer server;
  TwoHosts hosts(nats(server));
  ASSERT_NO_FATAL_FAILURE(hosts.start());
  EXPECT_TRUE(hosts.question_is_echoed("first")) << hosts.asking.log() << hosts.answering.log();
  const ProgramResult transports = hosts.asking.cli({"transports"});
  EXPECT_EQ(transports.exit_code, 0);
  EXPECT_THAT(transports.out, HasSubstr("bus"));
}

TEST(Nats, ARequestCrossesAndItsAnswerComesBack) {
  if (NatsServer::may_be_missing()) GTEST_SKIP() << "nats-server is not installed";
  NatsServer server;
  TwoHosts hosts(nats(server));
  ASSERT_NO_FATAL_FAILURE(hosts.start());
  ASSERT_TRUE(hosts.question_is_echoed("first")) << hosts.asking.log() << hosts.answering.log();
  const ProgramResult answer = hosts.asking.cli({"request", "ask.x", "--data", "\"across\"", "--timeout", "20s"});
  EXPECT_EQ(answer.exit_code, 0) << answer.err << hosts.answering.log();
  EXPECT_THAT(answer.out, HasSubstr("across"));
}

TEST(Nats, TheHostsFindARestartedServerAgain) {
  if (NatsServer::may_be_missing()) GTEST_SKIP() << "nats-server is not installed";
  NatsServer server;
  TwoHosts hosts(nats(server));
  ASSERT_NO_FATAL_FAILURE(hosts.start());
  ASSERT_TRUE(hosts.question_is_echoed("before")) << hosts.asking.log() << hosts.answering.log();
  const pid_t echo = hosts.answering.worker_pid("echo");
  server.restart();
  EXPECT_TRUE(hosts.question_is_echoed("after")) << hosts.asking.log() << hosts.answering.log();
  EXPECT_EQ(hosts.answering.worker_pid("echo"), echo);
}

TEST(Nats, AHostWithoutItsServerServesItsOwnWorkers) {
  HostProcess host(R"({ "transports": { "bus": { "plugin": "nats", "url": "nats://127.0.0.1:1" } },
    "supervision": { "children": [
      { "id": "echo", "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
        "subscribe": [{ "topic": "ask" }], "ready": { "on": "event" } } ] } })");
  host.launch();
  EXPECT_TRUE(wait_until([&] { return host.worker_status("echo") == "idle"; })) << host.log();
  EXPECT_EQ(host.cli({"request", "ask", "--data", "1"}).exit_code, 0) << host.log();
  EXPECT_EQ(host.stop(), 0) << host.log();
}

TEST(Local, EventsCrossBetweenTwoHostsWithoutABroker) {
  const HostProcess place("");
  TwoHosts hosts(R"({ "plugin": "local", "url": "unix://)" + place.path("meeting") + R"(" })");
  ASSERT_NO_FATAL_FAILURE(hosts.start());
  EXPECT_TRUE(hosts.question_is_echoed("first")) << hosts.asking.log() << hosts.answering.log();
}

}  // namespace
}  // namespace tenon::test_support
