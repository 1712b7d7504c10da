#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/json_document.hpp"
#include "support/plugin_under_test.hpp"

namespace {

using namespace std::chrono_literals;
using namespace tenon::test_support;
using testing::HasSubstr;

const tenon_health_check& cpu() {
  static const LoadedPlugin plugin = LoadedPlugin::open("cpu");
  return plugin.health_check("cpu");
}

struct CpuCheck : HealthCheckUnderTest {
  explicit CpuCheck(const std::string& config = R"({"degraded_above":0.5,"unhealthy_above":1.5})")
      : HealthCheckUnderTest(cpu(), config) {
    host.script.usage_status = TENON_OK;
  }
  // A check after some time in which the process used so much.
  CheckCompletion check_after(std::chrono::nanoseconds time, std::chrono::nanoseconds used) {
    host.advance(time);
    host.script.cpu_ns += static_cast<std::uint64_t>(used.count());
    return check();
  }
};

TEST(CpuCheck, IsHealthyAtFirstWhateverTheProcessUsedSoFar) {
  CpuCheck check;
  EXPECT_EQ(check.check_after(0s, 1h).health, TENON_HEALTHY);
}

TEST(CpuCheck, AveragesOverTheTimeBetweenTwoChecks) {
  CpuCheck check;
  check.check();
  EXPECT_EQ(check.check_after(10s, 5s).health, TENON_HEALTHY) << "just at the threshold";
  EXPECT_EQ(check.check_after(10s, 5s + 1ms).health, TENON_DEGRADED);
  EXPECT_EQ(check.check_after(10s, 15s).health, TENON_DEGRADED);
  EXPECT_EQ(check.check_after(10s, 16s).health, TENON_UNHEALTHY);
  EXPECT_EQ(check.check_after(10s, 0s).health, TENON_HEALTHY) << "what came before does not count again";
}

TEST(CpuCheck, SaysValueAndThreshold) {
  CpuCheck check;
  check.check();
  EXPECT_EQ(check.check_after(5s, 10s).reason, "worker.1 used 2.00 cores over 5 s; unhealthy_above is 1.5");
  EXPECT_EQ(check.check_after(10s, 9400ms).reason, "worker.1 used 0.94 cores over 10 s; degraded_above is 0.5");
  EXPECT_EQ(check.check_after(10s, 5s + 1us).reason, "worker.1 used 0.51 cores over 10 s; degraded_above is 0.5")
      << "what is over the limit looks so";
  EXPECT_EQ(check.check_after(10s, 1s).reason, "");
}

TEST(CpuCheck, DoesWithOneThreshold) {
  CpuCheck degraded(R"({"degraded_above":2})"), unhealthy(R"({"unhealthy_above":0.01})");
  degraded.check(), unhealthy.check();
  EXPECT_EQ(degraded.check_after(1s, 100s).reason, "worker.1 used 100.00 cores over 1 s; degraded_above is 2");
  EXPECT_EQ(unhealthy.check_after(1s, 10ms).health, TENON_HEALTHY);
  EXPECT_EQ(unhealthy.check_after(1s, 20ms).health, TENON_UNHEALTHY);
}

// A tick of 10 ms would be ten cores of a millisecond.
TEST(CpuCheck, TakesNoAverageOfLessThanASecond) {
  CpuCheck check;
  check.check();
  EXPECT_EQ(check.check_after(1ms, 10ms).health, TENON_HEALTHY);
  EXPECT_EQ(check.check_after(999ms, 790ms).reason, "worker.1 used 0.80 cores over 1 s; degraded_above is 0.5");
  EXPECT_EQ(check.check_after(500ms, 0s).reason, "worker.1 used 0.80 cores over 1 s; degraded_above is 0.5");
  EXPECT_EQ(check.check_after(500ms, 10ms).health, TENON_HEALTHY);
}

TEST(CpuCheck, CountsAnewForEveryIncarnation) {
  CpuCheck check;
  check.check();
  EXPECT_EQ(check.check_after(2s, 20s).health, TENON_UNHEALTHY);
  check.stop();
  check.start();
  check.host.script.cpu_ns = 0;
  EXPECT_EQ(check.check_after(100ms, 1s).health, TENON_HEALTHY) << "neither the old average nor the old sum";
  EXPECT_EQ(check.check_after(2s, 20s).health, TENON_UNHEALTHY);
}

TEST(CpuCheck, TakesASumThatFellForNoneUsed) {
  CpuCheck check;
  check.check_after(0s, 1h);
  check.host.script.cpu_ns = 0;  // a descendant ended that nobody waited for
  EXPECT_EQ(check.check_after(5s, 1s).health, TENON_HEALTHY);
  EXPECT_EQ(check.check_after(5s, 5s).health, TENON_DEGRADED);
}

TEST(CpuCheck, IsUnhealthyWhenTheProcessIsGone) {
  CpuCheck check;
  check.host.script.usage_status = TENON_ERR_NOT_FOUND;
  const CheckCompletion gone = check.check();
  EXPECT_EQ(gone.health, TENON_UNHEALTHY);
  EXPECT_EQ(gone.reason, "process worker.1 does not run");
}

TEST(CpuCheck, BlamesNotTheProcessWhenItsTimeCannotBeRead) {
  CpuCheck check;
  check.check();
  const std::uint64_t before = check.host.script.cpu_ns;
  check.host.script.cpu_ns = UINT64_MAX;
  const CheckCompletion unknown = check.check();
  EXPECT_EQ(unknown.health, TENON_DEGRADED);
  EXPECT_THAT(unknown.reason, HasSubstr("cannot be read"));
  check.host.script.cpu_ns = before;
  EXPECT_EQ(check.check_after(10s, 1s).health, TENON_HEALTHY) << "the average goes on from the last that was read";
}

TEST(CpuCheck, RefusesThresholdsThatSayNothing) {
  EXPECT_EQ(refusal(cpu(), "{}"), "give degraded_above, unhealthy_above or both");
  EXPECT_THAT(refusal(cpu(), R"({"degraded_above":2,"unhealthy_above":1})"),
              HasSubstr("set degraded_above below unhealthy_above"));
  EXPECT_THAT(refusal(cpu(), R"({"unhealthy_above":0})"), HasSubstr("unhealthy_above to cores above 0"));
  EXPECT_THAT(refusal(cpu(), R"({"degraded_above":-1})"), HasSubstr("degraded_above to cores above 0"));
  EXPECT_EQ(refusal(cpu(), R"({"degraded_above":1,"unhealthy_above":2})"), "");
}

TEST(CpuCheck, DescribesEveryKeyOfItsConfigInTheNote) {
  const auto note = tenon::JsonDocument::parse(LoadedPlugin::open("cpu").note(), "note");
  ASSERT_TRUE(note.ok()) << note.error().message;
  const auto schema = note.value().root().find("components")->at(0).find("schema");
  EXPECT_EQ(schema->find("additionalProperties")->as_bool(), false);
  EXPECT_EQ(schema->find("properties")->size(), 2u);
  for (const auto property : schema->find("properties")->members())
    EXPECT_TRUE(property.value.find("description")) << property.key;
}

}  // namespace
