#include "control/api.hpp"

#include <csignal>

#include "common/rfc3339.hpp"
#include "fake_host.hpp"

namespace tenon::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct ApiTest : ::testing::Test {
  FakeHost host;
  Api api{host};
  std::vector<HttpResponse> answers;
  bool over_tcp = false;

  const HttpResponse& call(std::string method, std::string target, std::string body = {}, std::string type = {}) {
    HttpRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.body = std::move(body);
    request.content_type = std::move(type);
    const std::size_t before = answers.size();
    api.handle(request, [this](HttpResponse response) { answers.push_back(std::move(response)); }, over_tcp);
    if (answers.size() != before + 1) ADD_FAILURE() << request.target << " was not answered exactly once";
    return answers.back();
  }
};

TEST_F(ApiTest, DocumentsPassAsTheHostMadeThem) {
  const std::pair<const char*, std::string> expected[] = {
      {"/v1/info", host.info()},           {"/v1/processes", host.processes()},
      {"/v1/tree", host.tree()},           {"/v1/plugins", host.plugins()},
      {"/v1/transports", host.transports()}, {"/v1/routes", host.routes()},
      {"/v1/health", host.health()},       {"/v1/processes/counter.1", R"({"id":"counter.1","status":"idle"})"},
      {"/v1/deadletters", "[100]"},        {"/v1/deadletters?limit=7", "[7]"}};
  for (const auto& [path, document] : expected) {
    const HttpResponse& response = call("GET", path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(response.content_type, "application/json") << path;
    EXPECT_EQ(response.body, document) << path;
  }
}

TEST_F(ApiTest, AnswersCarryTheRouteTheyCameBy) {
  EXPECT_EQ(call("GET", "/v1/processes/nobody").route, "/v1/processes/{id}");
  EXPECT_EQ(call("GET", "/nowhere").route, "other");
}

TEST_F(ApiTest, UnknownProcessIsNotFound) {
  const HttpResponse& response = call("GET", "/v1/processes/ghost");
  EXPECT_EQ(response.status, 404);
  EXPECT_THAT(response.body, HasSubstr("tenon ps"));
}

TEST_F(ApiTest, UnknownPathAndMethodAreToldApart) {
  EXPECT_EQ(call("GET", "/v1/nothing").status, 404);
  const HttpResponse& response = call("PUT", "/v1/events");
  EXPECT_EQ(response.status, 405);
  ASSERT_EQ(response.headers.size(), 1u);
  EXPECT_EQ(response.headers[0].value, "GET, HEAD, POST");
  EXPECT_EQ(call("GET", "/%zz").status, 400);
}

TEST_F(ApiTest, VerbsReachTheHostWithTheirArguments) {
  EXPECT_EQ(call("POST", "/v1/processes/counter.%2A,pipeline/restart?wait=0").status, 200);
  ASSERT_EQ(host.acts.size(), 1u);
  EXPECT_EQ(host.acts[0].verb, ProcessVerb::restart);
  EXPECT_THAT(host.acts[0].selectors, ElementsAre("counter.*", "pipeline"));
  EXPECT_FALSE(host.acts[0].wait);
  EXPECT_EQ(host.acts[0].signal_number, SIGTERM);
  call("POST", "/v1/processes/a/kill?signal=hup");
  EXPECT_EQ(host.acts[1].verb, ProcessVerb::kill);
  EXPECT_EQ(host.acts[1].signal_number, SIGHUP);
  EXPECT_TRUE(host.acts[1].wait);
}

TEST_F(ApiTest, EveryVerbHasItsOwnMeaning) {
  const std::pair<const char*, ProcessVerb> verbs[] = {
      {"start", ProcessVerb::start}, {"stop", ProcessVerb::stop},     {"restart", ProcessVerb::restart},
      {"pause", ProcessVerb::pause}, {"resume", ProcessVerb::resume}, {"kill", ProcessVerb::kill}};
  for (const auto& [name, verb] : verbs) {
    call("POST", std::string("/v1/processes/a/") + name);
    EXPECT_EQ(host.acts.back().verb, verb) << name;
  }
}

TEST_F(ApiTest, VerbWithNonsenseNeverReachesTheHost) {
  EXPECT_EQ(call("POST", "/v1/processes/a/kill?signal=BANG").status, 400);
  EXPECT_EQ(call("POST", "/v1/processes/,/stop").status, 400);
  EXPECT_TRUE(host.acts.empty());
}

TEST_F(ApiTest, OneFailureAmongSeveralIsAConflictWithEveryResult) {
  host.act_result = std::string(R"([{"id":"a","ok":true},{"id":"b","ok":false,"error":"it is paused"},)"
                                R"({"id":"c","ok":false,"error":"gone"}])");
  const HttpResponse& response = call("POST", "/v1/processes/%2A/stop");
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_THAT(response.body, HasSubstr(R"x("detail":"b: it is paused (2 of 3 processes failed)")x"));
  EXPECT_THAT(response.body, HasSubstr(R"("results":[{"id":"a","ok":true},)"));
}

TEST_F(ApiTest, VerbOnNobodyIsTheHostsError) {
  host.act_result = Error(errc::not_found, "no process is called \"x\"", fault::caller);
  EXPECT_EQ(call("POST", "/v1/processes/x/stop").status, 404);
}

TEST_F(ApiTest, EventsArePublishedInTheEncodingTheyCameIn) {
  const std::pair<const char*, const char*> encodings[] = {
      {"application/cloudevents+json", "application/cloudevents+json"},
      {"application/json", "application/json"},
      {"application/msgpack", "application/msgpack"},
      {"", "application/cloudevents+json"},
      {"application/x-www-form-urlencoded", "application/cloudevents+json"}};
  for (const auto& [sent, passed] : encodings) {
    EXPECT_EQ(call("POST", "/v1/events", "{}", sent).status, 200) << sent;
    EXPECT_EQ(host.published.back().second, passed) << sent;
  }
  EXPECT_EQ(call("POST", "/v1/events", "<a/>", "text/xml").status, 415);
  EXPECT_EQ(host.published.size(), 5u);
}

TEST_F(ApiTest, FullReceiverMeansComeBackLater) {
  host.publish_result = Error(errc::exhausted, "counter.1's mailbox is full", fault::remote, true);
  const HttpResponse& response = call("POST", "/v1/events", "{}");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.headers.at(0).name, "Retry-After");
}

TEST_F(ApiTest, RequestsCarryTheirTimeout) {
  EXPECT_EQ(call("POST", "/v1/request?timeout=250ms", "{}").body, R"({"type":"pong","data":1})");
  EXPECT_EQ(host.requests[0].second, std::chrono::milliseconds(250));
  call("POST", "/v1/request", "{}");
  EXPECT_EQ(host.requests[1].second, std::chrono::seconds(30));
  EXPECT_EQ(call("POST", "/v1/request?timeout=1h", "{}").status, 400);
  EXPECT_EQ(call("POST", "/v1/request", "x", "application/msgpack").status, 415);
  host.request_result = Error(errc::timeout, "nobody answered");
  EXPECT_EQ(call("POST", "/v1/request", "{}").status, 504);
}

TEST_F(ApiTest, TailIsAStreamThatLivesWithItsAnswer) {
  (void)call("GET", "/v1/events?topic=a.%3E");
  ASSERT_EQ(host.tails.size(), 1u);
  EXPECT_EQ(host.tails.begin()->second.name, "a.>");
  EXPECT_EQ(answers.back().content_type, "text/event-stream");
  host.push_to_tails("{}");
  EXPECT_EQ(answers.back().stream->take(), "data: {}\n\n");
  answers.clear();
  EXPECT_TRUE(host.tails.empty());
}

TEST_F(ApiTest, TailRefusesABadPatternAndABadCount) {
  EXPECT_EQ(call("GET", "/v1/events?topic=a%20b").status, 400);
  EXPECT_EQ(call("GET", "/v1/events?topic=a&n=x").status, 400);
  EXPECT_TRUE(host.tails.empty());
}

TEST_F(ApiTest, HeadOfAStreamBeginsNone) {
  const HttpResponse& response = call("HEAD", "/v1/events?topic=a");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.stream, nullptr);
  EXPECT_TRUE(host.tails.empty());
}

TEST_F(ApiTest, LogsEndUnlessFollowed) {
  host.log_lines = {R"({"text":"one"})", R"({"text":"two"})"};
  const HttpResponse& lines = call("GET", "/v1/processes/a/logs?lines=2");
  EXPECT_EQ(lines.content_type, "application/x-ndjson");
  EXPECT_TRUE(lines.stream->ended());
  EXPECT_EQ(lines.stream->take(), "{\"text\":\"one\"}\n{\"text\":\"two\"}\n");
  EXPECT_EQ(host.log_calls[0].lines, 2u);
  EXPECT_EQ(host.log_calls[0].from, std::nullopt);
  const HttpResponse& followed = call("GET", "/v1/processes/a/logs?follow=1&from=77");
  EXPECT_EQ(followed.content_type, "text/event-stream");
  EXPECT_FALSE(followed.stream->ended());
  EXPECT_EQ(host.log_calls[1].from, 77u);
  EXPECT_EQ(host.log_calls[1].lines, 100u);
  call("GET", "/v1/processes/a/logs?after=2026-05-04T10:11:12.000000345Z");
  EXPECT_EQ(host.log_calls[2].after, parse_rfc3339("2026-05-04T10:11:12.000000345Z").value());
  EXPECT_EQ(call("GET", "/v1/processes/a/logs?after=noon").status, 400);
}

TEST_F(ApiTest, ProbesSayWhyNot) {
  EXPECT_EQ(call("GET", "/healthz").status, 200);
  host.readiness = Error(errc::unavailable, "counter.1 is not ready");
  const HttpResponse& response = call("GET", "/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, HasSubstr("counter.1 is not ready"));
}

TEST_F(ApiTest, MetricsArePrometheusText) {
  const HttpResponse& response = call("GET", "/metrics");
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(response.body, host.metrics());
}

TEST_F(ApiTest, ChangesOfTheConfigAreAskedForAndTold) {
  EXPECT_EQ(call("POST", "/v1/reload").body, R"({"changes":[],"results":[]})");
  EXPECT_EQ(call("POST", "/v1/reload?wait=0").status, 200);
  EXPECT_EQ(call("GET", "/v1/diff").status, 200);
  EXPECT_EQ(call("GET", "/v1/diff?config=%2Fetc%2Ft.json").status, 200);
  EXPECT_EQ(call("POST", "/v1/processes/counter/scale?replicas=3&wait=0").status, 200);
  EXPECT_THAT(host.changes, ElementsAre("reload", "reload at once", "diff ", "diff /etc/t.json",
                                                 "scale counter 3 at once"));
  EXPECT_EQ(call("POST", "/v1/processes/counter/scale").status, 400);
  EXPECT_EQ(call("POST", "/v1/processes/counter/scale?replicas=-1").status, 400);
  EXPECT_EQ(call("GET", "/v1/diff?config=t.json").status, 400);
  over_tcp = true;
  EXPECT_EQ(call("GET", "/v1/diff").status, 200);
  EXPECT_EQ(call("GET", "/v1/diff?config=%2Fetc%2Fshadow").status, 403) << "a token is no right to read files";
}

TEST_F(ApiTest, AChangeAfterWhichSomethingDoesNotRunIsAConflict) {
  host.change_result =
      std::string(R"({"changes":[],"results":[{"id":"a","ok":true},{"id":"b","ok":false,"error":"gone"}]})");
  const HttpResponse& response = call("POST", "/v1/reload");
  EXPECT_EQ(response.status, 409);
  EXPECT_THAT(response.body, HasSubstr("b: gone (1 of 2 processes failed)"));
}

TEST_F(ApiTest, AnUpgradeIsBegunOrRefused) {
  EXPECT_EQ(call("POST", "/v1/upgrade").status, 202);
  host.upgrade_refusal = Error(errc::wrong_state, "the host stops");
  EXPECT_EQ(call("POST", "/v1/upgrade").status, 409);
}

TEST_F(ApiTest, ShutdownIsAnsweredAndDone) {
  EXPECT_EQ(call("POST", "/v1/shutdown").status, 202);
  EXPECT_EQ(host.shutdowns, 1);
  EXPECT_EQ(call("GET", "/v1/shutdown").status, 405);
  EXPECT_EQ(host.shutdowns, 1);
}

TEST_F(ApiTest, IndexPageEscapesWhatProcessesSay) {
  host.process_list = R"([{"id":"<script>alert(1)</script>","status":"idle","uptime_ms":61000,"reason":"a & \"b\""}])";
  const HttpResponse& response = call("GET", "/");
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_THAT(response.body, HasSubstr("a &amp; &quot;b&quot;"));
  EXPECT_THAT(response.body, HasSubstr("Tenon on alpha"));
  EXPECT_THAT(response.body, ::testing::Not(HasSubstr("<script>")));
}

}  // namespace
}  // namespace tenon::control
