#include "cli/display_width.hpp"

namespace tenon::cli {
namespace {

TEST(DisplayWidth, CountsColumns) {
  const std::pair<const char*, std::size_t> cases[] = {
      {"", 0},        {"abc", 3},      {"äöü", 3},          {"日本", 4},
      {"ｗ", 2},      {"한국", 4},     {"e\u0301", 1},      {"\u1100\u1161\u11a8", 2},
      {"🚀", 2},      {"a\u200b", 1},  {"→ ↓ …", 5},        {"\u0905\u0941", 1},
      {"\u00ad", 1},  {"\u0600", 1},   {"\U0003fffd", 2},   {"\U000e0100", 0},
      {"a\xff", 2},   {"\xe6\x97", 1}, {"\u303f\u3041", 3},
  };
  for (const auto& [text, width] : cases) EXPECT_EQ(display_width(text), width) << text;
}

TEST(CutToWidth, KeepsWhatFits) {
  EXPECT_EQ(cut_to_width("abc", 3), "abc");
  EXPECT_EQ(cut_to_width("日本", 4), "日本");
  EXPECT_EQ(cut_to_width("", 0), "");
  EXPECT_EQ(cut_to_width("e\u0301", 1), "e\u0301");
}

TEST(CutToWidth, CutsBetweenCharactersAndMarksIt) {
  EXPECT_EQ(cut_to_width("abcd", 3), "ab…");
  EXPECT_EQ(cut_to_width("äöüß", 3), "äö…");
  EXPECT_EQ(cut_to_width("abcd", 1), "…");
  EXPECT_EQ(cut_to_width("abcd", 0), "");
  // A wide character does not fit into the one column that is left before the dots.
  EXPECT_EQ(cut_to_width("日本語", 4), "日…");
  EXPECT_EQ(cut_to_width("日本語", 5), "日本…");
  EXPECT_EQ(cut_to_width("日", 1), "…");
  // Marks stay with their character, and go with it.
  EXPECT_EQ(cut_to_width("e\u0301e\u0301e\u0301", 2), "e\u0301…");
}

TEST(CutToWidth, NeverTakesMoreColumnsThanAsked) {
  const std::string text = "a日e\u0301🚀\u200dxüß한\u0600…\xff";
  for (std::size_t columns = 0; columns < 20; ++columns) {
    const std::string cut = cut_to_width(text, columns);
    EXPECT_LE(display_width(cut), columns) << columns;
    EXPECT_EQ(display_width(fit_to_width(text, columns)), columns);
  }
}

TEST(CutToWidth, LimitsTheMarksOfACharacter) {
  std::string piled = "x";
  for (int i = 0; i < 1000; ++i) piled += "\u0301";
  EXPECT_EQ(cut_to_width(piled, 5).size(), 1u + 8 * 2);
}

TEST(WrapToWidth, BreaksAtSpacesElseBetweenCharacters) {
  using ::testing::ElementsAre;
  EXPECT_THAT(wrap_to_width("", 5), ElementsAre(""));
  EXPECT_THAT(wrap_to_width("abc de", 6), ElementsAre("abc de"));
  EXPECT_THAT(wrap_to_width("abc de fgh", 6), ElementsAre("abc de", "fgh"));
  EXPECT_THAT(wrap_to_width("abc def gh", 6), ElementsAre("abc", "def gh"));
  EXPECT_THAT(wrap_to_width("a  b", 2), ElementsAre("a", "b"));
  EXPECT_THAT(wrap_to_width("abcdefgh", 3), ElementsAre("abc", "def", "gh"));
  EXPECT_THAT(wrap_to_width("日本語 e\u0301e\u0301e\u0301", 5), ElementsAre("日本", "語", "e\u0301e\u0301e\u0301"));
  EXPECT_THAT(wrap_to_width(" abc", 3), ElementsAre(" ab", "c"));
}

TEST(FitToWidth, FillsUpOnTheOtherSide) {
  EXPECT_EQ(fit_to_width("ab", 4), "ab  ");
  EXPECT_EQ(fit_to_width("ab", 4, true), "  ab");
  EXPECT_EQ(fit_to_width("日", 3, true), " 日");
  EXPECT_EQ(fit_to_width("abcdef", 4, true), "abc…");
}

}  // namespace
}  // namespace tenon::cli
