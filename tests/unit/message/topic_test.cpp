#include "message/topic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tenon::message {
namespace {

using testing::HasSubstr;

TEST(Topic, IsTokensJoinedByDots) {
  for (const char* good : {"a", "a.b", "task.assignment.0001", "Ä.ö", "$SYS.x", "_INBOX.abc"})
    EXPECT_TRUE(is_valid_topic(good)) << good;
  for (const char* bad : {"", ".", "a.", ".a", "a..b", "a b", "a.\tb", "a.\x7f", "a.*", "a.>", "*", "a*b", "a\r\nb"})
    EXPECT_FALSE(is_valid_topic(bad)) << bad;
  EXPECT_FALSE(is_valid_topic(std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_valid_topic(std::string(1024, 'a')));
  EXPECT_FALSE(is_valid_topic(std::string(1025, 'a')));
}

TEST(Topic, AndItsCheckAgreeOnEveryShortText) {
  const std::string alphabet = "a.*> \x01";
  std::string text;
  for (int i = 0; i < 6 * 6 * 6 * 6; ++i) {
    text.clear();
    for (int rest = i, n = 0; n < 4; ++n, rest /= 6) text += alphabet[static_cast<std::size_t>(rest % 6)];
    EXPECT_EQ(is_valid_topic(text), check_topic(text).ok()) << text;
    EXPECT_EQ(is_valid_pattern(text), check_pattern(text).ok()) << text;
    if (is_valid_topic(text)) {
      EXPECT_TRUE(is_valid_pattern(text)) << text;
    }
  }
}

TEST(Pattern, HasWildcardsAsWholeTokens) {
  for (const char* good : {"*", ">", "a.*", "*.b", "a.>", "*.*.>", "a"}) EXPECT_TRUE(is_valid_pattern(good)) << good;
  for (const char* bad : {"", "a*", "*a.b", ">.a", "a.>.b", "a>", "a..*"}) EXPECT_FALSE(is_valid_pattern(bad)) << bad;
}

TEST(Topic, ErrorsNameTheTextAndTheRule) {
  EXPECT_THAT(check_topic("a..b").error().message, HasSubstr("\"a..b\" has an empty token"));
  EXPECT_THAT(check_topic("a.*").error().message, HasSubstr("wildcard"));
  EXPECT_THAT(check_pattern(">.a").error().message, HasSubstr("'>' before its end"));
  EXPECT_LT(check_topic(std::string(5000, 'a')).error().message.size(), 400u);
}

struct MatchCase {
  const char *pattern, *topic;
  bool matches;
};

TEST(GroupName, MayNotBreakTheListsItIsWrittenIn) {
  for (const char* legal : {"g", "workers.eu", "a*b", "\xc3\xa4"}) EXPECT_TRUE(check_group(legal).ok()) << legal;
  EXPECT_TRUE(check_group(std::string(kMaxGroupSize, 'x')).ok());
  for (const std::string& illegal : {std::string(), std::string("a b"), std::string("a\nb"), std::string("a\0b", 3),
                                     std::string(kMaxGroupSize + 1, 'x')})
    EXPECT_EQ(check_group(illegal).error().code, errc::invalid_argument) << illegal;
}

TEST(PatternMatch, FollowsTheRulesOfNatsSubjects) {
  for (const MatchCase& c : {MatchCase{"a.b", "a.b", true},
                             {"a.b", "a", false},
                             {"a", "a.b", false},
                             {"a.*", "a.b", true},
                             {"a.*", "a", false},
                             {"a.*", "a.b.c", false},
                             {"*.b", "a.b", true},
                             {"a.>", "a.b", true},
                             {"a.>", "a.b.c", true},
                             {"a.>", "a", false},
                             {">", "a", true},
                             {">", "a.b.c", true},
                             {"*", "a.b", false},
                             {"*.*", "a.b", true},
                             {"*.>", "a", false},
                             {"*.>", "a.b", true},
                             {"aa", "a", false},
                             {"A", "a", false}})
    EXPECT_EQ(pattern_matches(c.pattern, c.topic), c.matches) << c.pattern << " on " << c.topic;
}

TEST(TakeToken, SplitsOffTheFirst) {
  std::string_view rest = "a.b";
  EXPECT_EQ(take_token(rest), "a");
  EXPECT_EQ(rest, "b");
  EXPECT_EQ(take_token(rest), "b");
  EXPECT_TRUE(rest.empty());
}

}  // namespace
}  // namespace tenon::message
