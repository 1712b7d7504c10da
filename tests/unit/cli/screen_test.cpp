#include "cli/screen.hpp"

namespace tenon::cli {
namespace {

Screen screen_of(const std::vector<std::string>& lines) {
  Screen screen;
  for (const std::string& line : lines) screen.push_back(make_line({Cell(line)}, 20, {}));
  return screen;
}

TEST(MakeLine, CutsBehindThePartsThatFit) {
  const ScreenLine line = make_line({Cell("ab"), Cell("日本", Colour::red), Cell("x")}, 5, {.colour = true});
  EXPECT_EQ(line.text, "ab\x1b[31m日…\x1b[0m");
  EXPECT_EQ(line.width, 5u);
}

TEST(MakeLine, PutsTheRightPartAtTheEdgeIfThereIsRoom) {
  EXPECT_EQ(make_line({Cell("left")}, 12, {}, Cell("right")).text, "left   right");
  EXPECT_EQ(make_line({Cell("left")}, 11, {}, Cell("right")).text, "left  right");
  EXPECT_EQ(make_line({Cell("left")}, 10, {}, Cell("right")).text, "left");
}

TEST(Repaint, WritesEverythingOnATerminalThatShowsAnything) {
  EXPECT_EQ(repaint({}, screen_of({"a", "", "c"}), 20, true),
            "\x1b[0m\x1b[2J\x1b[1;1Ha\x1b[K\x1b[3;1Hc\x1b[K");
}

TEST(Repaint, WritesOnlyTheLinesThatDiffer) {
  const Screen shown = screen_of({"a", "b", "c"});
  EXPECT_EQ(repaint(shown, shown, 20, false), "");
  EXPECT_EQ(repaint(shown, screen_of({"a", "x", "c"}), 20, false), "\x1b[2;1Hx\x1b[K");
  EXPECT_EQ(repaint(shown, screen_of({"a", "b"}), 20, false), "\x1b[3;1H\x1b[K");
  EXPECT_EQ(repaint(screen_of({"a"}), screen_of({"a", "b"}), 20, false), "\x1b[2;1Hb\x1b[K");
}

TEST(Repaint, DoesNotEraseTheLastCharacterOfAFullLine) {
  EXPECT_EQ(repaint({}, screen_of({std::string(20, 'x')}), 20, false), "\x1b[1;1H" + std::string(20, 'x'));
}

}  // namespace
}  // namespace tenon::cli
