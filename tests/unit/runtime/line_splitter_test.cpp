#include "runtime/line_splitter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/token_bucket.hpp"

namespace tenon::runtime {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct Splitter {
  explicit Splitter(std::size_t max) : splitter(max) {}
  std::vector<std::string> feed(std::string_view bytes) {
    std::vector<std::string> lines;
    splitter.feed(bytes, [&](std::string_view text, bool cut) {
      lines.push_back(std::string(text) + (cut ? "|cut" : ""));
    });
    return lines;
  }
  LineSplitter splitter;
};

TEST(LineSplitter, MakesTheSameLinesOfAnySlicing) {
  const std::string text = "a\n\nbcd\r\nlonger than eight\nx\ny";
  Splitter whole(8);
  const auto expected = whole.feed(text);
  EXPECT_THAT(expected, ElementsAre("a", "", "bcd", "longer t|cut", "x"));
  for (std::size_t slice = 1; slice < text.size(); ++slice) {
    Splitter splitter(8);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size(); at += slice) {
      for (auto& line : splitter.feed(std::string_view(text).substr(at, slice))) lines.push_back(line);
    }
    EXPECT_EQ(lines, expected) << "slices of " << slice;
  }
}

TEST(LineSplitter, ALineOfExactlyTheLimitIsWhole) {
  Splitter splitter(4);
  EXPECT_THAT(splitter.feed("abcd\nabcde\n"), ElementsAre("abcd", "abcd|cut"));
}

TEST(LineSplitter, NeverHoldsMoreThanTheLimit) {
  Splitter splitter(100);
  for (int i = 0; i < 1000; ++i) {
    (void)splitter.feed(std::string(77, 'x'));
    EXPECT_LE(splitter.splitter.pending(), 100u);
  }
}

TEST(TokenBucket, AllowsTheBurstAndThenTheRate) {
  const MonotonicTime start{1h};
  TokenBucket bucket(100, 1000);
  EXPECT_TRUE(bucket.take(1000, start));
  EXPECT_FALSE(bucket.take(1, start));
  EXPECT_TRUE(bucket.take(50, start + 500ms));
  EXPECT_FALSE(bucket.take(1, start + 500ms));
}

TEST(TokenBucket, DoesNotLoseWhatIsEarnedInManySmallSteps) {
  const MonotonicTime start{1h};
  TokenBucket bucket(10, 10);
  EXPECT_TRUE(bucket.take(10, start));
  int taken = 0;
  for (int i = 1; i <= 1000; ++i) taken += bucket.take(1, start + i * 1ms) ? 1 : 0;
  EXPECT_EQ(taken, 10);
}

TEST(TokenBucket, LetsWhatIsLargerThanTheBurstPassWhenFull) {
  TokenBucket bucket(10, 100);
  EXPECT_TRUE(bucket.take(5000, MonotonicTime{1h}));
  EXPECT_FALSE(bucket.take(1, MonotonicTime{1h}));
}

TEST(TokenBucket, WithoutARateAdmitsEverything) {
  TokenBucket bucket(0, 1);
  EXPECT_TRUE(bucket.take(UINT64_MAX, MonotonicTime{1h}));
}

}  // namespace
}  // namespace tenon::runtime
