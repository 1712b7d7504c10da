#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/plugin_under_test.hpp"

namespace {

using namespace std::chrono_literals;
using namespace tenon::test_support;

struct Heartbeat : testing::Test {
  static const tenon_health_check& table() {
    static const LoadedPlugin plugin = LoadedPlugin::open("heartbeat");
    return plugin.health_check("heartbeat");
  }
  explicit Heartbeat(const std::string& config = R"({"max_age":"10s"})") : heartbeat(table(), config) {
    heartbeat.host.script.control_status = TENON_OK;
  }
  void beat() { heartbeat.host.script.control_messages["tenon.heartbeat"] = heartbeat.host.now_ns(); }

  HealthCheckUnderTest heartbeat;
};

TEST_F(Heartbeat, IsHealthyUpToTheGreatestAge) {
  beat();
  EXPECT_EQ(heartbeat.check().health, TENON_HEALTHY);
  heartbeat.host.advance(10s);
  EXPECT_EQ(heartbeat.check().health, TENON_HEALTHY);
}

TEST_F(Heartbeat, IsUnhealthyBeyondTheGreatestAge) {
  heartbeat.host.advance(5s);
  beat();
  heartbeat.host.advance(10s + 1ns);
  const CheckCompletion late = heartbeat.check();
  EXPECT_EQ(late.health, TENON_UNHEALTHY);
  EXPECT_EQ(late.reason, "the last tenon.heartbeat came 10 s ago; max_age is 10 s");
}

TEST_F(Heartbeat, CountsFromTheStartBeforeTheFirstOne) {
  heartbeat.host.advance(9s);
  EXPECT_EQ(heartbeat.check().health, TENON_HEALTHY);
  heartbeat.host.advance(3s);
  const CheckCompletion silent = heartbeat.check();
  EXPECT_EQ(silent.health, TENON_UNHEALTHY);
  EXPECT_EQ(silent.reason, "no tenon.heartbeat since its start 12 s ago; max_age is 10 s");
}

TEST_F(Heartbeat, CountsAnewForEveryIncarnation) {
  heartbeat.host.advance(1h);
  heartbeat.stop();
  heartbeat.start();
  EXPECT_EQ(heartbeat.check().health, TENON_HEALTHY);
}

TEST_F(Heartbeat, DoesNotCountOtherControlMessages) {
  heartbeat.host.advance(11s);
  heartbeat.host.script.control_messages["tenon.status"] = heartbeat.host.now_ns();
  EXPECT_EQ(heartbeat.check().health, TENON_UNHEALTHY);
}

TEST_F(Heartbeat, IsUnhealthyWhenTheProcessIsGone) {
  heartbeat.host.script.control_status = TENON_ERR_NOT_FOUND;
  EXPECT_EQ(heartbeat.check().reason, "process worker.1 does not run");
}

TEST_F(Heartbeat, RefusesTheCheckWhenTheHostCannotTell) {
  heartbeat.host.script.control_status = TENON_ERR_INTERNAL;
  EXPECT_EQ(heartbeat.begin(), 0u);
  EXPECT_EQ(heartbeat.refused, "the host cannot tell when worker.1 last sent tenon.heartbeat");
}

struct HeartbeatDefaults : Heartbeat {
  HeartbeatDefaults() : Heartbeat("{}") {}
};

TEST_F(HeartbeatDefaults, AllowFifteenSecondsWithoutAnInterval) {
  heartbeat.host.advance(15s);
  EXPECT_EQ(heartbeat.check().health, TENON_HEALTHY);
  heartbeat.host.advance(1ns);
  EXPECT_EQ(heartbeat.check().health, TENON_UNHEALTHY);
}

TEST_F(HeartbeatDefaults, AllowThreeIntervalsOfTheCheck) {
  heartbeat.interval_ns = 60'000'000'000;
  heartbeat.start();
  heartbeat.host.advance(180s);
  EXPECT_EQ(heartbeat.check().health, TENON_HEALTHY);
  heartbeat.host.advance(1ns);
  const CheckCompletion late = heartbeat.check();
  EXPECT_EQ(late.health, TENON_UNHEALTHY);
  EXPECT_THAT(late.reason, testing::HasSubstr("max_age is 3 min"));
}

TEST_F(Heartbeat, KeepsToTheConfigWhateverTheInterval) {
  heartbeat.interval_ns = 60'000'000'000;
  heartbeat.start();
  heartbeat.host.advance(11s);
  EXPECT_EQ(heartbeat.check().health, TENON_UNHEALTHY);
}

}  // namespace
