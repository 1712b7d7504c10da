// One receiver: the direct way, its queue, its gate, overflow.
#include "message/dispatcher.hpp"

#include "unit/message/dispatcher_rig.hpp"

namespace tenon::message {
namespace {

using namespace rig;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(DispatcherTest, HandsAnEventStraightToAnOutletWithRoom) {
  const ReceiverId r = add(a_);
  EXPECT_EQ(deliver(r, "1"), Verdict::delivered);
  EXPECT_THAT(a_.ids, ElementsAre("1"));
  EXPECT_EQ(budget_.used(), 0u);  // nothing was copied
  EXPECT_EQ(dispatcher_.in_flight(r), 1u);
  EXPECT_FALSE(dispatcher_.quiet());
  dispatcher_.written_up_to(r, 9, kStart);
  EXPECT_EQ(dispatcher_.in_flight(r), 1u);
  dispatcher_.written_up_to(r, 10, kStart);
  EXPECT_EQ(dispatcher_.in_flight(r), 0u);
  EXPECT_EQ(dispatcher_.counters(r).settled, 1u);
  EXPECT_TRUE(dispatcher_.quiet());
}

TEST_F(DispatcherTest, TakesOtherTermsWhileItWorks) {
  const ReceiverId r = add(a_, {}, {.capacity = 1, .overflow = Overflow::block});
  a_.room = 0;
  EXPECT_EQ(deliver(r, "1"), Verdict::queued);
  EXPECT_EQ(deliver(r, "2"), Verdict::would_block);
  dispatcher_.set_terms(r, {.capacity = 2, .overflow = Overflow::reject}, {}, kStart);
  EXPECT_THAT(room_.told, ElementsAre(FullQueue{.receiver = r})) << "who waited may try again";
  EXPECT_EQ(deliver(r, "2"), Verdict::queued);
  EXPECT_EQ(deliver(r, "3"), Verdict::rejected);
  dispatcher_.set_terms(r, {.capacity = 1}, {}, kStart);
  give_room(a_, r, 9);
  EXPECT_THAT(a_.ids, ElementsAre("1", "2")) << "what waits stays, however small the mailbox is now";
}

TEST_F(DispatcherTest, ANewDeliveryModeHoldsFromTheNextIncarnationOn) {
  const ReceiverId r = add(a_);
  EXPECT_EQ(deliver(r, "1"), Verdict::delivered);
  dispatcher_.set_terms(r, {}, {.mode = DeliveryMode::at_least_once, .max_in_flight = 1}, kStart);
  EXPECT_EQ(dispatcher_.config(r).delivery.mode, DeliveryMode::at_most_once);
  EXPECT_EQ(dispatcher_.in_flight(r), 1u) << "counted as it was begun";
  dispatcher_.detach(r, {}, kStart);
  dispatcher_.attach(r, a_);
  EXPECT_EQ(deliver(r, "2"), Verdict::delivered);
  EXPECT_EQ(deliver(r, "3"), Verdict::queued) << "one in flight";
  EXPECT_TRUE(dispatcher_.settle(r, "2", kStart));
  EXPECT_THAT(a_.ids, ElementsAre("1", "2", "3"));
}

TEST_F(DispatcherTest, QueuesWhenTheOutletIsFullAndKeepsTheOrder) {
  const ReceiverId r = add(a_);
  a_.room = 1;
  EXPECT_EQ(deliver(r, "1"), Verdict::delivered);
  EXPECT_EQ(deliver(r, "2"), Verdict::queued);
  a_.room = 5;  // nobody said so: what comes now must not overtake
  EXPECT_EQ(deliver(r, "3"), Verdict::queued);
  give_room(a_, r, 1);
  EXPECT_THAT(a_.ids, ElementsAre("1", "2"));
  give_room(a_, r, 5);
  EXPECT_THAT(a_.ids, ElementsAre("1", "2", "3"));
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(DispatcherTest, HoldsEventsWhileTheGateWaits) {
  const ReceiverId r = add(a_);
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  EXPECT_EQ(deliver(r, "1"), Verdict::queued);
  dispatcher_.outlet_has_room(r, kStart);
  EXPECT_THAT(a_.ids, IsEmpty());
  dispatcher_.set_gate(r, Gate::open, kStart);
  EXPECT_THAT(a_.ids, ElementsAre("1"));
}

TEST_F(DispatcherTest, DeadLettersWhatIsForAReceiverThatHasEnded) {
  const ReceiverId r = add(a_);
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  deliver(r, "1");
  dispatcher_.set_gate(r, Gate::ended, kStart);
  EXPECT_EQ(deliver(r, "2"), Verdict::dead_lettered);
  EXPECT_THAT(dead_.letters, ElementsAre("receiver_ended 1 r0", "receiver_ended 2 r0"));
  dispatcher_.set_gate(r, Gate::open, kStart);  // started again
  EXPECT_EQ(deliver(r, "3"), Verdict::delivered);
}

TEST_F(DispatcherTest, DeadLettersWhatTheOutletRefusesAndCallsItSo) {
  const ReceiverId r = add(a_);
  for (const auto& [result, name] : {std::pair(OfferResult::untranslatable, "untranslatable"),
                                     std::pair(OfferResult::too_large, "too_large"),
                                     std::pair(OfferResult::closed, "channel_closed")}) {
    a_.refuse = result;
    EXPECT_EQ(deliver(r, name), Verdict::dead_lettered);
    EXPECT_EQ(dead_.letters.back(), std::string(name) + " " + name + " r0");
    EXPECT_EQ(dead_.details.back(), "as told");
  }
  EXPECT_EQ(dispatcher_.counters(r).delivered, 0u);
  EXPECT_TRUE(dispatcher_.quiet());
}

TEST_F(DispatcherTest, GoesOnWithTheQueueBehindARefusedEvent) {
  const ReceiverId r = add(a_);
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  deliver(r, "1"), deliver(r, "2");
  a_.refuse = OfferResult::untranslatable;
  dispatcher_.set_gate(r, Gate::open, kStart);
  EXPECT_THAT(dead_.letters, ElementsAre("untranslatable 1 r0", "untranslatable 2 r0"));
  EXPECT_TRUE(dispatcher_.quiet());
}

TEST_F(DispatcherTest, OverflowDeadLettersTheNewEvent) {
  const ReceiverId r = add(a_, {}, {.capacity = 2});
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  deliver(r, "1"), deliver(r, "2");
  EXPECT_EQ(deliver(r, "3"), Verdict::dead_lettered);
  EXPECT_THAT(dead_.letters, ElementsAre("mailbox_full 3 r0"));
  EXPECT_EQ(dispatcher_.counters(r).dropped, 1u);
  EXPECT_EQ(dispatcher_.mailbox(r).size(), 2u);
}

TEST_F(DispatcherTest, OverflowDropsTheOldest) {
  const ReceiverId r = add(a_, {}, {.capacity = 2, .overflow = Overflow::drop_oldest});
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  deliver(r, "1"), deliver(r, "2");
  EXPECT_EQ(deliver(r, "3"), Verdict::queued);
  EXPECT_THAT(dead_.letters, ElementsAre("dropped_oldest 1 r0"));
  dispatcher_.set_gate(r, Gate::open, kStart);
  EXPECT_THAT(a_.ids, ElementsAre("2", "3"));
}

TEST_F(DispatcherTest, OverflowRejects) {
  const ReceiverId r = add(a_, {}, {.capacity = 1, .overflow = Overflow::reject});
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  deliver(r, "1");
  EXPECT_EQ(deliver(r, "2"), Verdict::rejected);
  EXPECT_THAT(dead_.letters, ElementsAre("rejected 2 r0"));
}

TEST_F(DispatcherTest, OverflowBlocksAndTellsOfRoomOnce) {
  const ReceiverId r = add(a_, {}, {.capacity = 1, .overflow = Overflow::block});
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  deliver(r, "1");
  EXPECT_EQ(deliver(r, "2"), Verdict::would_block);
  EXPECT_EQ(deliver(r, "2"), Verdict::would_block);
  EXPECT_FALSE(dispatcher_.has_room({.receiver = r}, 1));
  EXPECT_THAT(dead_.letters, IsEmpty());
  dispatcher_.set_gate(r, Gate::open, kStart);
  EXPECT_THAT(room_.told, ElementsAre(FullQueue{.receiver = r}));
  EXPECT_TRUE(dispatcher_.has_room({.receiver = r}, 1));
}

TEST_F(DispatcherTest, KeepsWhatWaitsForAReceiverThatWasStopped) {
  for (const DeliveryConfig& delivery : {DeliveryConfig{}, at_least_once()}) {
    FakeOutlet outlet;
    const ReceiverId r = add(outlet, delivery);
    outlet.room = 1;
    deliver(r, "1"), deliver(r, "2"), deliver(r, "3");
    const MessageRef written_never = MessageRef::copy(event("1"), budget_);
    dispatcher_.set_gate(r, Gate::waiting, kStart);
    dispatcher_.detach(r, {&written_never, 1}, kStart);
    dispatcher_.set_gate(r, Gate::stopped, kStart);
    EXPECT_THAT(dead_.letters, IsEmpty());
    EXPECT_FALSE(dispatcher_.quiet());
    EXPECT_EQ(deliver(r, "4"), Verdict::dead_lettered);
    outlet.ids.clear(), outlet.room = 10;
    dispatcher_.attach(r, outlet);
    dispatcher_.set_gate(r, Gate::open, kStart);
    EXPECT_THAT(outlet.ids, ElementsAre("1", "2", "3"));
    dead_.letters.clear();
    dispatcher_.set_gate(r, Gate::ended, kStart);
  }
}

TEST_F(DispatcherTest, TakesAcknowledgementsOfAReceiverThatClosedItsEnd) {
  const ReceiverId r = add(a_, at_least_once());
  deliver(r, "1"), deliver(r, "2"), deliver(r, "3");
  const MessageRef unsent = MessageRef::copy(event("3"), budget_);
  dispatcher_.close_outlet(r, {&unsent, 1}, kStart);
  EXPECT_THAT(dead_.letters, ElementsAre("channel_closed 3 r0"));
  EXPECT_TRUE(dispatcher_.settle(r, "1", kStart));
  dispatcher_.on_time(kStart + 30s);
  EXPECT_THAT(dead_.letters, ElementsAre("channel_closed 3 r0", "channel_closed 2 r0"));
  EXPECT_EQ(dispatcher_.in_flight(r), 0u);
}

TEST_F(DispatcherTest, EndingTellsTheSendersThatWait) {
  const ReceiverId r = add(a_, {}, {.capacity = 1, .overflow = Overflow::block});
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  deliver(r, "1"), deliver(r, "2");
  dispatcher_.set_gate(r, Gate::ended, kStart);
  EXPECT_THAT(room_.told, ElementsAre(FullQueue{.receiver = r}));
}

TEST_F(DispatcherTest, BoundsAMailboxInOctetsToo) {
  const std::size_t one = MessageRef::cost(event("1"));
  const ReceiverId r = add(a_, {}, {.bytes = 2 * one});
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  EXPECT_EQ(deliver(r, "1"), Verdict::queued);
  EXPECT_EQ(deliver(r, "2"), Verdict::queued);
  EXPECT_EQ(deliver(r, "3"), Verdict::dead_lettered);
  EXPECT_EQ(deliver(r, std::string(3 * one, 'x')), Verdict::dead_lettered);
  EXPECT_TRUE(dead_.letters.back().starts_with("too_large"));
}

TEST_F(DispatcherTest, AsksSourcesToWaitAtTheLimitOfAllEvents) {
  const std::size_t one = MessageRef::cost(event("1"));
  budget_.set_limit(2 * one);
  const ReceiverId r = add(a_);  // its own rule would be a dead letter
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  deliver(r, "1"), deliver(r, "2");
  EXPECT_EQ(deliver(r, "3"), Verdict::would_block);
  EXPECT_THAT(dead_.letters, IsEmpty());
  EXPECT_LE(budget_.used(), budget_.limit());
}

TEST_F(DispatcherTest, DropsWhatExpiredWhileItWaited) {
  const ReceiverId r = add(a_);
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  dispatcher_.deliver(r, event(Fields{.id = "1", .expirytime = "2023-11-14T22:13:21Z"}), kStart);
  dispatcher_.deliver(r, event(Fields{.id = "2", .expirytime = "2023-11-14T22:13:22Z"}), kStart);
  dispatcher_.set_wall_time(kWallStart + 1s);
  dispatcher_.set_gate(r, Gate::open, kStart + 1s);
  EXPECT_THAT(dead_.letters, ElementsAre("expired 1 r0"));
  EXPECT_THAT(a_.ids, ElementsAre("2"));
}

TEST_F(DispatcherTest, ReturnsUnwrittenEventsUnmarkedAndCountsTheRestAsSettled) {
  const ReceiverId r = add(a_);
  deliver(r, "1"), deliver(r, "2"), deliver(r, "3");
  const MessageRef unsent[] = {MessageRef::copy(event("2"), budget_), MessageRef::copy(event("3"), budget_)};
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  dispatcher_.detach(r, unsent, kStart);
  EXPECT_EQ(dispatcher_.counters(r).settled, 1u);
  deliver(r, "4");
  dispatcher_.attach(r, b_);
  dispatcher_.set_gate(r, Gate::open, kStart);
  EXPECT_THAT(b_.ids, ElementsAre("2", "3", "4"));
  EXPECT_THAT(b_.attempts, ElementsAre(1u, 1u, 1u));
}

TEST_F(DispatcherTest, TakesWhatWaitsForOneReceiverOutAsDeadLettersOfTheReasonGiven) {
  const ReceiverId r = add(a_), other = add(b_);
  for (const ReceiverId id : {r, other}) dispatcher_.set_gate(id, Gate::waiting, kStart);
  deliver(r, "1"), deliver(r, "2"), deliver(other, "3");
  EXPECT_EQ(dispatcher_.dead_letter_waiting(r, DeadLetterReason::shutdown, "why"), 2u);
  EXPECT_THAT(dead_.letters, ElementsAre("shutdown 1 r0", "shutdown 2 r0"));
  EXPECT_THAT(dead_.details, ElementsAre("why", "why"));
  EXPECT_EQ(dispatcher_.mailbox(other).size(), 1u);
  EXPECT_EQ(dispatcher_.dead_letter_waiting(r, DeadLetterReason::shutdown, "why"), 0u);
}

TEST_F(DispatcherTest, WhatIsTakenOutOfAReceiversQueueKeepsItsHistory) {
  const ReceiverId r = add(a_, at_least_once());
  deliver(r, "1");
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  dispatcher_.detach(r, {}, kStart);
  EXPECT_EQ(dispatcher_.dead_letter_waiting(r, DeadLetterReason::shutdown, "why"), 1u);
  EXPECT_EQ(dead_.last_attempts, 1u);
  ASSERT_EQ(dead_.last_history.size(), 1u);
  EXPECT_EQ(dead_.last_history[0].receiver, "r0");
}

TEST_F(DispatcherTest, ReusesIdsWithoutInheritance) {
  const ReceiverId r = add(a_, at_least_once());
  deliver(r, "1");
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  dispatcher_.remove_receiver(r, kStart);
  EXPECT_THAT(dead_.letters, ElementsAre("receiver_ended 1 r0"));
  EXPECT_EQ(add(b_, at_least_once()), r);
  deliver(r, "2", 10s);
  dispatcher_.on_time(kStart + 30s);  // the deadline of the former one
  EXPECT_THAT(b_.attempts, ElementsAre(1u));
  EXPECT_EQ(dispatcher_.counters(r).delivered, 1u);
}

}  // namespace
}  // namespace tenon::message
