#include "common/text.hpp"

namespace tenon {
namespace {

using ::testing::ElementsAre;

TEST(NearestName, FindsTypingMistakes) {
  const std::vector<std::string> keys{"restart", "replicas", "command", "env_file", "env"};
  EXPECT_EQ(nearest_name("comand", keys), "command");
  EXPECT_EQ(nearest_name("restrat", keys), "restart");
  EXPECT_EQ(nearest_name("envfile", keys), "env_file");
  EXPECT_EQ(nearest_name("Env", keys), "env");
}

TEST(NearestName, SuggestsNothingFarAway) {
  const std::vector<std::string> keys{"restart", "x"};
  EXPECT_EQ(nearest_name("subscribe", keys), std::nullopt);
  EXPECT_EQ(nearest_name("y", keys), std::nullopt);
  EXPECT_EQ(nearest_name("", keys), std::nullopt);
  EXPECT_EQ(nearest_name(std::string(129, 'r'), keys), std::nullopt);
  EXPECT_EQ(nearest_name("restart", std::vector<std::string>{}), std::nullopt);
}

TEST(NearestName, CountsATranspositionAsOneAndPrefersTheFirstOfEquals) {
  const std::vector<std::string> keys{"abd", "acb"};
  EXPECT_EQ(nearest_name("abc", keys), "abd");
  const std::vector<std::string> swapped{"ab"};
  EXPECT_EQ(nearest_name("ba", swapped), "ab");
}

TEST(GlobMatch, FollowsShellRules) {
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_FALSE(glob_match("", "a"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("counter.*", "counter.12"));
  EXPECT_FALSE(glob_match("counter.*", "counter"));
  EXPECT_TRUE(glob_match("c?unter", "counter"));
  EXPECT_FALSE(glob_match("c?unter", "cunter"));
  EXPECT_TRUE(glob_match("*.so", "a.so.so"));
  EXPECT_TRUE(glob_match("*a*b*c", "xxaxxbxxc"));
  EXPECT_FALSE(glob_match("*a*b*c", "xxaxxbxx"));
  EXPECT_TRUE(glob_match("a**b", "ab"));
}

TEST(GlobMatch, KnowsSets) {
  EXPECT_TRUE(glob_match("w[0-9]", "w7"));
  EXPECT_FALSE(glob_match("w[0-9]", "wx"));
  EXPECT_TRUE(glob_match("w[!0-9]", "wx"));
  EXPECT_TRUE(glob_match("w[^0-9]", "wx"));
  EXPECT_TRUE(glob_match("[]]", "]"));
  EXPECT_TRUE(glob_match("[a-]", "-"));
  EXPECT_TRUE(glob_match("*[ab]", "xxb"));
  EXPECT_TRUE(glob_match("[ab", "[ab"));  // unclosed: itself
  EXPECT_FALSE(glob_match("[ab", "a"));
}

TEST(GlobMatch, EscapesWithABackslash) {
  EXPECT_TRUE(glob_match("a\\*", "a*"));
  EXPECT_FALSE(glob_match("a\\*", "ab"));
  EXPECT_TRUE(glob_match("a\\", "a\\"));
  EXPECT_TRUE(has_glob("a*"));
  EXPECT_FALSE(has_glob("a.b-c"));
}

TEST(GlobMatch, IsNotExponentialInStars) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(glob_match(pattern + "b", std::string(5'000, 'a')));
}

TEST(Split, KeepsEmptyPieces) {
  EXPECT_THAT(split("a,,b", ','), ElementsAre("a", "", "b"));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_THAT(split(",", ','), ElementsAre("", ""));
}

TEST(Join, PutsTheSeparatorBetween) {
  EXPECT_EQ(join(std::vector<std::string>{"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(join(std::vector<std::string>{}, ", "), "");
}

TEST(Trim, RemovesSpaceAtBothEnds) {
  EXPECT_EQ(trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
}

TEST(QuoteForMessage, EscapesWhatCouldDisturbATerminal) {
  EXPECT_EQ(quote_for_message("plain"), "\"plain\"");
  EXPECT_EQ(quote_for_message("a\"b\\c\n\x1b[31m\x7f"), R"("a\"b\\c\n\x1b[31m\x7f")");
  EXPECT_EQ(quote_for_message(std::string_view("a\0b", 3)), R"("a\x00b")");
  EXPECT_EQ(quote_for_message("\xFFq\xE2\x82"), R"("\xffq\xe2\x82")");
  EXPECT_EQ(quote_for_message("\u202eabc\u0085\ufeff"), R"("\u202eabc\u0085\ufeff")");
  EXPECT_EQ(quote_for_message("é漢"), "\"é漢\"");
}

TEST(QuoteForMessage, CutsLongValuesBetweenCharactersAndTellsTheLength) {
  EXPECT_EQ(quote_for_message(std::string(5'000, 'a'), 3), "\"aaa…\" (5000 bytes)");
  EXPECT_EQ(quote_for_message("aéé", 4), "\"aé…\" (5 bytes)");
  EXPECT_EQ(quote_for_message("abc", 3), "\"abc\"");
}

}  // namespace
}  // namespace tenon
