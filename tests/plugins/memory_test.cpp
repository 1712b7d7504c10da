#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/json_document.hpp"
#include "support/plugin_under_test.hpp"

namespace {

using namespace tenon::test_support;
using testing::HasSubstr;

constexpr std::uint64_t kMiB = 1 << 20;

const tenon_health_check& memory() {
  static const LoadedPlugin plugin = LoadedPlugin::open("memory");
  return plugin.health_check("memory");
}

struct MemoryCheck : HealthCheckUnderTest {
  explicit MemoryCheck(const std::string& config) : HealthCheckUnderTest(memory(), config) {
    host.script.usage_status = TENON_OK;
  }
  CheckCompletion check_with(std::uint64_t octets, std::uint32_t processes = 1) {
    host.script.memory_bytes = octets;
    host.script.process_count = processes;
    return check();
  }
};

const char kBoth[] = R"({"degraded_above":"200MiB","unhealthy_above":"256MiB"})";

TEST(MemoryCheck, IsHealthyUpToTheThresholds) {
  MemoryCheck check(kBoth);
  EXPECT_EQ(check.check_with(0).health, TENON_HEALTHY);
  EXPECT_EQ(check.check_with(200 * kMiB).health, TENON_HEALTHY);
  EXPECT_EQ(check.check_with(200 * kMiB + 1).health, TENON_DEGRADED);
  EXPECT_EQ(check.check_with(256 * kMiB).health, TENON_DEGRADED);
  EXPECT_EQ(check.check_with(256 * kMiB + 1).health, TENON_UNHEALTHY);
  EXPECT_EQ(check.check_with(UINT64_MAX - 1).health, TENON_UNHEALTHY);
}

TEST(MemoryCheck, SaysValueAndThreshold) {
  MemoryCheck check(kBoth);
  EXPECT_EQ(check.check_with(300 * kMiB).reason, "worker.1 uses 300 MiB; unhealthy_above is 256 MiB");
  EXPECT_EQ(check.check_with(3 << 29, 3).reason, "worker.1 uses 1.5 GiB in 3 processes; unhealthy_above is 256 MiB");
  EXPECT_EQ(check.check_with(200 * kMiB + 1).reason, "worker.1 uses 200.1 MiB; degraded_above is 200 MiB")
      << "what is over the limit looks so";
  EXPECT_EQ(check.check_with(kMiB).reason, "");
}

TEST(MemoryCheck, DoesWithOneThreshold) {
  EXPECT_EQ(MemoryCheck(R"({"degraded_above":"1MiB"})").check_with(1ull << 50).reason,
            "worker.1 uses 1024 TiB; degraded_above is 1 MiB");
  MemoryCheck unhealthy(R"({"unhealthy_above":"1.5KiB"})");
  EXPECT_EQ(unhealthy.check_with(1536).health, TENON_HEALTHY);
  EXPECT_EQ(unhealthy.check_with(1537).reason, "worker.1 uses 1.6 KiB; unhealthy_above is 1.5 KiB");
}

TEST(MemoryCheck, IsUnhealthyWhenTheProcessIsGone) {
  MemoryCheck check(kBoth);
  check.host.script.usage_status = TENON_ERR_NOT_FOUND;
  const CheckCompletion gone = check.check();
  EXPECT_EQ(gone.health, TENON_UNHEALTHY);
  EXPECT_EQ(gone.reason, "process worker.1 does not run");
}

TEST(MemoryCheck, BlamesNotTheProcessWhenItsMemoryCannotBeRead) {
  MemoryCheck check(kBoth);
  const CheckCompletion unknown = check.check_with(UINT64_MAX);
  EXPECT_EQ(unknown.health, TENON_DEGRADED);
  EXPECT_THAT(unknown.reason, HasSubstr("cannot be read"));
  check.host.script.usage_status = TENON_ERR_IO;
  EXPECT_EQ(check.check_with(0).health, TENON_DEGRADED);
}

TEST(MemoryCheck, RefusesThresholdsThatSayNothing) {
  EXPECT_EQ(refusal(memory(), "{}"), "give degraded_above, unhealthy_above or both");
  EXPECT_THAT(refusal(memory(), R"({"degraded_above":"2GiB","unhealthy_above":"2048MiB"})"),
              HasSubstr("set degraded_above below unhealthy_above"));
  EXPECT_EQ(refusal(memory(), kBoth), "");
}

TEST(MemoryCheck, DescribesEveryKeyOfItsConfigInTheNote) {
  const auto note = tenon::JsonDocument::parse(LoadedPlugin::open("memory").note(), "note");
  ASSERT_TRUE(note.ok()) << note.error().message;
  const auto schema = note.value().root().find("components")->at(0).find("schema");
  EXPECT_EQ(schema->find("additionalProperties")->as_bool(), false);
  EXPECT_EQ(schema->find("properties")->size(), 2u);
  for (const auto property : schema->find("properties")->members())
    EXPECT_TRUE(property.value.find("description")) << property.key;
}

}  // namespace
