#include "integration/dead_letter_desk.hpp"

#include "common/encoding.hpp"
#include "common/json_document.hpp"
#include "router_fixture.hpp"

namespace tenon::integration {
namespace {

using message::DeadLetterReason;

class DeadLetterDeskTest : public RouterTest {
 protected:
  void SetUp() override {
    sink.next = &desk;
    desk.connect(events, json, serializers);
    subscribe(outlet, "system.dead_letter");
  }
  static message::Event event(std::string_view type, std::string_view id) {
    message::Event made;
    made.envelope.type = type;
    made.envelope.id = id;
    made.envelope.source = "//alpha/a";
    return made;
  }
  RecordingOutlet::Got told() {
    loop.run_posted();
    EXPECT_EQ(outlet.got.size(), 1u);
    return outlet.got.empty() ? RecordingOutlet::Got{} : outlet.got[0];
  }

  SystemEvents events{loop, router, "//alpha"};
  FakeSerializer json;
  FakeSerializers serializers;
  RecordingOutlet outlet;
  DeadLetterDesk desk{loop, 100, 1024 * 1024};
};

TEST_F(DeadLetterDeskTest, KeepsCountsAndTellsWithTheEventUnharmed) {
  // The fake's text is no JSON; an empty event is.
  desk.dead_letter(event("task", "7"), DeadLetterReason::mailbox_full, "counter.1", "the mailbox is full", 3);
  EXPECT_EQ(desk.count(DeadLetterReason::mailbox_full), 1u);
  ASSERT_EQ(desk.store().letters().size(), 1u);
  EXPECT_EQ(desk.store().letters()[0].sender, "//alpha/a");
  EXPECT_EQ(desk.store().letters()[0].message.event().envelope.id, "7");
  const RecordingOutlet::Got letter = told();
  EXPECT_EQ(letter.subject, "7");
  EXPECT_EQ(letter.data,
            "{\"reason\":\"mailbox_full\",\"receiver\":\"counter.1\",\"detail\":\"the mailbox is full\","
            "\"sender\":\"//alpha/a\",\"attempts\":3,"
            "\"event\":{id=7;source=//alpha/a;type=task}}");
}

TEST_F(DeadLetterDeskTest, TellsTheHistoryOfWhatWasDelivered) {
  const message::DeliveryHistory history = {{"a.1", WallTime(std::chrono::seconds(0)), message::AttemptEnd::exited},
                                            {"a.2", WallTime(std::chrono::seconds(1)), message::AttemptEnd::refused}};
  desk.dead_letter(event("task", "7"), DeadLetterReason::attempts_exhausted, "a.2", "twice", {2, &history});
  EXPECT_NE(told().data.find("\"attempts\":2,\"history\":["
                             "{\"receiver\":\"a.1\",\"ended_by\":\"exit\",\"time\":\"1970-01-01T00:00:00.000Z\"},"
                             "{\"receiver\":\"a.2\",\"ended_by\":\"nack\",\"time\":\"1970-01-01T00:00:01.000Z\"}],"),
            std::string::npos);
  EXPECT_EQ(desk.store().letters()[0].history.size(), 2u);
}

TEST_F(DeadLetterDeskTest, CarriesWhatIsNoEventAsBase64) {
  const std::string octets = "\x00\xffgarbage";
  message::Event garbage;
  garbage.encoded = octets;
  desk.dead_letter(garbage, DeadLetterReason::malformed, {}, "no event", 0);
  EXPECT_NE(told().data.find("\"event_base64\":\"" + base64_encode(octets) + "\""), std::string::npos);
}

TEST_F(DeadLetterDeskTest, NeverMakesADeadLetterOfADeadLetter) {
  desk.dead_letter(event("system.dead_letter", "1"), DeadLetterReason::mailbox_full, "slow", "", 0);
  loop.run_posted();
  EXPECT_TRUE(outlet.got.empty());
  EXPECT_EQ(desk.count(DeadLetterReason::mailbox_full), 1u);
}

TEST_F(DeadLetterDeskTest, EndsWhenTheReceiverOfDeadLettersIsFullItself) {
  RecordingOutlet never;
  const message::ReceiverId full = router.dispatcher().add_receiver({"full", {.capacity = 1, .bytes = 1 << 20}, {}});
  ASSERT_TRUE(router.subscribe(full, "system.>").ok());
  for (int i = 0; i < 10; ++i) desk.dead_letter(event("task", "7"), DeadLetterReason::expired, {}, "", 0);
  EXPECT_LT(loop.run_posted(), 100u);
  EXPECT_EQ(outlet.got.size(), 10u);
  EXPECT_EQ(desk.count(DeadLetterReason::mailbox_full), 9u) << "counted, and no more";
}

TEST_F(DeadLetterDeskTest, KeepsAndCountsBeforeAndAfterItIsConnected) {
  desk.disconnect();
  desk.dead_letter(event("task", "7"), DeadLetterReason::shutdown, {}, "", 0);
  loop.run_posted();
  EXPECT_TRUE(outlet.got.empty());
  EXPECT_EQ(desk.store().letters().size(), 1u);
  EXPECT_EQ(desk.event_as_json(event("task", "7")), "");
}

}  // namespace
}  // namespace tenon::integration
