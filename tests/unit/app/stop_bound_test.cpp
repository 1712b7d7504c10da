#include "app/stop_bound.hpp"

#include <gtest/gtest.h>

namespace tenon::app {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<const runtime::ProcessConfig> process(Duration drain, Duration grace) {
  auto config = std::make_shared<runtime::ProcessConfig>();
  config->stop.drain = drain;
  config->stop.grace = grace;
  return config;
}

runtime::SupervisorConfig root(std::vector<runtime::ChildConfig> children, runtime::Strategy strategy) {
  runtime::SupervisorConfig config;
  config.strategy = strategy;
  config.children = std::move(children);
  return config;
}

TEST(StopBound, CoversTheLongestOfThoseThatStopTogether) {
  const Duration bound = stop_bound(root({process(2s, 5s), process(0s, 20s)}, runtime::Strategy::one_for_one));
  EXPECT_GE(bound, 20s);
  EXPECT_LT(bound, 27s);
}

TEST(StopBound, AddsUpThoseThatStopOneAfterAnother) {
  auto nested = std::make_shared<runtime::SupervisorConfig>(
      root({process(1s, 5s), process(1s, 5s)}, runtime::Strategy::rest_for_one));
  EXPECT_GE(stop_bound(root({nested, process(0s, 3s)}, runtime::Strategy::one_for_one)), 12s);
}

TEST(StopBound, CoversAGraceOfHours) {
  EXPECT_GE(stop_bound(root({process(0s, 2h)}, runtime::Strategy::one_for_one)), 2h);
}

}  // namespace
}  // namespace tenon::app
