#include "integration/journey.hpp"

#include <gtest/gtest.h>

#include "fake_serializer.hpp"
#include "message/encoder.hpp"

namespace tenon::integration {
namespace {

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

constexpr Home kAlpha{"alpha", "11aa"};

class Departure : public ::testing::Test {
 protected:
  static message::Event born(std::vector<message::Attribute>& extensions) {
    message::Event event;
    event.envelope.specversion = "1.0";
    event.envelope.id = "7";
    event.envelope.source = "//alpha/a";
    event.envelope.type = "task";
    event.envelope.extensions = extensions;
    return event;
  }
  message::Event leave(const message::Event& event, Home home = kAlpha) {
    return depart(event, home, extensions_, added_);
  }
  std::vector<message::Attribute> extensions_, added_;
};

TEST_F(Departure, MarksAnEventThatWasBornHere) {
  std::vector<message::Attribute> own = {{"mine", "1"}};
  message::Event event = born(own);
  const message::Attribute added[] = {{"id", "7"}};
  event.added = added;
  const message::Event leaving = leave(event);
  const Journey journey = journey_of(leaving.envelope);
  EXPECT_EQ(journey.origin, "alpha");
  EXPECT_EQ(journey.run, "11aa");
  EXPECT_FALSE(journey.has_hops) << "whoever takes it in counts";
  EXPECT_EQ(leaving.envelope.extensions.size(), 3u);
  ASSERT_EQ(leaving.added.size(), 3u) << "in front of the sender's bytes, which stay";
  EXPECT_EQ(leaving.added[0].name, "id");
  EXPECT_FALSE(leaving.rewritten);
}

TEST_F(Departure, LeavesTheOriginOfAnEventThatCameFromElsewhere) {
  std::vector<message::Attribute> far = {{kOriginAttribute, "beta"}, {kRunAttribute, "22bb"}, {kHopsAttribute, "1"}};
  const Journey journey = journey_of(leave(born(far)).envelope);
  EXPECT_EQ(journey.origin, "beta");
  EXPECT_EQ(journey.run, "22bb");
  EXPECT_TRUE(added_.empty());
}

TEST_F(Departure, IsSeenInTheBytesThatGoOut) {
  FakeSerializer json;
  FakeSerializers serializers;
  message::Encoder encoder(json, serializers, 1 << 20);
  message::GrowingBuffer out(1 << 20);
  std::vector<message::Attribute> none;
  ASSERT_TRUE(encoder.encode(leave(born(none)), {}, out).ok());
  EXPECT_NE(out.view().find("tenonorigin=alpha"), std::string_view::npos) << out.view();
  EXPECT_NE(out.view().find("tenonrun=11aa"), std::string_view::npos) << out.view();
}

TEST_F(Departure, ReplacesARunThatHasNoOrigin) {
  std::vector<message::Attribute> odd = {{kRunAttribute, "who knows"}};
  const message::Event leaving = leave(born(odd));
  EXPECT_EQ(journey_of(leaving.envelope).run, "11aa");
  EXPECT_EQ(leaving.envelope.extensions.size(), 2u);
  EXPECT_TRUE(leaving.rewritten) << "it stands in the sender's bytes";
}

TEST_F(Departure, LetsAnEventGoUnmarkedThatHasAsManyAttributesAsMayBe) {
  std::vector<message::Attribute> many(message::kMaxExtensions, {"mine", "1"});
  const message::Event leaving = leave(born(many));
  EXPECT_EQ(leaving.envelope.extensions.size(), message::kMaxExtensions);
  EXPECT_TRUE(leaving.added.empty());
}

TEST(Arrive, CutsAnEventThatHasComeRound) {
  EXPECT_TRUE(arrive({.origin = "alpha", .run = "11aa"}, kAlpha, "", 0).came_round);
  EXPECT_TRUE(arrive({.hops = 3, .origin = "alpha", .run = "11aa"}, kAlpha, "beta", 4).came_round == false)
      << "what the transport itself knows counts first";
  EXPECT_TRUE(arrive({}, kAlpha, "alpha", 1).came_round) << "a transport that carries the origin";
  EXPECT_TRUE(arrive({.origin = "alpha"}, kAlpha, "", 0).came_round) << "from a host that knows no runs";
}

TEST(Arrive, TellsAnotherHostOfTheSameName) {
  const Arrival arrival = arrive({.origin = "alpha", .run = "33cc"}, kAlpha, "", 0);
  EXPECT_FALSE(arrival.came_round);
  EXPECT_TRUE(arrival.has_our_name);
  EXPECT_FALSE(arrive({.origin = "beta", .run = "33cc"}, kAlpha, "", 0).has_our_name);
}

TEST(Arrive, CountsThisHopUnlessTheTransportHas) {
  EXPECT_EQ(arrive({}, kAlpha, "", 0).hops, 1u);
  EXPECT_EQ(arrive({.hops = 2}, kAlpha, "", 0).hops, 3u);
  EXPECT_EQ(arrive({.hops = 2}, kAlpha, "", 3).hops, 3u);
  EXPECT_EQ(arrive({}, kAlpha, "", 5).hops, 5u);
}

}  // namespace
}  // namespace tenon::integration
