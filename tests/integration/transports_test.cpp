// Two hosts with real workers, joined by a real nats-server or by the local transport.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "support/host_process.hpp"
#include "support/nats_server.hpp"

namespace tenon::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

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

// The client library gives up for good when the server refuses its credentials twice.
TEST(Nats, AConnectionThatGaveUpIsMadeAnew) {
  if (!NatsServer::is_installed()) GTEST_SKIP() << "nats-server is not installed";
  NatsServer server({"--user", "u", "--pass", "right"});
  TwoHosts hosts(R"({ "plugin": "nats", "url": "nats://u:right@127.0.0.1:)" + std::to_string(server.port()) + "\" }");
  ASSERT_NO_FATAL_FAILURE(hosts.start());
  ASSERT_TRUE(hosts.question_is_echoed("before")) << hosts.asking.log() << hosts.answering.log();
  server.restart({"--user", "u", "--pass", "other"});
  const auto gave_up = [](const HostProcess& host) { return host.log().find("gave up") != std::string::npos; };
  EXPECT_TRUE(wait_until([&] { return gave_up(hosts.asking) && gave_up(hosts.answering); })) << hosts.asking.log();
  server.restart({"--user", "u", "--pass", "right"});
  EXPECT_TRUE(hosts.question_is_echoed("after")) << hosts.asking.log() << hosts.answering.log();
}

// What `nats pub` sends: a text without a content type.
void publish_text(std::uint16_t port, const std::string& subject, const std::string& text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const unique_fd connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const std::string said = "CONNECT {\"verbose\":false}\r\nPUB " + subject + " " + std::to_string(text.size()) + "\r\n" +
                           text + "\r\nPING\r\n";
  ASSERT_EQ(::send(connection.get(), said.data(), said.size(), MSG_NOSIGNAL), static_cast<ssize_t>(said.size()));
  std::string answer;
  char bytes[512];
  while (answer.find("PONG") == std::string::npos) {
    const ssize_t got = ::recv(connection.get(), bytes, sizeof bytes, 0);
    ASSERT_GT(got, 0) << answer;
    answer.append(bytes, static_cast<std::size_t>(got));
  }
}

TEST(Nats, ATextThatIsNoEventIsDeadLetteredAsBrokenJson) {
  if (!NatsServer::is_installed()) GTEST_SKIP() << "nats-server is not installed";
  NatsServer server;
  HostProcess host(R"({ "transports": { "bus": )" + nats(server) + R"( },
    "routes": [ { "from": "bus", "topic": "in.>" } ], "supervision": { "children": [] } })");
  ASSERT_TRUE(host.start()) << host.log();
  std::string letters;
  EXPECT_TRUE(wait_until([&] {  // until the subscription has reached the server
    publish_text(server.port(), "in.x", "hello");
    letters = host.cli({"deadletters", "list"}).out;
    return letters.find("malformed") != std::string::npos;
  })) << host.log();
  EXPECT_THAT(letters, HasSubstr("JSON"));
  EXPECT_THAT(letters, Not(HasSubstr("MessagePack")));
}

TEST(Routes, WhatWaitsForATransportIsCountedAndDeadLetteredWhenTheHostStops) {
  HostProcess host(R"({ "transports": { "bus": { "plugin": "nats", "url": "nats://127.0.0.1:1" } },
    "routes": [ { "topic": "out.>", "to": ["bus"] } ], "logging": { "level": "debug" },
    "supervision": { "children": [] } })");
  ASSERT_TRUE(host.start()) << host.log();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(host.cli({"send", "out.x", "--data", "1"}).exit_code, 0);
  const std::string metrics = host.http_answer("/metrics");
  EXPECT_THAT(metrics, HasSubstr("# TYPE tenon_transport_waiting gauge\n"));
  EXPECT_THAT(metrics, HasSubstr("tenon_transport_waiting{transport=\"bus\"} 3\n"));
  EXPECT_THAT(metrics, HasSubstr("tenon_transport_in_flight{transport=\"bus\"} 0\n"));
  EXPECT_EQ(host.stop(), 0) << host.log();
  EXPECT_THAT(host.log(), HasSubstr("the host ends with events that were not delivered; send them again events=3 "
                                    "receivers=\"bus (3)\""));
  EXPECT_THAT(host.log(), HasSubstr("reason=shutdown"));
}

// More than the connection takes at a time: the rest waits in the route's mailbox when the stop comes.
TEST(Routes, WhatWaitsForATransportThatIsConnectedIsSentBeforeTheHostStops) {
  const HostProcess place("");
  const std::string bus = R"({ "plugin": "local", "url": "unix://)" + place.path("meeting") + R"(" })";
  HostProcess receiving(R"({ "node": "receiving", "transports": { "bus": )" + bus + R"( },
    "routes": [ { "from": "bus", "topic": "out.>" } ], "supervision": { "children": [
      { "id": "recorder", "command": ["${WORKERS}/recorder.py", "${TEST}/received"], "channel": { "kind": "stdio" },
        "subscribe": [{ "topic": "out.>" }], "ready": { "on": "event" } } ] } })");
  HostProcess sending(R"({ "node": "sending", "transports": { "bus": )" + bus + R"( },
    "routes": [ { "topic": "out.>", "to": ["bus"],
                  "delivery": { "mode": "at_least_once", "max_in_flight": 1 } } ],
    "supervision": { "children": [
      { "id": "burst", "command": ["/bin/sh", "-c",
          "i=0; while [ $i -lt 200 ]; do echo '{\"type\":\"out.x\",\"data\":'$i'}'; i=$((i+1)); done"],
        "channel": { "kind": "stdio" }, "restart": { "policy": "never" } } ] } })");
  ASSERT_TRUE(receiving.start()) << receiving.log();
  ASSERT_TRUE(sending.start()) << sending.log();
  ASSERT_TRUE(wait_until([&] { return sending.worker_status("burst") == "terminated"; })) << sending.log();
  EXPECT_EQ(sending.stop(), 0) << sending.log();
  EXPECT_THAT(sending.log(), Not(HasSubstr("events that were not delivered")));
  EXPECT_TRUE(wait_until([&] { return read_text(receiving.path("received")).find("199") != std::string::npos; }))
      << receiving.log();
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

// The keeper holds the listening socket: whoever connects while no engine lives waits in its queue.
TEST(Local, PeersCanConnectWhileTheEngineThatListensIsDead) {
  const HostProcess place("");
  TwoHosts hosts(R"({ "plugin": "local", "url": "unix://)" + place.path("meeting") + R"(" })");
  ASSERT_NO_FATAL_FAILURE(hosts.start());
  ASSERT_TRUE(hosts.question_is_echoed("before")) << hosts.asking.log() << hosts.answering.log();
  const pid_t engine = hosts.answering.engine_pid();
  ASSERT_GT(engine, 0);
  ::kill(engine, SIGKILL);
  ASSERT_TRUE(wait_until([&] { return !is_alive(engine); }));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  place.path("meeting").copy(address.sun_path, sizeof address.sun_path - 1);
  const unique_fd peer(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(peer.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << strerror(errno);
  EXPECT_TRUE(hosts.question_is_echoed("after")) << hosts.asking.log() << hosts.answering.log();
}

}  // namespace
}  // namespace tenon::test_support
