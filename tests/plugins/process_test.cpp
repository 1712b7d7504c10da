#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/json_document.hpp"
#include "support/plugin_under_test.hpp"

namespace {

using namespace tenon::test_support;
using testing::HasSubstr;

const tenon_health_check& process() {
  static const LoadedPlugin plugin = LoadedPlugin::open("process");
  return plugin.health_check("process");
}

TEST(ProcessCheck, IsHealthyWhileTheProcessRuns) {
  HealthCheckUnderTest process_check(process(), "{}");
  process_check.host.script.usage_status = TENON_OK;
  EXPECT_EQ(process_check.check().health, TENON_HEALTHY);
}

TEST(ProcessCheck, IsUnhealthyWhenTheProcessIsGone) {
  HealthCheckUnderTest process_check(process(), "{}");
  process_check.host.script.usage_status = TENON_ERR_NOT_FOUND;
  const CheckCompletion gone = process_check.check();
  EXPECT_EQ(gone.health, TENON_UNHEALTHY);
  EXPECT_EQ(gone.reason, "process worker.1 does not run");
}

TEST(ProcessCheck, IsDegradedWhenTheStateCannotBeRead) {
  HealthCheckUnderTest process_check(process(), "{}");
  process_check.host.script.usage_status = TENON_ERR_IO;
  EXPECT_EQ(process_check.check().health, TENON_DEGRADED);

  process_check.host.script.usage_status = TENON_OK;
  process_check.host.script.memory_bytes = UINT64_MAX;
  EXPECT_EQ(process_check.check().health, TENON_HEALTHY) << "one field may be missing";
  process_check.host.script.cpu_ns = UINT64_MAX;
  const CheckCompletion unreadable = process_check.check();
  EXPECT_EQ(unreadable.health, TENON_DEGRADED);
  EXPECT_THAT(unreadable.reason, HasSubstr("cannot be read"));
}

TEST(ProcessCheck, TakesNoConfig) {
  const auto note = tenon::JsonDocument::parse(LoadedPlugin::open("process").note(), "note");
  ASSERT_TRUE(note.ok()) << note.error().message;
  const auto schema = note.value().root().find("components")->at(0).find("schema");
  EXPECT_EQ(schema->find("additionalProperties")->as_bool(), false);
  EXPECT_EQ(schema->find("properties")->size(), 0u);
}

}  // namespace
