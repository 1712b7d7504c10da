#include "common/bounded_ring.hpp"

#include "common/ids.hpp"

namespace tenon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ByteRing, KeepsTheLastBytes) {
  ByteRing ring(5);
  EXPECT_EQ(ring.contents(), "");
  ring.append("abc");
  EXPECT_EQ(ring.contents(), "abc");
  ring.append("def");
  EXPECT_EQ(ring.contents(), "bcdef");
  ring.append("0123456789");
  EXPECT_EQ(ring.contents(), "56789");
  EXPECT_EQ(ring.total(), 16u);
  EXPECT_EQ(ring.size(), 5u);
}

TEST(ByteRing, HoldsWhatAPlainStringWouldHold) {
  Random random(1);
  for (std::size_t capacity : {1u, 2u, 7u, 255u, 256u, 257u, 1000u}) {
    ByteRing ring(capacity);
    std::string all;
    for (int i = 0; i < 300; ++i) {
      std::string piece;
      for (std::uint64_t n = random.below(capacity + capacity / 2 + 3); n > 0; --n) {
        piece += random.below(8) == 0 ? '\n' : static_cast<char>('a' + random.below(26));
      }
      ring.append(piece);
      all += piece;
      const std::string kept = all.substr(all.size() - std::min(all.size(), capacity));
      ASSERT_EQ(ring.contents(), kept);
      const std::uint64_t from = random.below(all.size() + 1);
      std::uint64_t lost = 0;
      const std::string since = ring.since(from, &lost);
      ASSERT_EQ(lost + from + since.size(), all.size());
      ASSERT_TRUE(all.ends_with(since));
    }
  }
}

TEST(ByteRing, ClampsAFollowerThatIsAheadOrFarBehind) {
  ByteRing ring(4);
  ring.append("abcdef");
  std::uint64_t lost = 9;
  EXPECT_EQ(ring.since(0, &lost), "cdef");
  EXPECT_EQ(lost, 2u);
  EXPECT_EQ(ring.since(100, &lost), "");
  EXPECT_EQ(lost, 0u);
}

TEST(ByteRing, GivesTheLastLinesWithoutTheirEnds) {
  ByteRing ring(100);
  EXPECT_THAT(ring.last_lines(3), IsEmpty());
  ring.append("one\ntwo\r\n\nthree\n");
  EXPECT_THAT(ring.last_lines(2), ElementsAre("", "three"));
  EXPECT_THAT(ring.last_lines(10), ElementsAre("one", "two", "", "three"));
  EXPECT_THAT(ring.last_lines(0), IsEmpty());
  ring.append("unfinished");
  EXPECT_THAT(ring.last_lines(2), ElementsAre("three", "unfinished"));
}

TEST(ByteRing, LeavesOutALineWhoseBeginningIsLost) {
  ByteRing ring(8);
  ring.append("abcdefg\nxy\n");  // "defg\nxy\n"
  EXPECT_THAT(ring.last_lines(9), ElementsAre("xy"));
  ByteRing whole(8);
  whole.append("abc\ndefg\nxy\n");  // cut right behind a line feed
  EXPECT_THAT(whole.last_lines(9), ElementsAre("defg", "xy"));
  ByteRing alone(4);
  alone.append("abcdefgh");
  EXPECT_THAT(alone.last_lines(9), ElementsAre("efgh"));
}

TEST(ByteRing, KnowsALineStartAlsoWhenBytesLeaveOneByOne) {
  ByteRing ring(4);
  for (char c : std::string_view("ab\ncd\n")) ring.append({&c, 1});  // "\ncd\n": "ab" is lost, so is its line
  EXPECT_THAT(ring.last_lines(9), ElementsAre("cd"));
  ring.append("e");  // "cd\ne", behind a line feed
  EXPECT_THAT(ring.last_lines(9), ElementsAre("cd", "e"));
}

TEST(ByteRing, StartsAnewAfterClear) {
  ByteRing ring(4);
  ring.append("abcdef");
  ring.clear();
  EXPECT_EQ(ring.contents(), "");
  EXPECT_EQ(ring.total(), 6u);
  ring.append("x\n");
  EXPECT_THAT(ring.last_lines(1), ElementsAre("x"));
}

TEST(ByteRing, KeepsEmbeddedNul) {
  ByteRing ring(10);
  ring.append(std::string_view("a\0b", 3));
  EXPECT_EQ(ring.contents(), std::string("a\0b", 3));
}

}  // namespace
}  // namespace tenon
