// What "publish" means, present and absent.
#include "unit/app/config_fixture.hpp"

namespace tenon::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ConfigPublish : public ConfigFixture {
 protected:
  LoadedConfig load_publish(const std::string& member) {
    return load_child(R"(, "channel": {"kind": "stdio"})" + member);
  }
};

TEST_F(ConfigPublish, AllowsEverythingWhenItIsAbsentAndNothingWhenItIsEmpty) {
  const auto absent = load_publish("");
  EXPECT_THAT(lines(absent.problems), IsEmpty());
  EXPECT_TRUE(absent.config.workers.at("a")->may_publish);
  const auto empty = load_publish(R"(, "publish": [])");
  EXPECT_THAT(lines(empty.problems), IsEmpty());
  EXPECT_FALSE(empty.config.workers.at("a")->may_publish);
  const auto some = load_publish(R"(, "publish": ["task.>"])");
  EXPECT_TRUE(some.config.workers.at("a")->may_publish);
  EXPECT_THAT(some.config.workers.at("a")->publish, ElementsAre("task.>"));
}

TEST_F(ConfigPublish, RefusesTheHostsOwnTopics) {
  EXPECT_THAT(lines(load_publish(R"(, "publish": ["system.alert"])").problems),
              ElementsAre(HasSubstr("only the host publishes")));
}

}  // namespace
}  // namespace tenon::app
