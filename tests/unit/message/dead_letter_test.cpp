#include "message/dead_letter.hpp"

#include <set>

#include <gtest/gtest.h>

#include "unit/message/rig.hpp"

namespace tenon::message {
namespace {

using namespace rig;

std::uint64_t add(DeadLetterStore& store, std::string_view id) {
  return store.add(event(id), DeadLetterReason::expired, "receiver", "sender", "why", 2, kWallStart);
}

TEST(DeadLetterReason, HasANameOfItsOwnEach) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kDeadLetterReasons; ++i) names.insert(to_string(static_cast<DeadLetterReason>(i)));
  EXPECT_EQ(names.size(), kDeadLetterReasons);
  EXPECT_EQ(to_string(DeadLetterReason::shutdown), "shutdown");
}

TEST(DeadLetterStore, KeepsTheLastAndCountsTheRest) {
  DeadLetterStore store(2, 1 << 20);
  EXPECT_EQ(add(store, "a"), 1u);
  EXPECT_EQ(add(store, "b"), 2u);
  EXPECT_EQ(add(store, "c"), 3u);
  EXPECT_EQ(store.evicted(), 1u);
  EXPECT_EQ(store.find(1), nullptr);
  ASSERT_NE(store.find(3), nullptr);
  EXPECT_EQ(store.find(3)->message.event().envelope.id, "c");
  EXPECT_EQ(store.find(3)->attempts, 2u);
  EXPECT_TRUE(store.drop(2));
  EXPECT_FALSE(store.drop(2));
  store.set_capacity(0);
  EXPECT_TRUE(store.letters().empty());
  EXPECT_EQ(add(store, "d"), 0u);
}

TEST(DeadLetterStore, StaysWithinItsMemory) {
  const std::size_t one = MessageRef::cost(event("a"));
  DeadLetterStore store(1000, 3 * one);
  for (int i = 0; i < 10; ++i) add(store, "a");
  EXPECT_EQ(store.letters().size(), 3u);
  EXPECT_EQ(store.letters().front().number, 8u);
  EXPECT_EQ(add(store, std::string(4 * one, 'x')), 0u);
  EXPECT_EQ(store.letters().size(), 3u);  // too large itself: pushes nobody out
}

}  // namespace
}  // namespace tenon::message
