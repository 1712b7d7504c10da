// What becomes of a plugin that breaks the rules of its host table: counted by its name, told now and then, harmless.
#include <gmock/gmock.h>
#include <thread>

#include "host_table_fixture.hpp"

namespace tenon::integration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

void nothing(void*) {}

TEST_F(HostTableTest, EveryMetricBeyondItsSixtyFourIsCountedAgainstThePlugin) {
  make();
  for (int i = 0; i < 66; ++i) {
    const std::string name = "m" + std::to_string(i);
    host->metric(context, abi(name), TENON_METRIC_GAUGE, i);
  }
  EXPECT_EQ(counted("too_many_metrics"), "2");
  EXPECT_THAT(metrics.render(), HasSubstr("tenon_plugin_m63{"));
  EXPECT_THAT(metrics.render(), testing::Not(HasSubstr("tenon_plugin_m64{")));
}

TEST_F(HostTableTest, BreakingARuleIsToldWithThePluginItsInstanceAndTheRule) {
  make();
  host->transport_slow_consumer(context, 1, 1);  // the test's instance takes no such report
  EXPECT_TRUE(environment.misbehaviour.empty()) << "not from within the plugin's call";
  loop.run_posted();
  ASSERT_EQ(environment.misbehaviour.size(), 1u);
  const PluginMisbehaviour& told = environment.misbehaviour[0];
  EXPECT_EQ(told.plugin, "transport/test");
  EXPECT_EQ(told.component, "transport/test");
  EXPECT_EQ(told.instance, "bus");
  EXPECT_EQ(to_string(told.rule), "wrong_kind");
  EXPECT_THAT(told.what, HasSubstr("slow consumer"));
}

TEST_F(HostTableTest, AllOfItIsCountedButOnlySomeOfItIsTold) {
  make();
  for (int i = 0; i < 100; ++i) host->transport_back_pressure(context, 1);
  loop.run_posted();
  EXPECT_EQ(counted("wrong_kind"), "100");
  EXPECT_EQ(environment.misbehaviour.size(), 10u);
  loop.advance(std::chrono::seconds(1));
  host->transport_back_pressure(context, 1);
  loop.run_posted();
  ASSERT_EQ(environment.misbehaviour.size(), 11u);
  EXPECT_EQ(environment.misbehaviour.back().suppressed, 90u);
}

TEST_F(HostTableTest, WhatIsCalledAfterDestroyDoesNothingAndIsCounted) {
  make();
  const tenon_host* const table = host;
  void* const own = context;
  instance.reset();
  std::uint64_t timer = 7;
  EXPECT_EQ(table->timer_start(own, 1, 0, &nothing, nullptr, &timer), TENON_ERR_CANCELLED);
  EXPECT_EQ(timer, 7u);
  EXPECT_EQ(table->post_to_loop(own, &nothing, nullptr), TENON_ERR_CANCELLED);
  table->complete(own, 1, nullptr);
  table->metric(own, abi("late"), TENON_METRIC_GAUGE, 1);
  EXPECT_EQ(table->config_json(own).data, nullptr);
  EXPECT_NE(table->monotonic_ns(own), 0u) << "clocks belong to nobody";
  std::thread([&] { table->complete(own, 2, nullptr); }).join();
  loop.run_posted();
  EXPECT_EQ(counted("after_destroy"), "6");
  ASSERT_EQ(environment.misbehaviour.size(), 6u);
  EXPECT_EQ(environment.misbehaviour[0].what, "called timer_start after destroy had returned");
}

TEST_F(HostTableTest, OnlySoManyEndedInstancesAreRemembered) {
  for (std::size_t i = 0; i < PluginFront::kRetired + 10; ++i) make();
  EXPECT_EQ(services.retired_fronts.size(), PluginFront::kRetired);
}

TEST_F(HostTableTest, AnErrorThatIsTooSmallIsNotReadAndIsThePluginsFault) {
  make();
  tenon_error error;
  TENON_INIT(&error);
  tenon_fail(&error, TENON_ERR_IO, TENON_FAULT_REMOTE, 1, abi("the wire is cut"));
  host->complete(context, 1, &error);
  error.struct_size = 8;
  host->complete(context, 2, &error);
  EXPECT_THAT(instance->completions, ElementsAre(Pair(1, false), Pair(2, false)));
  EXPECT_THAT(instance->problems, ElementsAre("the wire is cut", HasSubstr("initialise it with TENON_INIT")));
  EXPECT_EQ(counted("bad_struct"), "1");
}

TEST_F(HostTableTest, AMessageThatIsTooSmallIsRefused) {
  make();
  tenon_message message;
  TENON_INIT(&message);
  message.struct_size = 16;
  EXPECT_EQ(host->transport_incoming(context, 0, &message), TENON_ERR_INVALID_ARGUMENT);
  tenon_usage usage;
  usage.struct_size = 4;
  EXPECT_EQ(host->process_usage(context, abi("counter.1"), &usage), TENON_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(counted("bad_struct"), "2");
}

#ifdef NDEBUG
TEST_F(HostTableTest, ALoopFunctionCalledFromAnotherThreadIsCounted) {
  make();
  tenon_status status = TENON_OK;
  std::thread([&] { status = host->timer_start(context, 1, 0, &nothing, nullptr, nullptr); }).join();
  EXPECT_EQ(status, TENON_ERR_WRONG_STATE);
  EXPECT_EQ(counted("wrong_thread"), "1");
}
#endif

}  // namespace
}  // namespace tenon::integration
