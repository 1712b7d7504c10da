#include "integration/plugin_events.hpp"

#include "router_fixture.hpp"

namespace tenon::integration {
namespace {

using PluginEventsTest = RouterTest;

TEST_F(PluginEventsTest, MisbehaviourIsToldWithPluginInstanceAndRule) {
  RecordingOutlet outlet;
  subscribe(outlet, "system.plugin.misbehaved");
  SystemEvents events(loop, router, "//alpha");
  PluginEvents plugins(events);
  plugins.on_misbehaved({"nats", "transport/nats", "bus", PluginRule::late_completion, "completed a call", 3});
  loop.run_posted();
  ASSERT_EQ(outlet.got.size(), 1u);
  EXPECT_EQ(outlet.got[0].type, "system.plugin.misbehaved");
  EXPECT_EQ(outlet.got[0].subject, "transport/nats");
  EXPECT_EQ(outlet.got[0].data,
            R"({"plugin":"nats","component":"transport/nats","instance":"bus","rule":"late_completion",)"
            R"("reason":"completed a call","suppressed":3})");
}

}  // namespace
}  // namespace tenon::integration
