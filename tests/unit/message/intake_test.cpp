#include "message/intake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/message/rig.hpp"

namespace tenon::message {
namespace {

using namespace rig;
using testing::HasSubstr;

class IntakeTest : public testing::Test {
 protected:
  IntakeTest() { intake_.set_time(kWallStart); }
  std::optional<DeadLetterReason> refusal(const Fields& fields, const SourcePolicy& source) {
    Event e = event(fields);
    added_.clear();
    const auto refused = intake_.accept(e, added_, source);
    if (refused) detail_ = refused->detail;
    return refused ? std::optional(refused->reason) : std::nullopt;
  }
  Intake intake_{42};
  AddedAttributes added_;
  SourcePolicy worker_{.name = "counter.1", .source_uri = "//alpha/counter.1"};
  std::string detail_;
};

TEST_F(IntakeTest, FillsInWhatTheSourceLeftOut) {
  Event e;
  e.envelope.type = "task.result";
  ASSERT_FALSE(intake_.accept(e, added_, worker_).has_value());
  EXPECT_EQ(e.envelope.specversion, "1.0");
  EXPECT_TRUE(is_ulid(e.envelope.id));
  EXPECT_EQ(e.envelope.source, "//alpha/counter.1");
  EXPECT_EQ(e.envelope.time, "2023-11-14T22:13:20.000Z");
  ASSERT_EQ(e.added.size(), 4u);
  EXPECT_EQ(e.added[1].name, "id");
  EXPECT_EQ(e.added[1].value, e.envelope.id);
  EXPECT_EQ(e.envelope.effective_topic(), "task.result");
}

TEST_F(IntakeTest, LeavesWhatTheSourceSaid) {
  Event e = event("mine");
  e.envelope.time = "2020-01-01T00:00:00Z";
  ASSERT_FALSE(intake_.accept(e, added_, worker_).has_value());
  EXPECT_EQ(e.envelope.id, "mine");
  EXPECT_EQ(e.envelope.source, "//test");
  EXPECT_TRUE(e.added.empty());
}

TEST_F(IntakeTest, GivesEveryEventAnIdOfItsOwn) {
  Event a, b;
  a.envelope.type = b.envelope.type = "t";
  ASSERT_FALSE(intake_.accept(a, added_, worker_).has_value());
  const std::string first(a.envelope.id);
  added_.clear();
  ASSERT_FALSE(intake_.accept(b, added_, worker_).has_value());
  EXPECT_LT(first, b.envelope.id);
}

TEST_F(IntakeTest, RefusesTopicsThatAreNone) {
  EXPECT_EQ(refusal({.topic = "a..b"}, worker_), DeadLetterReason::bad_topic);
  EXPECT_THAT(detail_, HasSubstr("empty token"));
  EXPECT_EQ(refusal({.topic = "a.>"}, worker_), DeadLetterReason::bad_topic);
  EXPECT_EQ(refusal({.topic = ""}, worker_), DeadLetterReason::malformed);
  EXPECT_EQ(refusal({.topic = "t", .replyto = "in box"}, worker_), DeadLetterReason::bad_topic);
  EXPECT_THAT(detail_, HasSubstr("replyto"));
}

TEST_F(IntakeTest, KeepsTheHostsNamesForTheHost) {
  EXPECT_EQ(refusal({.topic = "system.alert"}, worker_), DeadLetterReason::reserved);
  EXPECT_EQ(refusal({.topic = "tenon.x"}, worker_), DeadLetterReason::reserved);
  EXPECT_EQ(refusal({.topic = "system"}, worker_), DeadLetterReason::reserved);
  EXPECT_EQ(refusal({.topic = "systemic.x"}, worker_), std::nullopt);
  worker_.publish = {">"};  // does not reach them
  EXPECT_EQ(refusal({.topic = "system.alert"}, worker_), DeadLetterReason::reserved);
  EXPECT_EQ(refusal({.topic = "system.alert"}, {.name = "host", .source_uri = "//alpha", .is_host = true}),
            std::nullopt);
}

TEST_F(IntakeTest, LeavesRoomForTheAttributesThatHostsAdd) {
  const std::vector<Attribute> many(kMaxForeignExtensions + 1, Attribute{"x", "1"});
  const auto refused = [&](std::size_t count, const SourcePolicy& source) {
    Event e = event("1");
    e.envelope.extensions = std::span(many).first(count);
    AddedAttributes added;
    return intake_.accept(e, added, source).has_value();
  };
  SourcePolicy bus = worker_;
  bus.foreign = true;
  EXPECT_FALSE(refused(kMaxOwnExtensions, worker_));
  EXPECT_TRUE(refused(kMaxOwnExtensions + 1, worker_));
  EXPECT_FALSE(refused(kMaxForeignExtensions, bus));
  EXPECT_TRUE(refused(kMaxForeignExtensions + 1, bus));
}

TEST_F(IntakeTest, RefusesAForgedTypeUnderAnHonestTopic) {
  Event e = event("1", "system.process.ready");
  e.envelope.topic = "mine";
  EXPECT_EQ(intake_.accept(e, added_, worker_)->reason, DeadLetterReason::reserved);
  e = event("1", "honest");
  e.envelope.topic = "system.process.ready";
  EXPECT_EQ(intake_.accept(e, added_, worker_)->reason, DeadLetterReason::reserved);
}

TEST_F(IntakeTest, KeepsASourceToItsPublishList) {
  worker_.publish = {"task.>", "log.*"};
  EXPECT_EQ(refusal({.topic = "task.result.1"}, worker_), std::nullopt);
  EXPECT_EQ(refusal({.topic = "log.a"}, worker_), std::nullopt);
  EXPECT_EQ(refusal({.topic = "log.a.b"}, worker_), DeadLetterReason::not_allowed);
  EXPECT_THAT(detail_, HasSubstr("counter.1"));
}

TEST_F(IntakeTest, RefusesEverythingOfASourceThatMayPublishNothing) {
  worker_.may_publish = false;
  EXPECT_EQ(refusal({.topic = "task"}, worker_), DeadLetterReason::not_allowed);
  EXPECT_THAT(detail_, HasSubstr("counter.1 may publish nothing"));
}

}  // namespace
}  // namespace tenon::message
