#include "cli/key_reader.hpp"

namespace tenon::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = Key::Kind;

Key character(const char* text) { return {Kind::character, text}; }
std::vector<Key> read(std::string_view bytes) { return KeyReader().feed(bytes); }

TEST(KeyReader, KnowsTheKeysOfUsualTerminals) {
  const std::pair<const char*, Kind> cases[] = {
      {"\x1b[A", Kind::up},         {"\x1bOA", Kind::up},     {"\x1b[B", Kind::down},   {"\x1bOB", Kind::down},
      {"\x1b[5~", Kind::page_up},   {"\x1b[H", Kind::home},   {"\x1b[1~", Kind::home},  {"\x1b[7~", Kind::home},
      {"\x1b[6~", Kind::page_down}, {"\x1bOF", Kind::end},    {"\x1b[4~", Kind::end},   {"\x1b[8~", Kind::end},
      {"\r", Kind::enter},          {"\n", Kind::enter},      {"\x1bOM", Kind::enter},  {"\x7f", Kind::backspace},
      {"\b", Kind::backspace},      {"\x15", Kind::clear},    {"\x0c", Kind::redraw},
  };
  for (const auto& [bytes, kind] : cases) EXPECT_THAT(read(bytes), ElementsAre(Key{kind})) << bytes + 1;
}

TEST(KeyReader, ReadsCharacters) {
  EXPECT_THAT(read("aü日"), ElementsAre(character("a"), character("ü"), character("日")));
}

TEST(KeyReader, ReadsOverWhatItDoesNotKnow) {
  // F1 of xterm and of the console, F5, Delete, Shift-Left, Alt-x, a report of the mouse, a broken-off sequence.
  for (const char* bytes : {"\x1bOP", "\x1b[[A", "\x1b[15~", "\x1b[3~", "\x1b[1;2D", "\x1bx", "\x1b[<0;1;1M", "\x1b[\x01"})
    EXPECT_THAT(read(std::string(bytes) + "q"), ElementsAre(character("q"))) << bytes + 1;
  EXPECT_THAT(read("\x01\x02\xff\xc0q\xc2\x85"), ElementsAre(character("q")));
}

TEST(KeyReader, PutsTogetherWhatComesInPieces) {
  for (const std::string_view bytes : {"\x1b[6~x", "\x1bOBü", "日\x1b[A"}) {
    KeyReader reader;
    std::vector<Key> keys;
    for (const char byte : bytes)
      for (Key& key : reader.feed({&byte, 1})) keys.push_back(std::move(key));
    EXPECT_EQ(keys, read(bytes));
    EXPECT_EQ(keys.size(), 2u);
    EXPECT_FALSE(reader.pending());
  }
}

TEST(KeyReader, LoneEscapeIsTheKeyWhenNothingFollows) {
  KeyReader reader;
  EXPECT_THAT(reader.feed("\x1b"), IsEmpty());
  EXPECT_TRUE(reader.pending());
  EXPECT_THAT(reader.settle(), ElementsAre(Key{Kind::escape}));
  EXPECT_FALSE(reader.pending());
  EXPECT_THAT(reader.feed("\x1b\x1b"), ElementsAre(Key{Kind::escape}));
  EXPECT_THAT(reader.settle(), ElementsAre(Key{Kind::escape}));
  EXPECT_THAT(reader.feed("\x1b\x1b[A"), ElementsAre(Key{Kind::escape}, Key{Kind::up}));
  EXPECT_THAT(reader.feed("\x1b["), IsEmpty());
  EXPECT_THAT(reader.settle(), IsEmpty());
  EXPECT_FALSE(reader.pending());
}

TEST(KeyReader, EndlessSequenceIsNone) {
  KeyReader reader;
  EXPECT_THAT(reader.feed("\x1b[" + std::string(31, '1')), IsEmpty());
  EXPECT_FALSE(reader.pending());
}

}  // namespace
}  // namespace tenon::cli
