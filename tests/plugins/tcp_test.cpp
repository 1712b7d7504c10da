#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support/plugin_under_test.hpp"
#include "support/scripted_server.hpp"

namespace {

using namespace std::chrono_literals;
using namespace tenon::test_support;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const tenon_health_check& tcp() {
  static const LoadedPlugin plugin = LoadedPlugin::open("tcp");
  return plugin.health_check("tcp");
}

std::string config(std::uint16_t port, const std::string& more = {}) {
  return "{\"port\":" + std::to_string(port) + more + "}";
}
std::string at(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

void wait_for_close(Connection& connection) { connection.wait_for_close(); }

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

TEST(TcpCheck, IsHealthyWhenTheServerAccepts) {
  ScriptedServer server(wait_for_close);
  HealthCheckUnderTest check(tcp(), config(server.port()));
  EXPECT_EQ(check.check().health, TENON_HEALTHY);
  EXPECT_EQ(check.check().reason, "");
}

TEST(TcpCheck, IsUnhealthyWhenTheConnectionIsRefused) {
  RefusingPort port;
  const CheckCompletion done = HealthCheckUnderTest(tcp(), config(port.port())).check();
  EXPECT_EQ(done.health, TENON_UNHEALTHY);
  EXPECT_EQ(done.reason, "connection refused by " + at(port.port()));
}

TEST(TcpCheck, IsUnhealthyWhenNobodyAnswersByTheDeadline) {
  DeafPort port;
  HealthCheckUnderTest check(tcp(), config(port.port()));
  const std::uint64_t token = check.begin(2s);
  check.host.pump_once();
  EXPECT_FALSE(check.host.check(token));
  check.host.advance(2s);
  ASSERT_TRUE(check.host.check(token));
  EXPECT_EQ(check.host.check(token)->reason, "no connection to " + at(port.port()) + " within 2 s");
  EXPECT_EQ(check.host.timers() + check.host.watches(), 0u);
}

TEST(TcpCheck, FindsTheBannerInSeveralPieces) {
  ScriptedServer server([](Connection& connection) {
    connection.write("220 mail.exa");
    connection.write("mple ESMTP\r\n");
    connection.wait_for_close();
  });
  HealthCheckUnderTest check(tcp(), config(server.port(), R"(,"expect_banner":"example ESMTP")"));
  EXPECT_EQ(check.check().health, TENON_HEALTHY);
}

TEST(TcpCheck, IsUnhealthyWhenTheServerGreetsOtherwiseAndCloses) {
  ScriptedServer server([](Connection& connection) { connection.write("busy\r\n"); });
  HealthCheckUnderTest check(tcp(), config(server.port(), R"(,"expect_banner":"220")"));
  const CheckCompletion done = check.check();
  EXPECT_EQ(done.health, TENON_UNHEALTHY);
  EXPECT_EQ(done.reason, at(server.port()) + " greeted with \"busy..\", which does not contain the expected banner");
}

TEST(TcpCheck, StopsReadingAServerThatNeverStopsTalking) {
  ScriptedServer server([](Connection& connection) {
    connection.write(std::string(1 << 20, 'x'));
    connection.wait_for_close();
  });
  HealthCheckUnderTest check(tcp(), config(server.port(), R"(,"expect_banner":"220")"));
  EXPECT_THAT(check.check().reason, HasSubstr("does not contain the expected banner"));
}

TEST(TcpCheck, IsUnhealthyWhenNoBannerComesByTheDeadline) {
  ScriptedServer server(wait_for_close);
  HealthCheckUnderTest check(tcp(), config(server.port(), R"(,"expect_banner":"220")"));
  const std::uint64_t token = check.begin(2s);
  ASSERT_TRUE(check.host.pump([&] { return server.accepted() == 1; }));
  check.host.pump_once();
  check.host.advance(2s);
  ASSERT_TRUE(check.host.check(token));
  EXPECT_EQ(check.host.check(token)->reason,
            at(server.port()) + " accepted, but did not send the expected banner within 2 s");
}

TEST(TcpCheck, IsDegradedWhenTheAnswerTookTooLong) {
  ScriptedServer server(wait_for_close);
  HealthCheckUnderTest check(tcp(), config(server.port(), R"(,"degraded_after":"200ms")"));
  const std::uint64_t token = check.begin(2s);
  check.host.advance(300ms);
  const auto done = check.wait(token);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->health, TENON_DEGRADED);
  EXPECT_EQ(done->reason, at(server.port()) + " answered after 300 ms; degraded_after is 200 ms");
  EXPECT_EQ(done->latency_ns, 300'000'000u);
}

TEST(TcpCheck, ResolvesNamesOnAWorkerAndTriesEveryAddress) {
  ScriptedServer server(wait_for_close);  // on 127.0.0.1 only, while localhost may be ::1 first
  HealthCheckUnderTest check(tcp(), config(server.port(), R"(,"host":"localhost")"));
  EXPECT_EQ(check.check().reason, "");
}

TEST(TcpCheck, NamesTheHostThatRefusedWhenNoAddressAnswers) {
  RefusingPort port;
  HealthCheckUnderTest check(tcp(), config(port.port(), R"(,"host":"localhost")"));
  EXPECT_EQ(check.check().reason, "connection refused by localhost:" + std::to_string(port.port()));
}

TEST(TcpCheck, IsUnhealthyWhenTheNameCannotBeResolved) {
  const std::string too_long(70, 'x');  // no label may be that long, so no server is asked
  HealthCheckUnderTest check(tcp(), config(80, R"(,"host":")" + too_long + "\""));
  EXPECT_THAT(check.check().reason, StartsWith("cannot resolve " + too_long));
}

TEST(TcpCheck, IsUnhealthyWhenTheNameIsNotResolvedInTime) {
  HealthCheckUnderTest check(tcp(), config(80, R"(,"host":"localhost")"));
  const std::uint64_t token = check.begin(1s);
  check.host.advance(1s);  // before the loop has heard of the worker's answer
  ASSERT_TRUE(check.host.check(token));
  EXPECT_EQ(check.host.check(token)->reason, "the name localhost was not resolved in time");
}

TEST(TcpCheck, BlamesNobodyWhenTheHostHasNoThreadToResolveTheName) {
  HealthCheckUnderTest check(tcp(), config(80, R"(,"host":"localhost")"));
  check.host.script.workers_busy = true;
  const std::uint64_t token = check.begin(1s);
  check.host.advance(1s);
  const auto done = check.host.check(token);
  ASSERT_TRUE(done && done->error);
  EXPECT_EQ(done->error->code, TENON_ERR_EXHAUSTED);
  EXPECT_EQ(done->error->fault, TENON_FAULT_HOST);
  EXPECT_EQ(done->error->text, "not made: no worker thread was free to resolve localhost");
}

TEST(TcpCheck, FreesEverythingWhenItIsCancelled) {
  ScriptedServer server(wait_for_close);
  HealthCheckUnderTest check(tcp(), config(server.port(), R"(,"expect_banner":"220")"));
  const std::size_t before = open_descriptors();
  check.begin();
  EXPECT_GT(open_descriptors(), before);
  check.cancel();
  EXPECT_EQ(check.host.timers() + check.host.watches(), 0u);
  ASSERT_TRUE(check.host.pump([&] { return server.served() == 1; }));  // the server saw the end
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_THAT(check.host.checks(), IsEmpty());
}

TEST(TcpCheck, IgnoresANameThatResolvesAfterTheCheckWasCancelled) {
  HealthCheckUnderTest check(tcp(), config(80, R"(,"host":"localhost")"));
  check.begin();
  check.stop();
  ASSERT_TRUE(check.host.pump([&] { return check.host.working() == 0; }));
  EXPECT_THAT(check.host.checks(), IsEmpty());
  EXPECT_EQ(check.host.watches(), 0u);
}

TEST(TcpCheck, MayBeDestroyedWhileAWorkerResolves) {
  HealthCheckUnderTest check(tcp(), config(80, R"(,"host":"localhost")"));
  check.begin();
  check.destroy();
  EXPECT_THAT(check.host.checks(), IsEmpty());
}

TEST(TcpCheck, ReleasesEachConnectionBeforeTheNextCheck) {
  ScriptedServer server([](Connection&) {});
  HealthCheckUnderTest check(tcp(), config(server.port()));
  check.check();
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 50; ++i) ASSERT_EQ(check.check().health, TENON_HEALTHY);
  ASSERT_TRUE(check.host.pump([&] { return server.served() == 51; }));
  EXPECT_LE(open_descriptors(), before + 1);  // the server's end of one may not be closed yet
}

TEST(TcpCheck, CompletesAlsoWhenTheHostIsOutOfWatchesOrTimers) {
  ScriptedServer server(wait_for_close);
  HealthCheckUnderTest check(tcp(), config(server.port()));
  check.host.script.watch = TENON_ERR_EXHAUSTED;
  EXPECT_THAT(check.check().reason, HasSubstr("the host refused a descriptor watch"));
  check.host.script.timer = TENON_ERR_EXHAUSTED;
  EXPECT_THAT(check.check().reason, HasSubstr("the host refused a timer"));
  EXPECT_EQ(check.host.timers() + check.host.watches(), 0u);
}

TEST(TcpCheck, RefusesAConfigWithoutAPort) { EXPECT_THAT(refusal(tcp(), "{}"), HasSubstr("port is missing")); }

}  // namespace
