#include "integration/system_events.hpp"

#include "router_fixture.hpp"

namespace tenon::integration {
namespace {

class SystemEventsTest : public RouterTest {
 protected:
  SystemEvents events{loop, router, "//alpha"};
  RecordingOutlet outlet;
};

TEST_F(SystemEventsTest, PublishesCompleteEventsInATurnOfTheirOwnAndInOrder) {
  subscribe(outlet, "system.>");
  events.publish("system.process.ready", "a", [] { return std::string("{\"n\":1}"); });
  events.publish("system.alert", "b", [] { return std::string("{\"n\":2}"); });
  EXPECT_TRUE(outlet.got.empty()) << "what reports is often deep inside the router";
  loop.run_posted();
  ASSERT_EQ(outlet.got.size(), 2u);
  EXPECT_EQ(outlet.got[0].type, "system.process.ready");
  EXPECT_EQ(outlet.got[0].subject, "a");
  EXPECT_EQ(outlet.got[0].data, "{\"n\":1}");
  EXPECT_EQ(outlet.got[0].source, "//alpha");
  EXPECT_EQ(outlet.got[0].time.back(), 'Z');
  EXPECT_EQ(outlet.got[1].type, "system.alert");
  EXPECT_LT(outlet.got[0].id, outlet.got[1].id);
  EXPECT_EQ(events.published(), 2u);
}

TEST_F(SystemEventsTest, BuildsNothingThatNobodySubscribedTo) {
  subscribe(outlet, "system.process.*");
  int built = 0;
  events.publish("system.alert", "a", [&] { return ++built, std::string("{}"); });
  EXPECT_EQ(built, 0);
  EXPECT_EQ(loop.pending_posts(), 0u);
  events.publish("system.process.ready", "a", [&] { return ++built, std::string("{}"); });
  EXPECT_EQ(built, 1) << "while what it is about still stands";
}

TEST_F(SystemEventsTest, CountsWhatIsBeyondItsBound) {
  subscribe(outlet, "system.>");
  for (std::size_t i = 0; i < SystemEvents::kMaxQueued + 5; ++i)
    events.publish("system.alert", "a", [] { return std::string("{}"); });
  EXPECT_EQ(events.dropped(), 5u);
  loop.run_posted();
  EXPECT_EQ(outlet.got.size(), SystemEvents::kMaxQueued);
  events.publish("system.alert", "a", [] { return std::string("{}"); });
  loop.run_posted();
  EXPECT_EQ(outlet.got.size(), SystemEvents::kMaxQueued + 1);
}

TEST_F(SystemEventsTest, SurvivesAPostThatComesAfterItsEnd) {
  subscribe(outlet, "system.>");
  {
    SystemEvents brief(loop, router, "//alpha");
    brief.publish("system.alert", "a", [] { return std::string("{}"); });
  }
  loop.run_posted();
  EXPECT_TRUE(outlet.got.empty());
}

TEST_F(SystemEventsTest, HoldsEventsForThoseWhoWillSubscribe) {
  events.hold();
  events.publish("system.alert", "a", [] { return std::string("1"); });
  loop.run_posted();
  subscribe(outlet, "system.alert");
  EXPECT_TRUE(outlet.got.empty());
  events.release();
  events.release();
  loop.run_posted();
  EXPECT_EQ(outlet.got.size(), 1u);
}

}  // namespace
}  // namespace tenon::integration
