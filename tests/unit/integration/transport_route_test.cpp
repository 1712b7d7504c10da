#include "integration/transport_route.hpp"

#include <gtest/gtest.h>

namespace tenon::integration {
namespace {

TEST(ApplyAs, PutsTheTopicInEveryPlaceAndLeavesTheRest) {
  EXPECT_EQ(apply_as("", "a.b"), "a.b");
  EXPECT_EQ(apply_as("alpha.{topic}", "a.b"), "alpha.a.b");
  EXPECT_EQ(apply_as("{topic}.copy", "a"), "a.copy");
  EXPECT_EQ(apply_as("{topic}.{topic}", "a"), "a.a");
  EXPECT_EQ(apply_as("fixed.name", "a"), "fixed.name");
  EXPECT_EQ(apply_as("{top}.{topic", "a"), "{top}.{topic");
}

TEST(ApplyAs, DoesNotLookIntoTheTopicThatItPutIn) { EXPECT_EQ(apply_as("x.{topic}", "{topic}"), "x.{topic}"); }

}  // namespace
}  // namespace tenon::integration
