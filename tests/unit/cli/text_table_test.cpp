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
