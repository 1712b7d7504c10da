#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/plugin_under_test.hpp"

namespace {

using namespace std::chrono_literals;
using namespace tenon::test_support;

struct Watchdog : testing::Test {
  static const tenon_health_check& table() {
    static const LoadedPlugin plugin = LoadedPlugin::open("watchdog");
    return plugin.health_check("watchdog");
  }
  explicit Watchdog(const std::string& config = R"({"max_age":"10s"})") : watchdog(table(), config) {
    watchdog.host.script.control_status = TENON_OK;
  }
  void hear(const std::string& type) { watchdog.host.script.control_messages[type] = watchdog.host.now_ns(); }

  HealthCheckUnderTest watchdog;
};

TEST_F(Watchdog, IsHealthyUpToTheGreatestAge) {
  hear("tenon.watchdog");
  watchdog.host.advance(10s);
  EXPECT_EQ(watchdog.check().health, TENON_HEALTHY);
  watchdog.host.advance(1ns);
  const CheckCompletion late = watchdog.check();
  EXPECT_EQ(late.health, TENON_UNHEALTHY);
  EXPECT_EQ(late.reason, "the last WATCHDOG=1 came 10 s ago; max_age is 10 s");
}

TEST_F(Watchdog, CountsFromTheStartBeforeTheFirstOne) {
  watchdog.host.advance(12s);
  EXPECT_EQ(watchdog.check().reason, "no WATCHDOG=1 since its start 12 s ago; max_age is 10 s");
}

TEST_F(Watchdog, IsUnhealthyWhenTheProcessAsksForIt) {
  hear("tenon.watchdog");
  hear("tenon.watchdog.trigger");
  const CheckCompletion triggered = watchdog.check();
  EXPECT_EQ(triggered.health, TENON_UNHEALTHY);
  EXPECT_EQ(triggered.reason, "it asked to be taken for dead: WATCHDOG=trigger");
}

TEST_F(Watchdog, IsUnhealthyWhenTheProcessIsGone) {
  watchdog.host.script.control_status = TENON_ERR_NOT_FOUND;
  EXPECT_EQ(watchdog.check().reason, "process worker.1 does not run");
}

struct WatchdogByDefault : Watchdog {
  WatchdogByDefault() : Watchdog("{}") {}
};

TEST_F(WatchdogByDefault, WaitsForThirtySeconds) {
  watchdog.host.advance(30s);
  EXPECT_EQ(watchdog.check().health, TENON_HEALTHY);
  watchdog.host.advance(1ns);
  EXPECT_EQ(watchdog.check().health, TENON_UNHEALTHY);
}

}  // namespace
