// Whole commands: arguments in, exit code, stdout and stderr out, against a scripted host.
#include "cli/cli.hpp"

#include <fcntl.h>
#include <signal.h>

#include "cli/interruption.hpp"
#include "scripted_host.hpp"

namespace tenon::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
  int code;
  std::string out, error;
};

struct CliTest : ::testing::Test {
  std::vector<std::string> local_calls;
  LocalVerbs local{.version = "1.2.3",
                   .run =
                       [this](const RunRequest& request) {
                         local_calls.push_back("run " + request.config + (request.until_idle ? " until idle" : "") +
                                               (request.socket.empty() ? "" : " on " + request.socket));
                         return 7;
                       },
                   .check =
                       [this](const std::string& config, bool json) {
                         local_calls.push_back("check " + config + (json ? " json" : ""));
                         return 1;
                       },
                   .plugin_info =
                       [this](const std::string& file, bool) {
                         local_calls.push_back("plugin info " + file);
                         return 0;
                       },
                   .engine =
                       [this] {
                         local_calls.push_back("engine");
                         return 5;
                       }};

  Outcome run_words(std::vector<std::string> words) {
    words.insert(words.begin(), "tenon");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = run(static_cast<int>(argv.size()), argv.data(), local);
    return {code, ::testing::internal::GetCapturedStdout(), ::testing::internal::GetCapturedStderr()};
  }
  Outcome on(const ScriptedHost& host, std::vector<std::string> words) {
    words.insert(words.end(), {"--socket", host.path()});
    return run_words(std::move(words));
  }
};

// One line that begins with our name.
void expect_one_line(const std::string& error) {
  EXPECT_THAT(error, StartsWith("tenon: "));
  EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 1) << error;
}

TEST_F(CliTest, RunTakesTheSocketFromTheCommandLineThenFromTheEnvironment) {
  ::setenv("TENON_SOCKET", "/tmp/from-environment", 1);
  run_words({"run", "a.json"});
  run_words({"run", "a.json", "--socket", "/tmp/from-line"});
  ::unsetenv("TENON_SOCKET");
  run_words({"run", "a.json"});
  EXPECT_EQ(local_calls, (std::vector<std::string>{"run a.json on /tmp/from-environment", "run a.json on /tmp/from-line",
                                                   "run a.json"}));
}

TEST_F(CliTest, LocalVerbsAreHandedOver) {
  EXPECT_EQ(run_words({"run", "c.json", "--until-idle"}).code, 7);
  EXPECT_EQ(run_words({"check", "c.json", "--json"}).code, 1);
  EXPECT_EQ(run_words({"plugin", "info", "x.so"}).code, 0);
  EXPECT_EQ(run_words({"engine"}).code, 5);
  EXPECT_EQ(local_calls,
            (std::vector<std::string>{"run c.json until idle", "check c.json json", "plugin info x.so", "engine"}));
}

TEST_F(CliTest, WithoutAHostTheExitCodeIsThree) {
  for (const char* verb : {"ps", "info", "tree", "health", "shutdown"}) {
    const Outcome outcome = run_words({verb, "--socket", "/tmp/tenon-no-such-directory/s"});
    EXPECT_EQ(outcome.code, 3) << verb;
    EXPECT_EQ(outcome.out, "") << verb;
    expect_one_line(outcome.error);
    EXPECT_THAT(outcome.error, HasSubstr("/tmp/tenon-no-such-directory/s"));
  }
  for (const char* verb : {"tail", "logs"}) {
    EXPECT_EQ(run_words({verb, "x", "--socket", "/tmp/tenon-no-such-directory/s"}).code, 3) << verb;
  }
}

TEST_F(CliTest, SocketComesFromTheEnvironmentWhenNotGiven) {
  ::setenv("TENON_SOCKET", "/tmp/tenon-no-such-directory/env", 1);
  const Outcome outcome = run_words({"ps"});
  ::unsetenv("TENON_SOCKET");
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.error, HasSubstr("/tmp/tenon-no-such-directory/env"));
}

TEST_F(CliTest, WrongUsageIsTwoAndSilentOnStdout) {
  const Outcome outcome = run_words({"stauts"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  expect_one_line(outcome.error);
}

TEST_F(CliTest, JsonIsTheDocumentAsItIs) {
  ScriptedHost host({ScriptedHost::answering(200, R"([{"id":"a", "x":1.0}])")});
  const Outcome outcome = on(host, {"ps", "--json"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "[{\"id\":\"a\", \"x\":1.0}]\n");
  EXPECT_EQ(outcome.error, "");
}

TEST_F(CliTest, RefusalIsOneLineAndOne) {
  ScriptedHost host({ScriptedHost::answering(404, R"({"detail":"there is no process \"x\";\ntenon ps lists them"})")});
  const Outcome outcome = on(host, {"status", "x"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.error, "tenon: there is no process \"x\"; tenon ps lists them\n");
}

TEST_F(CliTest, NamesAreEncodedInPaths) {
  ScriptedHost host({ScriptedHost::answering(200, "{}")});
  on(host, {"status", "a/b c"});
  EXPECT_THAT(host.requests().at(0), StartsWith("GET /v1/processes/a%2Fb%20c HTTP/1.1"));
}

TEST_F(CliTest, StatusOfSeveralIsOneBlockEach) {
  ScriptedHost host({ScriptedHost::answering(200, R"([{"id":"a"},{"id":"b"}])")});
  const Outcome outcome = on(host, {"status", "a", "b.*"});
  EXPECT_THAT(host.requests().at(0), StartsWith("GET /v1/processes/a,b.%2A HTTP/1.1"));
  EXPECT_EQ(outcome.out, "id  a\n\nid  b\n");
}

TEST_F(CliTest, SeveralProcessesAreOneCall) {
  ScriptedHost host({ScriptedHost::answering(
      200, R"([{"id":"a","ok":true,"status":"terminated"},{"id":"b","ok":true,"status":"idle"}])")});
  const Outcome outcome = on(host, {"stop", "a", "b.*", "--no-wait"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "a  terminated\nb  idle\n");
  EXPECT_THAT(host.requests().at(0), StartsWith("POST /v1/processes/a,b.%2A/stop?wait=0 HTTP/1.1"));
}

TEST_F(CliTest, PartialFailureShowsEveryResultAndFails) {
  ScriptedHost host({ScriptedHost::answering(
      409, R"x({"detail":"b: it is paused (1 of 2 processes failed)","results":[{"id":"a","ok":true,"status":"idle"},)x"
           R"x({"id":"b","ok":false,"status":"paused","error":"it is paused"}]})x")});
  const Outcome outcome = on(host, {"restart", "a", "b"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, "a  idle\nb  paused  it is paused\n");
  EXPECT_EQ(outcome.error, "tenon: b: it is paused (1 of 2 processes failed)\n");
}

TEST_F(CliTest, KillNamesItsSignal) {
  ScriptedHost host({ScriptedHost::answering(200, "[]")});
  on(host, {"kill", "a", "--signal", "HUP"});
  EXPECT_THAT(host.requests().at(0), StartsWith("POST /v1/processes/a/kill?wait=1&signal=HUP HTTP/1.1"));
}

TEST_F(CliTest, KillTellsWhatItSentAndNotAStatusThatMayChange) {
  const std::string answer =
      R"x({"detail":"b: b is terminated","results":[{"id":"a","ok":true,"status":"idle"},)x"
      R"x({"id":"b","ok":false,"status":"terminated","error":"b is terminated"}]})x";
  ScriptedHost host({ScriptedHost::answering(409, answer), ScriptedHost::answering(409, answer)});
  EXPECT_EQ(on(host, {"kill", "a", "b", "--signal", "sighup"}).out, "sent HUP to a\nb  terminated  b is terminated\n");
  EXPECT_THAT(on(host, {"kill", "a", "b", "--json"}).out, HasSubstr(R"("status":"idle")"));
}

TEST_F(CliTest, SendPublishesACloudEvent) {
  ScriptedHost host({ScriptedHost::answering(200, R"({"id":"e1","receivers":2})")});
  const Outcome outcome = on(host, {"send", "a.b", "--data", "{\"k\":1}"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "published e1 to 2 receivers\n");
  EXPECT_TRUE(host.requests().at(0).ends_with("\r\n\r\n" R"({"type":"a.b","topic":"a.b","data":{"k":1}})"));
}

TEST_F(CliTest, SendTellsThatOthersDidNotGetIt) {
  ScriptedHost host({ScriptedHost::answering(200, R"({"id":"e1","receivers":1,"dead_lettered_for_some":true})")});
  const Outcome outcome = on(host, {"send", "a.b"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "published e1 to 1 receiver, dead-lettered for others; see tenon deadletters list\n");
}

TEST_F(CliTest, AnEventThatReachedNobodyFailsWithTheHostsAdvice) {
  for (const int status : {404, 409, 413, 422, 503}) {
    ScriptedHost host({ScriptedHost::answering(status, R"({"detail":"no receiver; do this","code":"exhausted"})")});
    for (const char* verb : {"send", "request"}) {
      const Outcome outcome = on(host, {verb, "a.b"});
      EXPECT_EQ(outcome.code, 1) << status;
      EXPECT_EQ(outcome.out, "");
      EXPECT_EQ(outcome.error, "tenon: no receiver; do this\n");
    }
  }
}

TEST_F(CliTest, DataThatIsNoJsonNeverLeaves) {
  ScriptedHost host({ScriptedHost::answering(200, "{}")});
  const Outcome outcome = on(host, {"send", "a", "--data", "hello"});
  EXPECT_EQ(outcome.code, 2);
  expect_one_line(outcome.error);
  EXPECT_EQ(on(host, {"send", "a", "--file", "/no/such/file"}).code, 1);
  EXPECT_TRUE(host.requests().empty());
}

TEST_F(CliTest, RequestPrintsTheReplysData) {
  ScriptedHost host({ScriptedHost::answering(200, R"({"type":"r","data":{"n": 1}})")});
  EXPECT_EQ(on(host, {"request", "a", "--timeout", "2s"}).out, "{\"n\":1}\n");
  EXPECT_THAT(host.requests().at(0), StartsWith("POST /v1/request?timeout=2s HTTP/1.1"));
  EXPECT_EQ(on(host, {"request", "a", "--json"}).out, "{\"type\":\"r\",\"data\":{\"n\": 1}}\n");
}

TEST_F(CliTest, TailEndsAfterTheEventsAskedForAcrossAnEngine) {
  ScriptedHost host(
      {ScriptedHost::streaming({"{\"id\":\"1\"}"}, false), ScriptedHost::streaming({"{\"id\":\"2\"}"}, false)});
  const Outcome outcome = on(host, {"tail", "a.>", "-n", "2", "--json"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "{\"id\":\"1\"}\n{\"id\":\"2\"}\n");
  EXPECT_THAT(outcome.error, HasSubstr("connected again"));
  EXPECT_THAT(host.requests().at(0), StartsWith("GET /v1/events?topic=a.%3E&n=2 HTTP/1.1"));
  EXPECT_THAT(host.requests().at(1), StartsWith("GET /v1/events?topic=a.%3E&n=1 HTTP/1.1"));
}

TEST_F(CliTest, InterruptedTailIsDone) {
  // Blocked already when the signal comes, so that it is the verb that takes it and not the test program.
  const Interruption outer;
  ScriptedHost host({[main = ::pthread_self()](ScriptedHost::Peer& peer, const std::string&) {
    ::pthread_kill(main, SIGINT);
    peer.wait_for_close();
  }});
  EXPECT_EQ(on(host, {"tail", "a"}).code, 0);
}

TEST_F(CliTest, FollowedLogsGoOnBehindTheLastLineAPageAfterTheOther) {
  const auto line = [](const char* time, const char* text) {
    return R"({"time":"2026-05-04T10:00:0)" + std::string(time) + R"(Z","text":")" + text + R"("})";
  };
  ScriptedHost host({ScriptedHost::streaming({line("1.5", "one")}, false), ScriptedHost::streaming({line("2", "two")}, true),
                     ScriptedHost::streaming({}, true), ScriptedHost::streaming({line("3", "three")}, true)});
  const Outcome outcome = on(host, {"logs", "x", "-f", "-n", "5"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "one\ntwo\nthree\n");
  EXPECT_THAT(host.requests().at(0), StartsWith("GET /v1/processes/x/logs?lines=5&follow=1 "));
  EXPECT_THAT(host.requests().at(1), StartsWith("GET /v1/processes/x/logs?after=2026-05-04T10%3A00%3A01.5Z "));
  EXPECT_THAT(host.requests().at(2), StartsWith("GET /v1/processes/x/logs?after=2026-05-04T10%3A00%3A02Z "));
  EXPECT_THAT(host.requests().at(3), StartsWith("GET /v1/processes/x/logs?after=2026-05-04T10%3A00%3A02Z&follow=1 "));
}

TEST_F(CliTest, FollowedLogsWithoutALineGoOnWhenTheyWereAskedFor) {
  ScriptedHost host({ScriptedHost::streaming({}, false), ScriptedHost::streaming({}, true)});
  EXPECT_EQ(on(host, {"logs", "x", "y", "-f", "-n", "0"}).code, 0);
  EXPECT_THAT(host.requests().at(1), StartsWith("GET /v1/processes/x,y/logs?after=20"));
}

TEST_F(CliTest, SlowReaderIsToldWhatItMissed) {
  ScriptedHost host({[](ScriptedHost::Peer& peer, const std::string&) {
    peer.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" +
               ScriptedHost::chunk("event: dropped\ndata: {\"dropped\":12}\n\n") + "0\r\n\r\n");
  }});
  const Outcome outcome = on(host, {"tail", "a"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.error, HasSubstr("12 events were dropped"));
}

TEST_F(CliTest, ShutdownIsAsked) {
  ScriptedHost host({ScriptedHost::answering(202, "{}")});
  EXPECT_EQ(on(host, {"shutdown", "--no-wait"}).code, 0);
  EXPECT_THAT(host.requests().back(), StartsWith("POST /v1/shutdown HTTP/1.1"));
}

}  // namespace
}  // namespace tenon::cli
