#include "integration/frame_reader.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::integration {
namespace {

using Kind = FrameStep::Kind;

struct Found {
  Kind kind;
  std::string octets;
  bool operator==(const Found&) const = default;
};
void PrintTo(const Found& found, std::ostream* out) {
  *out << (found.kind == Kind::frame ? "frame " : found.kind == Kind::too_long ? "too long " : "garbage ")
       << found.octets.size() << ":" << found.octets.substr(0, 20);
}

// Reads as a channel does: keeps what is not consumed, adds what comes.
class Feed {
 public:
  Feed(Framing framing, std::size_t max_event) : framing_(framing), max_event_(max_event) {}
  void add(std::string_view octets) {
    waiting_.append(octets);
    for (;;) {
      const FrameStep step = next_frame(framing_, waiting_, max_event_, skip_);
      if (step.kind == Kind::need_more) break;
      if (step.kind != Kind::skipped) found_.push_back({step.kind, std::string(step.frame)});
      if (step.kind == Kind::garbage) break;
      waiting_.erase(0, step.consumed);
    }
    largest_ = std::max(largest_, waiting_.size());
  }
  const std::vector<Found>& found() const { return found_; }
  std::size_t kept() const { return waiting_.size(); }
  std::size_t largest() const { return largest_; }
  std::uint64_t skip() const { return skip_; }

 private:
  Framing framing_;
  std::size_t max_event_;
  std::uint64_t skip_ = 0;
  std::string waiting_;
  std::size_t largest_ = 0;
  std::vector<Found> found_;
};

std::string packet(std::string_view octets) {
  std::string framed;
  for (int shift = 24; shift >= 0; shift -= 8) framed += static_cast<char>(octets.size() >> shift);
  return framed.append(octets);
}

TEST(FrameReader, CutsLinesAndDropsACarriageReturnBeforeTheLineFeed) {
  Feed feed(Framing::line, 100);
  feed.add("one\ntwo\r\n\n\rthree\nfou");
  const std::vector<Found> expected = {
      {Kind::frame, "one"}, {Kind::frame, "two"}, {Kind::frame, ""}, {Kind::frame, "\rthree"}};
  EXPECT_EQ(feed.found(), expected);
  EXPECT_EQ(feed.kept(), 3u);
}

TEST(FrameReader, CutsPacketsByTheirBigEndianLength) {
  Feed feed(Framing::packet4, 1000);
  feed.add(packet("one") + packet("") + packet(std::string(300, 'x')) + std::string(2, '\0'));
  const std::vector<Found> expected = {{Kind::frame, "one"}, {Kind::frame, ""}, {Kind::frame, std::string(300, 'x')}};
  EXPECT_EQ(feed.found(), expected);
  EXPECT_EQ(feed.kept(), 2u);
}

TEST(FrameReader, FindsTheSameFramesWhereverTheInputIsSplit) {
  const std::string lines = "{\"a\":1}\r\nsecond\n\nfar too long a line\nlast\n";
  const std::string packets = packet("{\"a\":1}") + packet("") + packet("far too long a packet") + packet("last");
  for (const Framing framing : {Framing::line, Framing::packet4}) {
    const std::string& stream = framing == Framing::line ? lines : packets;
    Feed whole(framing, 10);
    whole.add(stream);
    ASSERT_EQ(whole.kept(), 0u);
    for (std::size_t first = 0; first <= stream.size(); ++first) {
      for (std::size_t second = first; second <= stream.size(); ++second) {
        Feed split(framing, 10);
        split.add(stream.substr(0, first));
        split.add(stream.substr(first, second - first));
        split.add(stream.substr(second));
        ASSERT_EQ(split.found().size(), whole.found().size()) << first << " " << second;
        for (std::size_t i = 0; i < whole.found().size(); ++i) {
          ASSERT_EQ(split.found()[i].kind, whole.found()[i].kind);
          if (whole.found()[i].kind != Kind::frame) continue;  // how much is shown of the others depends on the split
          ASSERT_EQ(split.found()[i], whole.found()[i]);
        }
      }
    }
  }
}

TEST(FrameReader, TakesAnEventOfExactlyTheLimitAndNoOctetMore) {
  for (const Framing framing : {Framing::line, Framing::packet4}) {
    const auto framed = [&](std::size_t size) {
      return framing == Framing::line ? std::string(size, 'x') + "\n" : packet(std::string(size, 'x'));
    };
    Feed feed(framing, 64);
    feed.add(framed(64) + framed(65) + framed(1));
    ASSERT_EQ(feed.found().size(), 3u);
    EXPECT_EQ(feed.found()[0], (Found{Kind::frame, std::string(64, 'x')}));
    EXPECT_EQ(feed.found()[1].kind, Kind::too_long);
    EXPECT_EQ(feed.found()[2], (Found{Kind::frame, "x"}));
  }
}

TEST(FrameReader, PassesOverTenMegabytesOnOneLineInBoundedMemory) {
  Feed feed(Framing::line, 4096);
  const std::string piece(64 * 1024, 'x');
  feed.add("before\n");
  for (int i = 0; i < 160; ++i) feed.add(piece);
  EXPECT_EQ(feed.skip(), kSkipLine);
  feed.add("\nafter\n");
  ASSERT_EQ(feed.found().size(), 3u);
  EXPECT_EQ(feed.found()[1].kind, Kind::too_long);
  EXPECT_LE(feed.found()[1].octets.size(), 4096u) << "only the first octets are shown";
  EXPECT_EQ(feed.found()[2], (Found{Kind::frame, "after"}));
  EXPECT_EQ(feed.largest(), 0u);
  EXPECT_EQ(feed.skip(), 0u);
}

TEST(FrameReader, PassesOverAnOverLongPacketToTheOctet) {
  Feed feed(Framing::packet4, 100);
  const std::string stream = packet("a") + packet(std::string(100'000, 'y')) + packet("b");
  for (std::size_t at = 0; at < stream.size(); at += 777) feed.add(std::string_view(stream).substr(at, 777));
  ASSERT_EQ(feed.found().size(), 3u);
  EXPECT_EQ(feed.found()[1].kind, Kind::too_long);
  EXPECT_EQ(feed.found()[2], (Found{Kind::frame, "b"}));
}

TEST(FrameReader, SaysHowLongAnOverLongPacketClaimsToBe) {
  std::uint64_t skip = 0;
  const std::string input = packet(std::string(5000, 'y')).substr(0, 40);
  const FrameStep step = next_frame(Framing::packet4, input, 100, skip);
  EXPECT_EQ(step.kind, Kind::too_long);
  EXPECT_EQ(step.claimed, 5000u);
  EXPECT_EQ(step.frame, std::string(36, 'y'));
  EXPECT_EQ(step.consumed, 4u);
  EXPECT_EQ(skip, 5000u);
}

TEST(FrameReader, TakesALengthOfFourGibibytesForGarbage) {
  std::uint64_t skip = 0;
  const FrameStep step = next_frame(Framing::packet4, "\xff\xff\xff\xffnot a frame", 100, skip);
  EXPECT_EQ(step.kind, Kind::garbage);
  EXPECT_EQ(step.claimed, 0xffffffffu);
  EXPECT_EQ(step.consumed, 0u);
  EXPECT_EQ(skip, 0u);
  const FrameStep text = next_frame(Framing::packet4, "{\"type\":\"a\"}", 100, skip);
  EXPECT_EQ(text.kind, Kind::garbage) << "a worker that speaks lines where packets are expected";
}

TEST(FrameReader, AsksForMoreOfNothing) {
  std::uint64_t skip = 0, line_skip = kSkipLine;
  EXPECT_EQ(next_frame(Framing::line, "", 10, skip).kind, Kind::need_more);
  EXPECT_EQ(next_frame(Framing::packet4, "", 10, skip).kind, Kind::need_more);
  EXPECT_EQ(next_frame(Framing::line, "", 10, line_skip).kind, Kind::need_more);
  EXPECT_EQ(line_skip, kSkipLine);
}

// What a reader that has the whole stream in hand would find.
std::vector<Found> naive(Framing framing, std::string_view stream, std::size_t max_event) {
  std::vector<Found> found;
  while (!stream.empty()) {
    std::size_t length, head = 0, tail = 0;
    if (framing == Framing::line) {
      length = stream.find('\n');
      if (length == std::string_view::npos) break;
      tail = 1;
    } else {
      const auto at = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(stream[i])); };
      head = 4;
      length = at(0) << 24 | at(1) << 16 | at(2) << 8 | at(3);
    }
    std::string_view frame = stream.substr(head, length);
    stream.remove_prefix(head + length + tail);
    if (length > max_event) {
      found.push_back({Kind::too_long, {}});
      continue;
    }
    if (framing == Framing::line && frame.ends_with('\r')) frame.remove_suffix(1);
    found.push_back({Kind::frame, std::string(frame)});
  }
  return found;
}

TEST(FrameReader, AgreesWithANaiveReaderOnRandomStreamsInRandomPieces) {
  std::mt19937 random(7);
  for (int round = 0; round < 400; ++round) {
    const Framing framing = round % 2 == 0 ? Framing::line : Framing::packet4;
    const std::size_t max_event = 1 + random() % 40;
    std::string stream;
    for (std::size_t frames = random() % 30; frames != 0; --frames) {
      std::string octets(random() % (2 * max_event), '\0');
      for (char& c : octets) c = "ab\r{"[random() % 4];
      stream += framing == Framing::line ? octets + "\n" : packet(octets);
    }
    Feed feed(framing, max_event);
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t piece = 1 + random() % 50;
      feed.add(std::string_view(stream).substr(at, piece));
      at += piece;
    }
    std::vector<Found> found = feed.found();
    for (Found& f : found)
      if (f.kind == Kind::too_long) f.octets.clear();
    ASSERT_EQ(found, naive(framing, stream, max_event)) << "round " << round;
    ASSERT_EQ(feed.kept(), 0u);
    ASSERT_LE(feed.largest(), max_event + 4);
  }
}

}  // namespace
}  // namespace tenon::integration
