#include <atomic>
#include <mutex>

#include "http_fixture.hpp"

namespace {

using namespace tenon::test_support;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"status\":\"fine\"";

CheckCompletion ask(const std::string& answer, const std::string& more = {}) {
  ScriptedServer server(ScriptedServer::answer(answer));
  return HealthCheckUnderTest(http(), config(server, more)).check();
}

TEST(HttpCheck, IsHealthyOnAnExpectedStatus) {
  const CheckCompletion done = ask(kOk);
  EXPECT_EQ(done.health, TENON_HEALTHY) << done.reason;
  EXPECT_EQ(done.reason, "");
}

TEST(HttpCheck, SendsTheConfiguredRequest) {
  std::mutex lock;
  std::string request;
  ScriptedServer server([&](Connection& connection) {
    const std::string text = connection.read_until("\r\n\r\n");
    const std::lock_guard hold(lock);
    request = text;
    connection.write(kOk);
  });
  const std::string more = R"(,"method":"POST","headers":{"X-Probe":"tenon/1","Accept":"text\/plain"})";
  HealthCheckUnderTest check(http(), config(url(server.port(), "/a/b?c=d%20e"), more));
  ASSERT_EQ(check.check().health, TENON_HEALTHY);
  const std::lock_guard hold(lock);
  EXPECT_THAT(request, AllOf(StartsWith("POST /a/b?c=d%20e HTTP/1.1\r\n"), HasSubstr("X-Probe: tenon/1\r\n"),
                             HasSubstr("Accept: text/plain\r\n"), HasSubstr("Content-Length: 0\r\n"),
                             HasSubstr("Host: 127.0.0.1:" + std::to_string(server.port()) + "\r\n")));
}

TEST(HttpCheck, IsUnhealthyOnAnotherStatusAndSaysWhichOneCame) {
  ScriptedServer server(ScriptedServer::answer("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"));
  const CheckCompletion done = HealthCheckUnderTest(http(), config(url(server.port(), "/h?token=secret"))).check();
  EXPECT_EQ(done.health, TENON_UNHEALTHY);
  EXPECT_EQ(done.reason, url(server.port(), "/h") + " answered 503 Service Unavailable; expected is 200-399");
}

TEST(HttpCheck, TakesCodesAndRangesAsExpected) {
  const std::string teapot = "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(ask(teapot, R"(,"expect_status":[418])").reason, "");
  EXPECT_EQ(ask(teapot, R"(,"expect_status":["418"])").reason, "");
  EXPECT_EQ(ask(teapot, R"(,"expect_status":["200-299","400-499"])").reason, "");
  EXPECT_THAT(ask(teapot, R"(,"expect_status":[204,"200-299"])").reason, HasSubstr("expected is 204, 200-299"));
}

TEST(HttpCheck, DoesNotFollowRedirects) {
  const std::string moved = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(ask(moved).health, TENON_HEALTHY);
  EXPECT_EQ(ask(moved, R"(,"expect_status":["200-299"])").health, TENON_UNHEALTHY);
}

TEST(HttpCheck, FindsTheExpectedTextInTheBody) {
  EXPECT_EQ(ask(kOk, R"(,"body_contains":"\"status\":\"fine\"")").reason, "");
  EXPECT_THAT(ask(kOk, R"(,"body_contains":"\"status\":\"bad\"")").reason, HasSubstr("its body does not contain"));
}

TEST(HttpCheck, FindsTheExpectedTextAcrossChunksAndBlocks) {
  const std::string filler(4094, '.');  // the mark lies across the boundary of the blocks that are read
  const std::string chunks = "ffe\r\n" + filler + "\r\n3\r\nnee\r\n3\r\ndle\r\n0\r\n\r\n";
  const std::string wanted = R"(,"body_contains":"needle")";
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, wanted).reason, "");
  EXPECT_EQ(ask("HTTP/1.0 200 OK\r\n\r\n" + filler + "needle", wanted).reason, "");
}

TEST(HttpCheck, UnderstandsAnAnswerThatComesOctetByOctet) {
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnee\r\n3;x=y\r\ndle\r\n0\r\n\r\n";
  const auto slowly = [&](Connection& connection) {
    connection.read_until("\r\n\r\n");
    for (const char octet : chunked) connection.write({&octet, 1});
  };
  ScriptedServer server(slowly);
  EXPECT_EQ(HealthCheckUnderTest(http(), config(server, R"(,"body_contains":"needle")")).check().reason, "");
  EXPECT_THAT(HealthCheckUnderTest(http(), config(server, R"(,"body_contains":"needles")")).check().reason,
              HasSubstr("its body does not contain"));
}

TEST(HttpCheck, WaitsNotForEverForTheEndOfAChunk) {
  const std::string endless = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(200'000, 'x');
  EXPECT_THAT(ask(endless, R"(,"body_contains":"needle")").reason, HasSubstr("a chunk without an end"));
}

TEST(HttpCheck, LooksAtTheFirstMebibyteOfABodyOnly) {
  const std::string answer = "HTTP/1.0 200 OK\r\n\r\n" + std::string(2 << 20, '.') + "needle";
  EXPECT_THAT(ask(answer, R"(,"body_contains":"needle")").reason, HasSubstr("its body does not contain"));
}

TEST(HttpCheck, IsUnhealthyWhenTheConnectionIsRefused) {
  RefusingPort port;
  const CheckCompletion done = HealthCheckUnderTest(http(), config(url(port.port()))).check();
  EXPECT_EQ(done.health, TENON_UNHEALTHY);
  EXPECT_EQ(done.reason, "connection refused by 127.0.0.1:" + std::to_string(port.port()));
}

TEST(HttpCheck, TriesEveryAddressOfAName) {
  ScriptedServer server(ScriptedServer::answer(kOk));
  HealthCheckUnderTest check(http(), config("http://localhost:" + std::to_string(server.port())));
  EXPECT_EQ(check.check().reason, "");
}

TEST(HttpCheck, IsUnhealthyWhenTheNameCannotBeResolved) {
  const std::string too_long(70, 'x');  // no label may be that long, so no server is asked
  HealthCheckUnderTest check(http(), config("http://" + too_long + "/"));
  EXPECT_THAT(check.check().reason, StartsWith("cannot resolve " + too_long + ": "));
}

TEST(HttpCheck, IsUnhealthyWhenTheServerClosesWithoutAnAnswer) {
  ScriptedServer server([](Connection& connection) { connection.read_until("\r\n\r\n"); });
  EXPECT_EQ(HealthCheckUnderTest(http(), config(server)).check().reason,
            "127.0.0.1:" + std::to_string(server.port()) + " closed the connection without an answer");
}

TEST(HttpCheck, IsUnhealthyWhenTheAnswerIsNoHttp) {
  const CheckCompletion done = ask("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  EXPECT_EQ(done.health, TENON_UNHEALTHY);
  EXPECT_THAT(done.reason, Not(IsEmpty()));
}

TEST(HttpCheck, IsUnhealthyOnMoreHeadersThanItReads) {
  std::string answer = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 10000; ++i) answer += "X-" + std::to_string(i) + ": y\r\n";
  EXPECT_EQ(ask(answer + "\r\n").health, TENON_UNHEALTHY);
}

TEST(HttpCheck, IsUnhealthyWhenTheServerStaysSilentUntilTheDeadline) {
  std::atomic<bool> asked = false;
  ScriptedServer server([&](Connection& connection) {
    connection.read_until("\r\n\r\n");
    asked = true;
    connection.wait_for_close();
  });
  HealthCheckUnderTest check(http(), config(server));
  const std::uint64_t token = check.begin(2s);
  ASSERT_TRUE(check.host.pump([&] { return asked.load(); }));
  check.host.advance(2s - 1ns);
  EXPECT_FALSE(check.host.check(token));
  check.host.advance(1ns);
  ASSERT_TRUE(check.host.check(token));
  EXPECT_EQ(check.host.check(token)->health, TENON_UNHEALTHY);
  EXPECT_EQ(check.host.check(token)->reason, "no complete answer from " + url(server.port()) + " within 2 s");
  EXPECT_EQ(check.host.timers() + check.host.watches(), 0u);
  ASSERT_TRUE(check.host.pump([&] { return server.served() == 1; }));  // it let go of its connection
}

TEST(HttpCheck, IsUnhealthyWhenNobodyAcceptsUntilTheDeadline) {
  DeafPort port;
  HealthCheckUnderTest check(http(), config(url(port.port())));
  const std::uint64_t token = check.begin(2s);
  check.host.pump_once();
  EXPECT_FALSE(check.host.check(token));
  check.host.advance(2s);
  ASSERT_TRUE(check.host.check(token));
  EXPECT_THAT(check.host.check(token)->reason, HasSubstr("within 2 s"));
}

TEST(HttpCheck, IsUnhealthyWhenTheBodyStopsInTheMiddle) {
  const std::string half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", wanted = R"(,"body_contains":"whole")";
  EXPECT_THAT(ask(half, wanted).reason, HasSubstr("closed the connection in the middle of its answer"));
  std::atomic<bool> answered = false;
  ScriptedServer server([&](Connection& connection) {
    connection.read_until("\r\n\r\n");
    connection.write(half);
    answered = true;
    connection.wait_for_close();
  });
  HealthCheckUnderTest check(http(), config(server, wanted));
  const std::uint64_t token = check.begin(2s);
  ASSERT_TRUE(check.host.pump([&] { return answered.load(); }));
  check.host.advance(2s);
  ASSERT_TRUE(check.host.check(token));
  EXPECT_THAT(check.host.check(token)->reason, StartsWith("no complete answer from"));
}

TEST(HttpCheck, TakesNoThreadOfTheHostHoweverManyServersHang) {
  ScriptedServer silent([](Connection& connection) { connection.wait_for_close(); });
  ScriptedServer quick(ScriptedServer::answer(kOk));
  HealthCheckUnderTest hangs(http(), config(silent)), answers(http(), config(quick));
  for (HealthCheckUnderTest* check : {&hangs, &answers}) check->host.script.worker = TENON_ERR_EXHAUSTED;
  EXPECT_NE(hangs.begin(1h), 0u);
  EXPECT_EQ(answers.check().reason, "");
}

TEST(HttpCheck, EndsItsConnectionAtOnceWhenItIsCancelled) {
  ScriptedServer server([](Connection& connection) { connection.wait_for_close(); });
  HealthCheckUnderTest check(http(), config(server));
  check.begin(1h);
  ASSERT_TRUE(check.host.pump([&] { return server.accepted() == 1; }));
  check.cancel();
  ASSERT_TRUE(check.host.pump([&] { return server.served() == 1; }));
  EXPECT_EQ(check.host.timers() + check.host.watches(), 0u);
  EXPECT_THAT(check.host.checks(), IsEmpty());
}

TEST(HttpCheck, MayBeDestroyedWhileTheServerWaits) {
  ScriptedServer server([](Connection& connection) { connection.wait_for_close(); });
  HealthCheckUnderTest check(http(), config(server));
  check.begin(1h);
  ASSERT_TRUE(check.host.pump([&] { return server.accepted() == 1; }));
  check.destroy();
  EXPECT_THAT(check.host.checks(), IsEmpty());
}

TEST(HttpCheck, MayBeDestroyedBeforeTheWorkerHasBegun) {
  for (int i = 0; i < 20; ++i) {
    const char* const server = i % 2 == 0 ? "http://localhost:1/" : "https://127.0.0.1:1/";
    HealthCheckUnderTest check(http(), config(server));
    check.begin(1h);
    check.destroy();
    EXPECT_THAT(check.host.checks(), IsEmpty());
  }
}

TEST(HttpCheck, AnswersTheSecondCheckAfterACancelledFirst) {
  ScriptedServer server(ScriptedServer::answer(kOk));
  HealthCheckUnderTest check(http(), config(server));
  check.begin();
  check.cancel();
  EXPECT_EQ(check.check().reason, "");
  ASSERT_TRUE(check.host.pump([&] { return check.host.working() == 0; }));
  EXPECT_EQ(check.host.checks().size(), 1u);
}

TEST(HttpCheck, IsDegradedWhenTheAnswerTookTooLong) {
  ScriptedServer server(ScriptedServer::answer(kOk));
  HealthCheckUnderTest check(http(), config(server, R"(,"degraded_after":"200ms")"));
  const std::uint64_t token = check.begin(5s);
  check.host.advance(300ms);
  const auto done = check.wait(token);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->health, TENON_DEGRADED);
  EXPECT_EQ(done->reason, url(server.port()) + " answered after 300 ms; degraded_after is 200 ms");
}

TEST(HttpCheck, BlamesNobodyWhenTheHostHasNoThreadForTheName) {
  HealthCheckUnderTest check(http(), config("http://localhost:1/"));
  check.host.script.workers_busy = true;
  const std::uint64_t token = check.begin(1s);
  check.host.advance(1s);
  const auto done = check.host.check(token);
  ASSERT_TRUE(done && done->error);
  EXPECT_EQ(done->error->code, TENON_ERR_EXHAUSTED);
  EXPECT_EQ(done->error->fault, TENON_FAULT_HOST);
  EXPECT_EQ(done->error->text, "not made: no worker thread was free to resolve localhost");
}

TEST(HttpCheck, BlamesNobodyWhenTheHostHasNoThreadForTheAuthorities) {
  HealthCheckUnderTest check(http(), config("https://127.0.0.1:1/"));
  check.host.script.workers_busy = true;
  const std::uint64_t token = check.begin(1s);
  check.host.advance(1s);
  const auto done = check.host.check(token);
  ASSERT_TRUE(done && done->error);
  EXPECT_EQ(done->error->text, "not made: no worker thread was free to read the certificate authorities");
}

TEST(HttpCheck, RefusesTheCheckWhenTheHostHasNoWorker) {
  for (const char* const server : {"http://localhost:1/", "https://127.0.0.1:1/"}) {
    HealthCheckUnderTest check(http(), config(server));
    check.host.script.worker = TENON_ERR_EXHAUSTED;
    EXPECT_EQ(check.begin(), 0u);
    EXPECT_THAT(check.refused, HasSubstr("refused work on a worker thread"));
  }
}

TEST(HttpCheck, SaysThatTheHostGivesItNoTimerOrWatch) {
  ScriptedServer server(ScriptedServer::answer(kOk));
  for (const bool timer : {true, false}) {
    HealthCheckUnderTest check(http(), config(server));
    (timer ? check.host.script.timer : check.host.script.watch) = TENON_ERR_EXHAUSTED;
    EXPECT_THAT(check.check().reason, HasSubstr("the host refused"));
  }
}

TEST(HttpCheck, RefusesWhatIsNoUsableUrl) {
  EXPECT_THAT(refusal(http(), config("ftp://127.0.0.1/")), HasSubstr("names no http server"));
  EXPECT_THAT(refusal(http(), config("127.0.0.1:80")), HasSubstr("http://HOST:PORT/PATH"));
  EXPECT_THAT(refusal(http(), config("http://127.0.0.1:99999/")), HasSubstr("http://HOST:PORT/PATH"));
  EXPECT_THAT(refusal(http(), config("http://me:pw@127.0.0.1/")), AllOf(HasSubstr("headers"), Not(HasSubstr("pw"))));
}

TEST(HttpCheck, RefusesAUrlThatWouldSmuggleInARequest) {
  for (const char* path : {"/a b", "/a\\r\\nX: y", "/caf\\u00e9"})
    EXPECT_THAT(refusal(http(), config(std::string("http://127.0.0.1") + path)), HasSubstr("percent-encoded")) << path;
  for (const char* host : {"[127.0.0.1]", "[::1", "a b", "a:0", "a:70000", "a:80x", ":80"})
    EXPECT_THAT(refusal(http(), config(std::string("http://") + host + "/")), HasSubstr("http://HOST:PORT/PATH"))
        << host;
}

TEST(HttpCheck, FindsTheExpectedTextBeforeTheAnswerEnds) {
  ScriptedServer server([](Connection& connection) {
    connection.read_until("\r\n\r\n");
    connection.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: alive\n\n");
    connection.wait_for_close();
  });
  EXPECT_EQ(HealthCheckUnderTest(http(), config(server, R"(,"body_contains":"alive")")).check().reason, "");
}

TEST(HttpCheck, RefusesHeadersThatWouldSmuggleInOthers) {
  const auto refused = [](const std::string& headers) { return refusal(http(), config("http://a/", headers)); };
  EXPECT_THAT(refused(R"(,"headers":{"X-A\r\nX-B":"c"})"), HasSubstr("is no header name"));
  EXPECT_THAT(refused(R"(,"headers":{"X-A":"b\r\nX-C: d"})"), HasSubstr("control character"));
}

TEST(HttpCheck, RefusesAStatusThatIsNoRange) {
  for (const char* status : {"\"abc\"", "\"2000\"", "\"399-200\"", "\"200-\"", "\"\""})
    EXPECT_THAT(refusal(http(), config("http://a/", std::string(",\"expect_status\":[") + status + "]")),
                HasSubstr("is no range"))
        << status;
}

TEST(HttpCheck, RefusesWhatWouldHaveNoEffectOrNeverSucceed) {
  const std::string ca = R"(,"tls_ca_file":"\/ca.pem")";
  EXPECT_THAT(refusal(http(), config("http://a/", ca)), HasSubstr("tls_ca_file has no effect"));
  EXPECT_THAT(refusal(http(), config("https://a/", ca + R"(,"tls_verify":false)")), HasSubstr("tls_verify"));
  EXPECT_THAT(refusal(http(), config("http://a/", R"(,"method":"HEAD","body_contains":"x")")), HasSubstr("HEAD"));
}

}  // namespace
