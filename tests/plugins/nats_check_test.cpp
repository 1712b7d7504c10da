#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/json_document.hpp"
#include "support/plugin_under_test.hpp"

namespace {

using namespace std::chrono_literals;
using namespace tenon::test_support;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct NatsCheck : testing::Test {
  static const tenon_health_check& table() {
    static const LoadedPlugin plugin = LoadedPlugin::open("nats_check");
    return plugin.health_check("nats");
  }
  CheckCompletion check_with(tenon_status how) {
    check.host.script.round_trip = how;
    return check.check(2s);
  }
  HealthCheckUnderTest check{table(), R"({"transport":"bus","degraded_after":"100ms"})"};
};

TEST_F(NatsCheck, IsHealthyWhenTheNamedTransportAnswers) {
  const CheckCompletion done = check.check();
  EXPECT_EQ(done.health, TENON_HEALTHY);
  EXPECT_EQ(done.reason, "");
  EXPECT_THAT(check.host.round_trips(), ElementsAre("bus"));
}

TEST_F(NatsCheck, MeasuresTheRoundTripAndIsDegradedWhenItTookTooLong) {
  check.host.script.round_trips_wait = true;
  const std::uint64_t first = check.begin();
  check.host.advance(100ms);
  check.host.answer_round_trips(TENON_OK);
  ASSERT_TRUE(check.host.check(first));
  EXPECT_EQ(check.host.check(first)->health, TENON_HEALTHY);
  EXPECT_EQ(check.host.check(first)->latency_ns, 100'000'000u);

  const std::uint64_t second = check.begin();
  check.host.advance(150ms);
  check.host.answer_round_trips(TENON_OK);
  ASSERT_TRUE(check.host.check(second));
  EXPECT_EQ(check.host.check(second)->health, TENON_DEGRADED);
  EXPECT_EQ(check.host.check(second)->reason, "transport bus answered after 150 ms; degraded_after is 100 ms");
}

TEST_F(NatsCheck, TellsWhatIsWrongApart) {
  const std::pair<tenon_status, const char*> cases[] = {
      {TENON_ERR_TIMEOUT, "transport bus is connected, but had no answer within 2 s"},
      {TENON_ERR_UNAVAILABLE, "transport bus is not connected; `tenon transports` says why"},
      {TENON_ERR_WRONG_STATE, "transport bus is not connected; `tenon transports` says why"},
      {TENON_ERR_UNSUPPORTED, "transport bus cannot make a round trip; leave this check out"},
      {TENON_ERR_CANCELLED, "the round trip of transport bus was withdrawn"},
      {TENON_ERR_IO, "the round trip of transport bus failed; `tenon transports` says more"},
      // Of the round trip; only the refusal of the call speaks of the name.
      {TENON_ERR_NOT_FOUND, "the round trip of transport bus failed; `tenon transports` says more"},
  };
  for (const auto& [how, reason] : cases) {
    const CheckCompletion done = check_with(how);
    EXPECT_EQ(done.health, TENON_UNHEALTHY) << reason;
    EXPECT_EQ(done.reason, reason);
  }
}

TEST_F(NatsCheck, SaysWhenThereIsNoTransportOfThatName) {
  check.host.script.round_trip_refused = TENON_ERR_NOT_FOUND;
  const CheckCompletion done = check.check();
  EXPECT_EQ(done.health, TENON_UNHEALTHY);
  EXPECT_EQ(done.reason, "no transport is named bus; `tenon transports` lists them");
}

TEST_F(NatsCheck, SaysWhenTheTransportCannotBeUsedAtAll) {
  check.host.script.round_trip_refused = TENON_ERR_UNAVAILABLE;
  EXPECT_EQ(check.check().reason, "transport bus is not connected; `tenon transports` says why");
}

TEST_F(NatsCheck, BlamesNobodyWhenTheHostHasNothingFree) {
  for (const bool refused : {false, true}) {
    check.host.script.round_trip_refused = refused ? TENON_ERR_EXHAUSTED : TENON_OK;
    const CheckCompletion done = check_with(TENON_ERR_EXHAUSTED);
    ASSERT_TRUE(done.error);
    EXPECT_EQ(done.error->code, TENON_ERR_EXHAUSTED);
    EXPECT_EQ(done.error->fault, TENON_FAULT_HOST);
    EXPECT_EQ(done.error->text, "not made: nothing was free for a round trip of bus");
  }
}

TEST_F(NatsCheck, DoesNotCompleteWhatWasCancelledOrStopped) {
  check.host.script.round_trips_wait = true;
  check.begin();
  check.cancel();
  check.host.answer_round_trips(TENON_OK);
  check.begin();
  check.stop();
  check.host.answer_round_trips(TENON_OK);
  EXPECT_THAT(check.host.checks(), IsEmpty());
}

TEST_F(NatsCheck, AnswersOnlyTheNewestCheckAfterACancelledOne) {
  check.host.script.round_trips_wait = true;
  check.begin();
  check.cancel();
  const std::uint64_t second = check.begin();
  check.host.answer_round_trips(TENON_OK);  // both
  ASSERT_THAT(check.host.checks(), SizeIs(1));
  EXPECT_EQ(check.host.checks()[0].token, second);
}

TEST_F(NatsCheck, LeavesNothingBehindWhenItIsDestroyedUnderWay) {
  check.host.script.round_trips_wait = true;
  check.begin();
  check.destroy();  // the leak checker and the fake host's rules do the rest
  EXPECT_THAT(check.host.checks(), IsEmpty());
}

TEST_F(NatsCheck, RefusesAConfigWithoutATransport) {
  EXPECT_THAT(refusal(table(), "{}"), HasSubstr("transport is missing"));
}

TEST_F(NatsCheck, DescribesEveryKeyOfItsConfigInTheNote) {
  const auto note = tenon::JsonDocument::parse(LoadedPlugin::open("nats_check").note(), "note");
  ASSERT_TRUE(note.ok()) << note.error().message;
  const auto component = note.value().root().find("components")->at(0);
  EXPECT_EQ(component.find("name")->as_string(), "nats");
  const auto schema = component.find("schema");
  EXPECT_EQ(schema->find("additionalProperties")->as_bool(), false);
  EXPECT_EQ(schema->find("properties")->size(), 2u);
  for (const auto property : schema->find("properties")->members())
    EXPECT_TRUE(property.value.find("description")) << property.key;
}

}  // namespace
