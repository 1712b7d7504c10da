#include "cli/text_table.hpp"

namespace tenon::cli {
namespace {

TEST(TextTable, AlignsColumnsAndLeavesNoSpaceAtTheEnd) {
  TextTable table({{"NAME"}, {"N", true}, {"WHY"}});
  table.add_row({Cell("a"), Cell("1"), Cell("because")});
  table.add_row({Cell("longer"), Cell("1000"), Cell("")});
  EXPECT_EQ(table.render({}),
            "NAME       N  WHY\n"
            "a          1  because\n"
            "longer  1000\n");
}

TEST(TextTable, CountsCharactersNotBytes) {
  TextTable table({{"A"}, {"B"}});
  table.add_row({Cell("äöü"), Cell("x")});
  table.add_row({Cell("abc"), Cell("y")});
  EXPECT_EQ(table.render({}), "A    B\näöü  x\nabc  y\n");
}

TEST(TextTable, CountsColumnsNotCharacters) {
  TextTable table({{"A"}, {"B"}});
  table.add_row({Cell("日本"), Cell("x")});
  table.add_row({Cell("e\u0301"), Cell("y")});
  EXPECT_EQ(table.render({}), "A     B\n日本  x\ne\u0301     y\n");
}

TEST(TextTable, ColourTakesNoRoom) {
  TextTable table({{"A"}, {"B"}});
  table.add_row({Cell("ab", Colour::red), Cell("x")});
  EXPECT_EQ(table.render({.colour = true}), "\x1b[1mA\x1b[0m   \x1b[1mB\x1b[0m\n\x1b[31mab\x1b[0m  x\n");
}

// 53 columns wide, 50 with one space between columns.
TextTable wide_table(TextTable::Overflow overflow) {
  TextTable table({{"NAME"}, {"N", true, 1}, {"M", true, 2}, {"WHY"}}, overflow);
  table.add_row({Cell("abc"), Cell("1000"), Cell("2000"), Cell("it ended with exit code 1 too often")});
  return table;
}

TEST(TextTable, ShrinksGapsThenTheLastColumn) {
  const TextTable table = wide_table(TextTable::Overflow::cut);
  EXPECT_EQ(table.render({.columns = 53}),
            "NAME     N     M  WHY\nabc   1000  2000  it ended with exit code 1 too often\n");
  EXPECT_EQ(table.render({.columns = 52}), "NAME    N    M WHY\nabc  1000 2000 it ended with exit code 1 too often\n");
  EXPECT_EQ(table.render({.columns = 40}), "NAME    N    M WHY\nabc  1000 2000 it ended with exit code …\n");
  EXPECT_TRUE(table.left_out({.columns = 39}).empty());
}

TEST(TextTable, LeavesOutTheLowestRankWhereThatDoesNotSuffice) {
  const TextTable table = wide_table(TextTable::Overflow::cut);
  EXPECT_EQ(table.render({.columns = 38}), "NAME    M WHY\nabc  2000 it ended with exit code 1 t…\n");
  EXPECT_THAT(table.left_out({.columns = 38}), ::testing::ElementsAre("N"));
  EXPECT_THAT(table.left_out({.columns = 30}), ::testing::ElementsAre("N", "M"));
  EXPECT_EQ(table.render({.columns = 10}), "NAME WHY\nabc  it ended with exit code 1 too often\n")
      << "what is still too wide is the terminal's affair";
  EXPECT_TRUE(table.left_out({}).empty());
}

TEST(TextTable, WrapsTheLastColumnWithinIt) {
  EXPECT_EQ(wide_table(TextTable::Overflow::wrap).render({.columns = 42}),
            "NAME    N    M WHY\n"
            "abc  1000 2000 it ended with exit code 1\n"
            "               too often\n");
}

TEST(TextTable, FillsUpShortRows) {
  TextTable table({{"A"}, {"B"}});
  table.add_row({Cell("x")});
  EXPECT_EQ(table.render({}), "A  B\nx\n");
}

TEST(Printable, KeepsTextAndEscapesWhatMovesTheCursor) {
  EXPECT_EQ(printable("it's \"fine\" \\ äöü"), "it's \"fine\" \\ äöü");
  EXPECT_EQ(printable("\x1b[2Jx"), "\\x1b[2Jx");
  EXPECT_EQ(printable("a\nb"), "a\\nb");
}

}  // namespace
}  // namespace tenon::cli
