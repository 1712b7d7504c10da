// What a config needs of the limit on open descriptors, and what becomes of it where there are too few.
#include "app/descriptor_budget.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include "keeper/spawner.hpp"
#include "unit/app/config_fixture.hpp"

namespace tenon::app {
namespace {

using testing::HasSubstr;
using testing::Not;

class DescriptorBudget : public ConfigFixture {
 protected:
  DescriptorBudget() { EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0); }
  ~DescriptorBudget() override { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

  integration::HostConfig config(const std::string& children) {
    return load(R"({"supervision": {"children": [)" + children + "]}}").config;
  }
  void limit(std::uint64_t descriptors) {
    const rlimit low{keeper::kReservedDescriptors + descriptors, before_.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  }
  static std::uint64_t needed(const integration::HostConfig& config, Outputs outputs) {
    return descriptors_needed(config, outputs) - keeper::kReservedDescriptors;
  }

 private:
  rlimit before_{};
};

TEST_F(DescriptorBudget, CountsPipesChannelsAndLogFiles) {
  const auto all = config(R"({"id": "a", "replicas": 3, "command": ["true"]},
      {"id": "b", "command": ["true"], "channel": {"kind": "stdio"}},
      {"id": "inner", "supervisor": {"children": [{"id": "c", "command": ["true"], "log": {"file": "c.log"}}]}})");
  EXPECT_EQ(needed(all, Outputs::apart), 3 * 2 + 4 + (2 + 1));
  EXPECT_EQ(needed(all, Outputs::shared), 3 * 1 + 4 + (1 + 1));
}

TEST_F(DescriptorBudget, OutputsShareAPipeOnlyWhereTheLimitAsksForIt) {
  const auto ten = config(R"({"id": "a", "replicas": 10, "command": ["true"]})");
  limit(20);
  EXPECT_EQ(outputs_for(ten), Outputs::apart);
  EXPECT_EQ(descriptor_warning(ten), "");
  limit(19);
  EXPECT_EQ(outputs_for(ten), Outputs::shared);
  EXPECT_THAT(descriptor_warning(ten), HasSubstr("stdout and stderr of those without a channel share a pipe"));
  limit(9);
  EXPECT_THAT(descriptor_warning(ten), HasSubstr("some will wait for descriptors; raise it (ulimit -Hn"));
}

TEST_F(DescriptorBudget, TheCheckSpeaksOfWhatTheHostMayRaiseItsLimitTo) {
  const auto ten = config(R"({"id": "a", "replicas": 10, "command": ["true"]})");
  limit(9);
  EXPECT_THAT(descriptor_sentence(ten), HasSubstr("suffices"));
  EXPECT_THAT(descriptor_sentence(ten), Not(HasSubstr("raise")));
}

}  // namespace
}  // namespace tenon::app
