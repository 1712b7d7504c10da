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

Journey journey(std::vector<message::Attribute> attributes) {
  message::BaseMessageEnvelope envelope;
  envelope.extensions = attributes;
  return journey_of(envelope);
}

TEST(JourneyOf, BeginsAtHomeForAnEventWithoutMarks) {
  const Journey home = journey({{"other", "7"}});
  EXPECT_EQ(home.hops, 0u);
  EXPECT_EQ(home.origin, "");
}

TEST(JourneyOf, ReadsHopsAndOrigin) {
  const Journey far = journey({{kHopsAttribute, "3", message::AttributeType::integer}, {kOriginAttribute, "node"}});
  EXPECT_EQ(far.hops, 3u);
  EXPECT_EQ(far.origin, "node");
}

TEST(WithJourney, ReplacesTheMarksAndKeepsEverythingElse) {
  const std::vector<message::Attribute> before = {
      {kOriginAttribute, "old"}, {"mine", "1"}, {kHopsAttribute, "3", message::AttributeType::integer}};
  const std::vector<message::Attribute> after = with_journey(before, "4", "node");
  ASSERT_EQ(after.size(), 3u);
  EXPECT_EQ(after[0].name, "mine");
  const Journey read = journey(after);
  EXPECT_EQ(read.hops, 4u);
  EXPECT_EQ(read.origin, "node");
  EXPECT_EQ(after[1].type, message::AttributeType::integer);
  EXPECT_EQ(with_journey({}, "1", "").size(), 1u) << "no empty attributes";
}

TEST(JourneyOf, CountsHopsThatNobodyCouldMeanAsTheMost) {
  EXPECT_EQ(journey({{kHopsAttribute, "many"}}).hops, kMostHops);
  EXPECT_EQ(journey({{kHopsAttribute, "-1"}}).hops, kMostHops);
  EXPECT_EQ(journey({{kHopsAttribute, "3x"}}).hops, kMostHops);
  EXPECT_EQ(journey({{kHopsAttribute, "99999999999"}}).hops, kMostHops);
}

}  // namespace
}  // namespace tenon::integration
