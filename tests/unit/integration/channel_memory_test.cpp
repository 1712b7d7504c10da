#include "integration/channel_memory.hpp"

#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::integration {
namespace {

constexpr std::size_t kMaxFrame = 64 * 1024;

ChannelMemory make(std::size_t max_frame = kMaxFrame) {
  Result<ChannelMemory> made = ChannelMemory::make(max_frame);
  EXPECT_TRUE(made.ok());
  return std::move(*made);
}

Result<ChannelMemory> adopt(const ChannelMemory& memory, std::size_t max_frame = kMaxFrame) {
  return ChannelMemory::adopt(unique_fd(::dup(memory.fd())), max_frame);
}

void append(ChannelMemory::Area& area, std::string_view octets) {
  ASSERT_LE(octets.size(), area.room());
  std::memcpy(area.data() + area.end(), octets.data(), octets.size());
  area.publish(area.begin(), area.end() + octets.size());
}

std::string content(const ChannelMemory::Area& area) { return {area.data() + area.begin(), area.size()}; }

TEST(ChannelMemory, BeginsEmptyWithRoomForTwoFramesAndABatchOnTheWayIn) {
  ChannelMemory memory = make();
  EXPECT_EQ(memory.input().size(), 0u);
  EXPECT_EQ(memory.output().size(), 0u);
  EXPECT_GE(memory.input().room(), 2 * kMaxFrame + ChannelMemory::kBatch);
  EXPECT_GE(memory.output().room(), kMaxFrame + ChannelMemory::kBatch);
  EXPECT_FALSE(memory.input().uncertain());
  EXPECT_FALSE(memory.output().uncertain());
  EXPECT_EQ(memory.skip(), 0u);
}

TEST(ChannelMemory, ShowsEachStepToAnotherMappingAtOnce) {
  ChannelMemory engine = make();
  Result<ChannelMemory> successor = adopt(engine);
  ASSERT_TRUE(successor.ok());

  append(engine.input(), "half a fra");
  EXPECT_EQ(content(successor->input()), "half a fra");
  append(engine.output(), "abcdef");
  engine.output().publish(4, 6);
  EXPECT_EQ(content(successor->output()), "ef");
  engine.set_skip(77);
  EXPECT_EQ(successor->skip(), 77u);
  engine.output().publish(0, 0);
  EXPECT_EQ(successor->output().size(), 0u);
}

TEST(ChannelMemory, TellsTheSuccessorWhichSystemCallHasAnUnknownFate) {
  ChannelMemory engine = make();
  engine.output().set_uncertain(true);
  Result<ChannelMemory> successor = adopt(engine);
  ASSERT_TRUE(successor.ok());
  EXPECT_TRUE(successor->output().uncertain());
  EXPECT_FALSE(successor->input().uncertain());
  engine.output().set_uncertain(false);
  EXPECT_FALSE(successor->output().uncertain());
}

TEST(ChannelMemory, RefusesMemoryThatWasLaidOutForAnotherFrameSize) {
  ChannelMemory engine = make();
  EXPECT_FALSE(adopt(engine, kMaxFrame / 2).ok());
  EXPECT_FALSE(adopt(engine, kMaxFrame * 2).ok());  // smaller than what would be mapped
}

TEST(ChannelMemory, RefusesMemoryOfAnotherVersionOrWithoutItsMark) {
  for (const std::size_t word : {0, 1}) {  // magic, version
    ChannelMemory engine = make();
    std::uint32_t wrong = 0x7fffffff;
    ASSERT_EQ(::pwrite(engine.fd(), &wrong, sizeof wrong, static_cast<off_t>(word * 4)), 4);
    Result<ChannelMemory> adopted = adopt(engine);
    ASSERT_FALSE(adopted.ok());
    EXPECT_EQ(adopted.error().code, errc::bad_data);
  }
}

TEST(ChannelMemory, RefusesBoundsThatNoEngineCouldHaveLeft) {
  ChannelMemory engine = make();
  engine.input().publish(9, 3);
  EXPECT_FALSE(adopt(engine).ok());
  engine.input().publish(0, engine.input().capacity() + 1);
  EXPECT_FALSE(adopt(engine).ok());
  engine.input().publish(0, engine.input().capacity());
  EXPECT_TRUE(adopt(engine).ok());
}

TEST(ChannelMemory, MovesToTheFrontOnlyWhatDoesNotOverlapAndKeepsItWhole) {
  ChannelMemory memory = make();
  ChannelMemory::Area& area = memory.input();
  std::mt19937 random(20240501);
  for (std::size_t i = 0; i < area.capacity(); ++i) area.data()[i] = static_cast<char>(i * 31 + i / 251);
  for (int round = 0; round < 300; ++round) {
    const std::size_t begin = random() % area.capacity();
    const std::size_t end = begin + random() % (area.capacity() - begin + 1);
    area.publish(begin, end);
    const std::string before = content(area);
    area.compact();
    ASSERT_EQ(content(area), before);
    const bool overlaps = end - begin > begin;
    ASSERT_EQ(area.begin(), overlaps ? begin : 0) << begin << ".." << end;
    ASSERT_EQ(area.room(), area.capacity() - area.begin() - before.size());
  }
}

TEST(ChannelMemory, AlwaysFindsRoomForABatchBehindAFrameThatIsNotWhole) {
  ChannelMemory memory = make();
  ChannelMemory::Area& area = memory.input();
  for (std::size_t begin = 0; begin + kMaxFrame <= area.capacity(); begin += 1021) {
    area.publish(begin, begin + kMaxFrame);
    area.compact();
    ASSERT_GE(area.room(), ChannelMemory::kBatch) << begin;
  }
}

TEST(ChannelMemory, GivesThePagesOfABurstBack) {
  ChannelMemory memory = make(4 * 1024 * 1024);
  const auto blocks = [&] {
    struct stat info {};
    EXPECT_EQ(::fstat(memory.fd(), &info), 0);
    return info.st_blocks * 512;
  };
  const std::string burst(8 * 1024 * 1024, 'x');
  append(memory.input(), burst);
  append(memory.output(), "waits");
  memory.trim();
  EXPECT_GE(blocks(), 8 * 1024 * 1024) << "what is in use stays";
  EXPECT_EQ(content(memory.input()), burst);

  memory.input().publish(0, 0);
  memory.trim();
  EXPECT_LE(blocks(), 1024 * 1024);
  EXPECT_EQ(content(memory.output()), "waits");
}

TEST(ChannelMemory, MovesWithItsMapping) {
  ChannelMemory first = make(), second = make();
  append(first.input(), "one");
  append(second.input(), "two");
  ChannelMemory moved = std::move(first);
  EXPECT_EQ(content(moved.input()), "one");
  moved = std::move(second);
  EXPECT_EQ(content(moved.input()), "two");
}

}  // namespace
}  // namespace tenon::integration
