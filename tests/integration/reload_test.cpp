// A config that is edited while its host runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "support/host_process.hpp"
#include "support/nats_server.hpp"

namespace tenon::test_support {
namespace {

using testing::HasSubstr;

std::string sleeper(const std::string& id, const std::string& more = "") {
  return R"({ "id": ")" + id + R"(", "command": ["sleep", "1000"])" + more + " }";
}

class Reload : public ::testing::Test {
 protected:
  void begin(const std::string& children) {
    host_.emplace(R"({ "supervision": { "children": [)" + children + "] } }");
    ASSERT_TRUE(host_->start()) << host_->log();
    written_ = read_text(host_->config_path());
  }
  // The host's own file, with other children.
  void rewrite(const std::string& children) {
    const std::size_t at = written_.find("\"children\": [");
    ASSERT_NE(at, std::string::npos);
    std::ofstream(host_->config_path()) << written_.substr(0, at) << "\"children\": [" << children << "] } }";
  }
  pid_t pid(const std::string& id) const { return host_->worker_pid(id); }

  std::optional<HostProcess> host_;
  std::string written_;
};

TEST_F(Reload, AppliesTheDifferenceAndOnlyThat) {
  begin(sleeper("a") + "," + sleeper("b", R"(, "replicas": 2)") + "," + sleeper("c"));
  const pid_t a = pid("a"), b1 = pid("b.1"), b2 = pid("b.2");
  rewrite(sleeper("b", R"(, "replicas": 3)") + "," + sleeper("a") + "," + sleeper("d", R"(, "env": { "X": "1" })"));

  const auto shown = host_->cli({"diff", host_->config_path()});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("b.3"));
  EXPECT_EQ(pid("d"), 0) << "a diff changes nothing";

  const auto changed = host_->json({"reload"});
  ASSERT_NE(changed, nullptr);
  EXPECT_EQ(changed->root().find("changes")->size(), 4u);  // b.3 and d come, c goes, a and b changed places
  EXPECT_EQ(changed->root().find("results")->size(), 3u);
  EXPECT_EQ(pid("a"), a);
  EXPECT_EQ(pid("b.1"), b1);
  EXPECT_EQ(pid("b.2"), b2);
  EXPECT_NE(pid("b.3"), 0);
  EXPECT_NE(pid("d"), 0);
  EXPECT_EQ(host_->cli({"status", "c"}).exit_code, 1) << "it is gone";
  EXPECT_THAT(host_->cli({"reload"}).out, HasSubstr("nothing has changed"));
}

TEST_F(Reload, RestartsWhatAProcessIsStartedWithAndNothingElse) {
  begin(sleeper("a") + "," + sleeper("b"));
  const pid_t a = pid("a"), b = pid("b");
  rewrite(sleeper("a", R"(, "stop": { "grace": "1s" })") + "," + sleeper("b", R"(, "env": { "MODE": "new" })"));
  EXPECT_EQ(host_->cli({"reload"}).exit_code, 0);
  EXPECT_EQ(pid("a"), a);
  EXPECT_NE(pid("b"), b);
  const std::string environment = read_text("/proc/" + std::to_string(pid("b")) + "/environ");
  EXPECT_THAT(environment, HasSubstr("MODE=new"));
}

// Told by diff, by reload and by its status, until the next reload finds it up.
TEST_F(Reload, APausedProcessGoesOnAsItWasAndSaysSoUntilTheNextReload) {
  begin(sleeper("a") + "," + sleeper("b"));
  const pid_t a = pid("a");
  const auto is_outdated = [&] { return host_->json({"status", "a"})->root().find("outdated")->as_bool() == true; };
  ASSERT_EQ(host_->cli({"pause", "a"}).exit_code, 0);
  ASSERT_EQ(host_->cli({"stop", "b"}).exit_code, 0);
  rewrite(sleeper("a", R"(, "env": { "MODE": "new" })") + "," + sleeper("b", R"(, "env": { "MODE": "new" })"));
  EXPECT_THAT(host_->cli({"diff", host_->config_path()}).out, HasSubstr("leave alone until its next start"));
  EXPECT_FALSE(is_outdated());
  const auto changed = host_->json({"reload"});
  ASSERT_NE(changed, nullptr);
  EXPECT_THAT(changed->root().to_json(), HasSubstr(R"("name":"a","effect":"next_start","keys":["env"])"));
  EXPECT_THAT(changed->root().to_json(), HasSubstr(R"("name":"b","effect":"next_start","keys":["env"])"));
  EXPECT_TRUE(is_outdated());

  EXPECT_EQ(host_->cli({"resume", "a"}).exit_code, 0);
  ::kill(host_->engine_pid(), SIGKILL);
  ASSERT_TRUE(host_->wait_for_engine_restart(1)) << host_->log();
  EXPECT_EQ(pid("a"), a) << "an engine's death changes nothing";
  EXPECT_TRUE(is_outdated());
  const auto again = host_->json({"reload"});
  ASSERT_NE(again, nullptr);
  EXPECT_THAT(again->root().to_json(), HasSubstr(R"("changes":[{"section":"process","name":"a","effect":"restarted")"));
  EXPECT_NE(pid("a"), a);
  EXPECT_FALSE(is_outdated());
}

TEST_F(Reload, ByTheSignalHupToo) {
  begin(sleeper("a"));
  rewrite(sleeper("a") + "," + sleeper("b"));
  host_->signal(SIGHUP);
  EXPECT_TRUE(wait_until([&] { return pid("b") != 0; })) << host_->log();
}

TEST_F(Reload, ABadConfigChangesNothingAndSaysWhy) {
  begin(sleeper("a") + "," + sleeper("b"));
  const pid_t a = pid("a");
  rewrite(sleeper("a", R"(, "env": { "X": "1" })") + R"(, { "id": "b", "comand": ["sleep"] })");
  const auto refused = host_->cli({"reload"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("the config cannot be used"));
  EXPECT_THAT(refused.err, HasSubstr("$.supervision.children[1].comand"));
  EXPECT_EQ(pid("a"), a);
  EXPECT_EQ(host_->cli({"diff", host_->config_path()}).exit_code, 1);
  EXPECT_EQ(host_->cli({"diff", host_->path("missing.json")}).exit_code, 1);
}

TEST_F(Reload, WhatOnlyARestartOfTheHostBringsIsRefusedAsAWhole) {
  begin(sleeper("a"));
  std::string other = written_;
  other.insert(other.find('{') + 1, R"( "node": "somebody-else", )");
  other.insert(other.find("\"children\": [") + 13, sleeper("b") + ",");
  std::ofstream(host_->config_path()) << other;
  const auto refused = host_->cli({"reload"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("node"));
  EXPECT_EQ(pid("b"), 0);
}

TEST_F(Reload, NewSubscriptionsHoldAtOnceForAWorkerThatGoesOn) {
  const auto echo = [](const std::string& topic) {
    return R"({ "id": "echo", "command": ["${WORKERS}/echo.py"], "channel": { "kind": "stdio" },
                "ready": { "on": "event" }, "subscribe": [{ "topic": ")" + topic + R"(" }] })";
  };
  begin(echo("before"));
  const pid_t worker = pid("echo");
  EXPECT_EQ(host_->cli({"request", "before", "--data", "1"}).exit_code, 0);
  std::string text = written_;
  text.replace(text.find("\"before\""), 8, "\"after\"");
  std::ofstream(host_->config_path()) << text;
  EXPECT_EQ(host_->cli({"reload"}).exit_code, 0);
  EXPECT_EQ(host_->cli({"request", "after", "--data", "1"}).exit_code, 0);
  EXPECT_EQ(host_->cli({"request", "before", "--data", "1"}).exit_code, 1) << "nobody listens there any more";
  EXPECT_EQ(pid("echo"), worker);
}

// Two hosts, of which the asking one learns at run time where the answers are: first a route and a transport that it did
// not have, then another server, then nothing any more. Its worker never notices.
TEST_F(Reload, TransportsAndRoutesComeChangeAndGo) {
  if (NatsServer::may_be_missing()) GTEST_SKIP() << "nats-server is not installed";
  NatsServer first, second;
  const auto answering = [](const NatsServer& server) {
    return R"({ "node": "answering", "transports": { "bus": { "plugin": "nats", "url": ")" + server.url() + R"(" } },
      "routes": [{ "from": "bus", "topic": "ask.>" }, { "topic": "echo.>", "to": ["bus"] }],
      "supervision": { "children": [{ "id": "echo", "command": ["${WORKERS}/echo.py"], "ready": { "on": "event" },
        "channel": { "kind": "stdio" }, "subscribe": [{ "topic": "ask.>" }] }] } })";
  };
  HostProcess near(answering(first)), far(answering(second));
  ASSERT_TRUE(near.start() && far.start());
  begin(R"({ "id": "recorder", "command": ["${WORKERS}/recorder.py", "${TEST}/echoes"], "ready": { "on": "event" },
             "channel": { "kind": "stdio" }, "subscribe": [{ "topic": "echo.>" }] })");
  const pid_t recorder = pid("recorder");
  const auto connect_to = [&](const NatsServer& server) {
    std::string text = written_;
    text.insert(text.find('{') + 1, R"( "transports": { "bus": { "plugin": "nats", "url": ")" + server.url() + R"(" } },
      "routes": [{ "topic": "ask.>", "to": ["bus"] }, { "from": "bus", "topic": "echo.>" }], )");
    std::ofstream(host_->config_path()) << text;
    return host_->cli({"reload"}).exit_code;
  };
  const auto echoed = [&](const std::string& question) {
    return wait_until([&] {
      host_->cli({"send", "ask.x", "--data", "\"" + question + "\""});
      return read_text(host_->path("echoes")).find(question) != std::string::npos;
    });
  };
  EXPECT_EQ(host_->cli({"send", "ask.x", "--data", "0"}).exit_code, 1) << "nobody takes it yet";
  EXPECT_EQ(connect_to(first), 0);
  EXPECT_TRUE(echoed("near")) << host_->log();
  const pid_t near_echo = near.worker_pid("echo");
  EXPECT_EQ(connect_to(second), 0);
  EXPECT_TRUE(echoed("far")) << host_->log();
  EXPECT_THAT(read_text(host_->path("echoes")), HasSubstr("\"pid\": " + std::to_string(far.worker_pid("echo"))));
  EXPECT_NE(near_echo, far.worker_pid("echo"));
  std::ofstream(host_->config_path()) << written_;
  EXPECT_EQ(host_->cli({"reload"}).exit_code, 0);
  EXPECT_EQ(host_->cli({"send", "ask.x", "--data", "0"}).exit_code, 1) << "nobody takes it any more";
  EXPECT_EQ(host_->json({"transports"})->root().size(), 0u);
  EXPECT_EQ(pid("recorder"), recorder);
}

TEST_F(Reload, AnEngineKilledInTheMiddleIsFollowedByOneThatFinishes) {
  const std::string stubborn =
      R"({ "id": "stubborn", "command": ["bash", "-c", "trap '' TERM; touch ${TEST}/up; while :; do sleep 0.1; done"],
           "stop": { "grace": "1h" } })";
  begin(sleeper("a") + "," + sleeper("b") + "," + stubborn);
  ASSERT_TRUE(wait_until([&] { return ::access(host_->path("up").c_str(), F_OK) == 0; }));
  const pid_t a = pid("a"), b = pid("b"), stubborn_pid = pid("stubborn");
  rewrite(sleeper("a") + "," + sleeper("b", R"(, "env": { "X": "1" })") + "," + sleeper("c"));
  EXPECT_EQ(host_->cli({"reload", "--no-wait"}).exit_code, 0);
  EXPECT_EQ(pid("b"), b) << "what is removed ends first";
  ::kill(host_->engine_pid(), SIGKILL);
  ASSERT_TRUE(host_->wait_for_engine_restart(1)) << host_->log();
  EXPECT_TRUE(wait_until([&] { return pid("c") != 0 && pid("b") != 0 && pid("b") != b; })) << host_->log();
  EXPECT_EQ(pid("a"), a);
  EXPECT_TRUE(is_alive(stubborn_pid)) << "its grace is an hour";
  ::kill(stubborn_pid, SIGKILL);
}

// The request came over a transport that is gone when the answer is there.
TEST_F(Reload, AnAnswerWhoseTransportIsGoneIsADeadLetter) {
  if (NatsServer::may_be_missing()) GTEST_SKIP() << "nats-server is not installed";
  NatsServer server;
  const std::string bus = R"("transports": { "bus": { "plugin": "nats", "url": ")" + server.url() + R"(" } }, )";
  host_.emplace("{ " + bus + R"("routes": [{ "from": "bus", "topic": "ask.>" }],
    "supervision": { "children": [{ "id": "slow", "command": ["${WORKERS}/waiting.py", "${TEST}"],
      "channel": { "kind": "stdio" }, "ready": { "on": "event" }, "subscribe": [{ "topic": "ask.>" }] }] } })");
  HostProcess asking(R"({ "node": "asking", )" + bus +
                     R"("routes": [{ "topic": "ask.>", "to": ["bus"] }], "supervision": { "children": [] } })");
  ASSERT_TRUE(host_->start() && asking.start());
  const auto file_is_there = [&](const char* name) { return ::access(host_->path(name).c_str(), F_OK) == 0; };
  // The first may be lost, because subscriptions cross the wire on their own time.
  const std::jthread asker([&] {
    while (!file_is_there("got")) asking.cli({"request", "ask.x", "--data", "1", "--timeout", "8s"});
  });
  ASSERT_TRUE(wait_until([&] { return file_is_there("got"); })) << host_->log();
  std::string text = read_text(host_->config_path());
  const std::size_t routes = text.find("\"routes\""), supervision = text.find("\"supervision\"");
  text.erase(routes, supervision - routes);
  text.erase(text.find("\"transports\""), text.find("\"supervision\"") - text.find("\"transports\""));
  std::ofstream(host_->config_path()) << text;
  ASSERT_EQ(host_->cli({"reload"}).exit_code, 0);
  ASSERT_EQ(host_->json({"transports"})->root().size(), 0u);
  EXPECT_TRUE(wait_until([&] { return host_->log().find("disconnected transport=bus") != std::string::npos; }));
  std::ofstream(host_->path("go")) << "";
  EXPECT_TRUE(wait_until([&] {
    return host_->cli({"deadletters", "list"}).out.find("late_reply") != std::string::npos;
  })) << host_->log();
  EXPECT_EQ(host_->engine_restarts(), 0) << host_->log();
}

// What was refused must not come to life with the next engine either.
TEST_F(Reload, ARefusedConfigIsForgotten) {
  begin(sleeper("a"));
  const pid_t a = pid("a");
  std::ofstream(host_->path("bad.json")) << R"({ "$id": "x", "x-tenon-type": "t", "type": 7 })";
  std::string text = written_;
  text.insert(text.find('{') + 1, R"( "schemas": { "directories": ["."] }, )");
  text.insert(text.find("\"children\": [") + 13, sleeper("b") + ",");
  std::ofstream(host_->config_path()) << text;
  const auto refused = host_->cli({"reload"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("bad.json"));
  ::kill(host_->engine_pid(), SIGKILL);
  ASSERT_TRUE(host_->wait_for_engine_restart(1)) << host_->log();
  EXPECT_EQ(pid("a"), a);
  EXPECT_EQ(pid("b"), 0);
}

TEST_F(Reload, EveryProblemHasItsLine) {
  begin(sleeper("a"));
  rewrite(sleeper("a", R"(, "comand": 1, "nice": 99)"));
  const auto refused = host_->cli({"reload"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_GE(std::count(refused.err.begin(), refused.err.end(), '\n'), 3);
}

TEST_F(Reload, AScaleOutlivesTheEngineAndAReloadUntilTheFileSaysOtherwise) {
  begin(sleeper("w", R"(, "replicas": 2)"));
  const pid_t first = pid("w.1");
  EXPECT_EQ(host_->cli({"scale", "w", "4"}).exit_code, 0);
  EXPECT_NE(pid("w.4"), 0);
  EXPECT_EQ(pid("w.1"), first);
  ::kill(host_->engine_pid(), SIGKILL);
  ASSERT_TRUE(host_->wait_for_engine_restart(1)) << host_->log();
  EXPECT_NE(pid("w.4"), 0);
  EXPECT_EQ(host_->cli({"reload"}).exit_code, 0);
  EXPECT_NE(pid("w.4"), 0) << "the file says what it said when it was scaled";
  rewrite(sleeper("w", R"(, "replicas": 3)"));
  EXPECT_EQ(host_->cli({"reload"}).exit_code, 0);
  EXPECT_EQ(pid("w.4"), 0);
  EXPECT_NE(pid("w.3"), 0);
  EXPECT_EQ(host_->cli({"scale", "w", "0"}).exit_code, 0);
  EXPECT_EQ(pid("w.1"), 0);
}

TEST_F(Reload, AScaleThatCannotBeSaysWhy) {
  begin(sleeper("single") + "," + sleeper("many", R"(, "replicas": 1)"));
  EXPECT_THAT(host_->cli({"scale", "single", "2"}).err, HasSubstr("give the child \"replicas\""));
  EXPECT_THAT(host_->cli({"scale", "mani", "2"}).err, HasSubstr("did you mean \"many\"?"));
  EXPECT_THAT(host_->cli({"scale", "many", "99999"}).err, HasSubstr("at most 10000"));
  EXPECT_EQ(host_->cli({"scale", "many", "two"}).exit_code, 2);
}

}  // namespace
}  // namespace tenon::test_support
