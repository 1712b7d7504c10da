#include "control/target.hpp"

namespace tenon::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Target parsed(std::string_view text) {
  auto target = parse_target(text);
  if (!target) {
    ADD_FAILURE() << target.error().message;
    return {};
  }
  return std::move(target).value();
}

TEST(Target, SplitsThePathBeforeItDecodes) {
  EXPECT_THAT(parsed("/v1/processes/a%2Fb%20c/logs").segments, ElementsAre("v1", "processes", "a/b c", "logs"));
  EXPECT_THAT(parsed("/").segments, IsEmpty());
  EXPECT_THAT(parsed("/v1/").segments, ElementsAre("v1", ""));
}

TEST(Target, TakesTheAbsoluteForm) {
  EXPECT_THAT(parsed("http://tenon/v1/info").segments, ElementsAre("v1", "info"));
  EXPECT_THAT(parsed("http://tenon").segments, IsEmpty());
}

TEST(Target, KeepsThePlusSignOfAQuery) {
  const Target target = parsed("/v1/events?topic=a.%3E&name=x+y&flag");
  EXPECT_EQ(*target.find("topic"), "a.>");
  EXPECT_EQ(*target.find("name"), "x+y");
  EXPECT_EQ(*target.find("flag"), "");
  EXPECT_EQ(target.find("absent"), nullptr);
}

TEST(Target, LastOfEqualParametersCounts) { EXPECT_EQ(*parsed("/?n=1&n=2").find("n"), "2"); }

TEST(Target, ReadsFlagsAsPeopleWriteThem) {
  const Target target = parsed("/?a=1&b=0&c=false&d=no&e=&f=true");
  EXPECT_TRUE(target.flag("a", false));
  EXPECT_FALSE(target.flag("b", true));
  EXPECT_FALSE(target.flag("c", true));
  EXPECT_FALSE(target.flag("d", true));
  EXPECT_FALSE(target.flag("e", true));
  EXPECT_TRUE(target.flag("f", false));
  EXPECT_TRUE(target.flag("absent", true));
}

TEST(Target, RefusesNumbersOutOfRangeAndSaysWhatItWants) {
  EXPECT_EQ(*parsed("/?n=7").number("n", 10).value(), 7u);
  EXPECT_EQ(parsed("/").number("n", 10).value(), std::nullopt);
  for (const char* bad : {"/?n=11", "/?n=-1", "/?n=", "/?n=1x", "/?n=99999999999999999999999"}) {
    const auto number = parsed(bad).number("n", 10);
    ASSERT_FALSE(number) << bad;
    EXPECT_EQ(number.error().code, errc::invalid_argument);
    EXPECT_THAT(number.error().message, HasSubstr("from 0 to 10"));
  }
}

TEST(Target, ReadsDurationsUpToALimit) {
  EXPECT_EQ(*parsed("/?t=250ms").duration("t", std::chrono::seconds(1)).value(), std::chrono::milliseconds(250));
  EXPECT_FALSE(parsed("/?t=2s").duration("t", std::chrono::seconds(1)));
  EXPECT_FALSE(parsed("/?t=soon").duration("t", std::chrono::seconds(1)));
}

TEST(Target, RefusesWhatIsNoPathOrBadlyEncoded) {
  for (const char* bad : {"", "*", "v1/info", "/%", "/%zz", "/?a=%1"}) EXPECT_FALSE(parse_target(bad)) << bad;
}

}  // namespace
}  // namespace tenon::control
