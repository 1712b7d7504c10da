// at_least_once: acknowledgement, redelivery, attempts.
#include "unit/message/dispatcher_rig.hpp"

namespace tenon::message {
namespace {

using namespace rig;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(DispatcherTest, KeepsAnEventUntilItIsSettled) {
  const ReceiverId r = add(a_, at_least_once());
  deliver(r, "1");
  EXPECT_GT(budget_.used(), 0u);
  dispatcher_.written_up_to(r, 10, kStart);
  EXPECT_EQ(dispatcher_.in_flight(r), 1u);
  EXPECT_FALSE(dispatcher_.settle(r, "other", kStart));
  EXPECT_TRUE(dispatcher_.settle(r, "1", kStart));
  EXPECT_FALSE(dispatcher_.settle(r, "1", kStart));
  EXPECT_EQ(budget_.used(), 0u);
  EXPECT_TRUE(dispatcher_.quiet());
}

TEST_F(DispatcherTest, HasAtMostSoManyInFlight) {
  const ReceiverId r = add(a_, at_least_once(2));
  EXPECT_EQ(deliver(r, "1"), Verdict::delivered);
  EXPECT_EQ(deliver(r, "2"), Verdict::delivered);
  EXPECT_EQ(deliver(r, "3"), Verdict::queued);
  dispatcher_.settle(r, "2", kStart);
  EXPECT_THAT(a_.ids, ElementsAre("1", "2", "3"));
}

TEST_F(DispatcherTest, RedeliversMarkedAfterTheTimeoutInTheOldOrder) {
  const ReceiverId r = add(a_, at_least_once());
  deliver(r, "1"), deliver(r, "2", 1s);
  EXPECT_EQ(dispatcher_.next_deadline(), kStart + 30s);
  dispatcher_.on_time(kStart + 29s);
  EXPECT_EQ(a_.ids.size(), 2u);
  dispatcher_.on_time(kStart + 31s);
  EXPECT_THAT(a_.ids, ElementsAre("1", "2", "1", "2"));
  EXPECT_THAT(a_.attempts, ElementsAre(1u, 1u, 2u, 2u));
  EXPECT_EQ(dispatcher_.counters(r).redelivered, 2u);
  EXPECT_EQ(dispatcher_.next_deadline(), kStart + 61s);
}

TEST_F(DispatcherTest, WatchesTheNextDeadlineAfterTheFirstWasSettled) {
  const ReceiverId r = add(a_, at_least_once());
  deliver(r, "1"), deliver(r, "2", 10s);
  dispatcher_.settle(r, "1", kStart + 11s);
  dispatcher_.on_time(kStart + 30s);
  EXPECT_THAT(a_.ids, ElementsAre("1", "2"));
  EXPECT_EQ(dispatcher_.next_deadline(), kStart + 40s);
  dispatcher_.on_time(kStart + 40s);
  EXPECT_THAT(a_.ids, ElementsAre("1", "2", "2"));
}

TEST_F(DispatcherTest, TellsWhoHadAnEventBeforeItWasGivenUpAndWhatCameOfIt) {
  const ReceiverId a = add(a_, at_least_once(1, 3)), b = add(b_, at_least_once(1, 3));
  join(a), join(b);
  dispatcher_.set_gate(b, Gate::waiting, kStart);
  to_group("1");
  dispatcher_.set_gate(a, Gate::waiting, kStart);
  dispatcher_.refuse(a, "1", kStart);
  dispatcher_.set_gate(b, Gate::open, kStart);
  dispatcher_.on_time(kStart + 30s);  // and b gets it again
  dispatcher_.set_wall_time(kWallStart + 31s);
  dispatcher_.detach(b, {}, kStart + 31s);
  ASSERT_THAT(dead_.letters, ElementsAre("attempts_exhausted 1 r1"));
  std::vector<std::string> ends;
  for (const DeliveryAttempt& attempt : dead_.last_history)
    ends.push_back(attempt.receiver + " " + std::string(to_string(attempt.end)));
  EXPECT_THAT(ends, ElementsAre("r0 nack", "r1 ack_timeout", "r1 exit"));
  EXPECT_EQ(dead_.last_history.back().ended, kWallStart + 31s);
}

TEST_F(DispatcherTest, KeepsTheLastOfManyAttempts) {
  const ReceiverId r = add(a_, at_least_once(1, 100));
  deliver(r, "1");
  for (int i = 1; i <= 100; ++i) dispatcher_.refuse(r, "1", kStart);
  EXPECT_THAT(dead_.letters, ElementsAre("attempts_exhausted 1 r0"));
  EXPECT_EQ(dead_.last_attempts, 100u);
  EXPECT_EQ(dead_.last_history.size(), kKeptAttempts);
}

TEST_F(DispatcherTest, UsesTheSpareRoomForAnEmptyQueueAndEmptyHandsAlone) {
  const std::size_t one = MessageRef::cost(event("10"));
  budget_.set_limit(16 * one);  // and two to spare
  const ReceiverId full = add(a_), r = add(b_, at_least_once()), s = add(c_, at_least_once());
  dispatcher_.set_gate(full, Gate::waiting, kStart);
  for (int i = 0; i < 16; ++i) ASSERT_EQ(deliver(full, std::to_string(10 + i)), Verdict::queued);
  EXPECT_EQ(deliver(full, "xx"), Verdict::would_block);
  EXPECT_EQ(deliver(r, "r1"), Verdict::delivered);
  EXPECT_EQ(deliver(r, "r2"), Verdict::queued);
  EXPECT_EQ(deliver(r, "r3"), Verdict::would_block);
  EXPECT_EQ(deliver(s, "s1"), Verdict::would_block) << "nothing is left to spare";
  EXPECT_EQ(budget_.used(), 18 * one);
  dispatcher_.settle(r, "r1", kStart);
  EXPECT_THAT(b_.ids, ElementsAre("r1", "r2"));
  EXPECT_EQ(deliver(s, "s1"), Verdict::delivered);
}

TEST_F(DispatcherTest, GivesWhatComesBackToThoseWhoStayedInTheGroup) {
  for (const bool refuses : {true, false}) {
    FakeOutlet leaver, stayer;
    const ReceiverId a = add(leaver, at_least_once()), b = add(stayer, at_least_once());
    join(a), join(b);
    dispatcher_.set_gate(b, Gate::waiting, kStart);
    to_group("1");
    dispatcher_.set_gate(b, Gate::open, kStart);
    ASSERT_THAT(leaver.ids, ElementsAre("1"));
    dispatcher_.leave_group(a, 0, kStart);
    if (refuses) dispatcher_.refuse(a, "1", kStart);
    else dispatcher_.detach(a, {}, kStart);
    EXPECT_THAT(stayer.ids, ElementsAre("1"));
    dispatcher_.remove_receiver(a, kStart), dispatcher_.remove_receiver(b, kStart);
    dead_.letters.clear();
  }
}

TEST_F(DispatcherTest, DeadLettersWhatComesBackToAGroupOfWhomNobodyIsLeft) {
  const ReceiverId a = add(a_, at_least_once()), b = add(b_, at_least_once());
  join(a), join(b);
  dispatcher_.set_gate(b, Gate::waiting, kStart);
  to_group("1");
  dispatcher_.leave_group(a, 0, kStart);
  dispatcher_.set_gate(b, Gate::ended, kStart);
  dispatcher_.detach(a, {}, kStart);
  EXPECT_THAT(dead_.letters, ElementsAre("receiver_ended 1 g0"));
}

TEST_F(DispatcherTest, GivesNobodyBackWhatItSent) {
  const ReceiverId sender = add(a_), b = add(b_, at_least_once()), c = add(c_);
  join(sender), join(b), join(c);
  dispatcher_.set_gate(c, Gate::waiting, kStart);
  to_group("acknowledged", sender);
  ASSERT_THAT(b_.ids, ElementsAre("acknowledged"));
  dispatcher_.set_gate(b, Gate::waiting, kStart), dispatcher_.set_gate(c, Gate::open, kStart);
  c_.room = 1;
  to_group("written", sender);
  ASSERT_THAT(c_.ids, ElementsAre("written"));
  const MessageRef unsent = MessageRef::copy(event("written"), budget_);
  dispatcher_.set_gate(c, Gate::waiting, kStart);
  dispatcher_.refuse(b, "acknowledged", kStart);
  dispatcher_.detach(c, {&unsent, 1}, kStart);
  EXPECT_THAT(a_.ids, IsEmpty());
  EXPECT_EQ(dispatcher_.group_depth(0), 2u);
  dispatcher_.set_gate(b, Gate::open, kStart);
  EXPECT_THAT(b_.ids, ElementsAre("acknowledged", "written", "acknowledged"));
}

TEST_F(DispatcherTest, ExpiresNothingOfAPausedReceiversOwnButWhatIsItsGroups) {
  const ReceiverId a = add(a_, at_least_once(16, 1)), b = add(b_, at_least_once());
  join(a), join(b);
  deliver(a, "own");
  dispatcher_.set_gate(b, Gate::waiting, kStart);
  to_group("grouped");
  dispatcher_.set_gate(b, Gate::open, kStart);
  dispatcher_.set_gate(a, Gate::paused, kStart);
  to_group("next");
  dispatcher_.on_time(kStart + 30s);
  dispatcher_.on_time(kStart + 60s);
  EXPECT_THAT(dead_.letters, ElementsAre("attempts_exhausted grouped r0"));
  EXPECT_THAT(b_.ids, ElementsAre("next", "next", "next"));
  dispatcher_.set_gate(a, Gate::open, kStart + 61s);
  EXPECT_TRUE(dispatcher_.settle(a, "own", kStart + 61s));
  EXPECT_THAT(a_.ids, ElementsAre("own", "grouped"));
}

TEST_F(DispatcherTest, GivesUpAfterTheLastAttempt) {
  const ReceiverId r = add(a_, at_least_once(16, 3));
  deliver(r, "1");
  for (int i = 1; i <= 3; ++i) dispatcher_.on_time(kStart + i * 30s);
  EXPECT_THAT(a_.attempts, ElementsAre(1u, 2u, 3u));
  EXPECT_THAT(dead_.letters, ElementsAre("attempts_exhausted 1 r0"));
  EXPECT_EQ(dead_.last_attempts, 3u);
  EXPECT_EQ(dead_.last_history.size(), 3u);
  EXPECT_TRUE(dispatcher_.quiet());
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(DispatcherTest, RedeliversARefusedEventAtOnce) {
  const ReceiverId r = add(a_, at_least_once());
  deliver(r, "1"), deliver(r, "2");
  EXPECT_TRUE(dispatcher_.refuse(r, "1", kStart));
  EXPECT_THAT(a_.ids, ElementsAre("1", "2", "1"));
  EXPECT_FALSE(dispatcher_.refuse(r, "3", kStart));
}

TEST_F(DispatcherTest, ReturnsUnsettledEventsWhenTheChannelEnds) {
  const ReceiverId r = add(a_, at_least_once());
  deliver(r, "1"), deliver(r, "2"), deliver(r, "3");
  dispatcher_.settle(r, "2", kStart);
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  dispatcher_.detach(r, {}, kStart);
  EXPECT_EQ(dispatcher_.in_flight(r), 0u);
  dispatcher_.attach(r, b_);
  dispatcher_.set_gate(r, Gate::open, kStart + 1s);
  EXPECT_THAT(b_.ids, ElementsAre("1", "3"));
  EXPECT_THAT(b_.attempts, ElementsAre(2u, 2u));
}

TEST_F(DispatcherTest, CountsNoAttemptForWhatTheWorkerNeverGot) {
  const ReceiverId r = add(a_, at_least_once(16, 1));
  deliver(r, "1"), deliver(r, "2");
  const MessageRef unsent[] = {MessageRef::copy(event("2"), budget_)};
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  dispatcher_.detach(r, unsent, kStart);
  EXPECT_THAT(dead_.letters, ElementsAre("attempts_exhausted 1 r0"));
  dispatcher_.attach(r, b_);
  dispatcher_.set_gate(r, Gate::open, kStart);
  EXPECT_THAT(b_.ids, ElementsAre("2"));
  EXPECT_THAT(b_.attempts, ElementsAre(1u));
}

TEST_F(DispatcherTest, LetsASecondEventOfOneIdWait) {
  const ReceiverId r = add(a_, at_least_once());
  EXPECT_EQ(deliver(r, "1"), Verdict::delivered);
  EXPECT_EQ(deliver(r, "1"), Verdict::queued);
  EXPECT_EQ(a_.ids.size(), 1u);
  dispatcher_.settle(r, "1", kStart);
  EXPECT_THAT(a_.ids, ElementsAre("1", "1"));
}

TEST_F(DispatcherTest, DoesNotHoldUpOtherQueuesForAnIdInFlight) {
  const ReceiverId r = add(a_, at_least_once());
  join(r);
  deliver(r, "1");
  deliver(r, "1");             // waits at the head of its own queue
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  to_group("2");
  dispatcher_.set_gate(r, Gate::open, kStart);
  EXPECT_THAT(a_.ids, ElementsAre("1", "2"));
}

TEST_F(DispatcherTest, RunsNoAckTimeoutWhileTheClockIsStopped) {
  const ReceiverId r = add(a_, at_least_once());
  deliver(r, "1");
  dispatcher_.stop_ack_clock(r, kStart + 10s);
  dispatcher_.stop_ack_clock(r, kStart + 20s);  // stopping twice is stopping once
  deliver(r, "2", 25s);                         // while it stands still
  dispatcher_.on_time(kStart + 30s);
  EXPECT_EQ(dispatcher_.next_deadline(), std::nullopt) << "nothing to wake up for";
  dispatcher_.on_time(kStart + 1000s);
  EXPECT_THAT(a_.ids, ElementsAre("1", "2"));
  dispatcher_.start_ack_clock(r, kStart + 1010s);
  EXPECT_EQ(dispatcher_.next_deadline(), kStart + 1030s);  // 20 of its 30 seconds are left
  dispatcher_.on_time(kStart + 1030s);
  EXPECT_THAT(a_.ids, ElementsAre("1", "2", "1"));
  dispatcher_.on_time(kStart + 1040s);
  EXPECT_THAT(a_.ids, ElementsAre("1", "2", "1", "2"));
  dispatcher_.start_ack_clock(r, kStart + 2000s);  // it runs
  dispatcher_.stop_ack_clock(1234, kStart);        // nobody
  dispatcher_.start_ack_clock(1234, kStart);
}

TEST_F(DispatcherTest, SettlesInAnyOrderAmongMany) {
  const ReceiverId r = add(a_, at_least_once(5000));
  for (int i = 0; i < 5000; ++i) deliver(r, std::to_string(i));
  for (int i = 4999; i >= 0; i -= 2) EXPECT_TRUE(dispatcher_.settle(r, std::to_string(i), kStart));
  for (int i = 0; i < 5000; i += 2) EXPECT_TRUE(dispatcher_.settle(r, std::to_string(i), kStart));
  EXPECT_TRUE(dispatcher_.quiet());
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(DispatcherTest, KeepsNothingBeyondTheLimitOfAllEvents) {
  budget_.set_limit(MessageRef::cost(event("1")));
  const ReceiverId r = add(a_, at_least_once());
  EXPECT_EQ(deliver(r, "1"), Verdict::delivered);
  EXPECT_EQ(deliver(r, "2"), Verdict::would_block);
  EXPECT_THAT(a_.ids, ElementsAre("1"));
  dispatcher_.settle(r, "1", kStart);
  EXPECT_TRUE(dispatcher_.has_room({.receiver = r}, MessageRef::cost(event("2"))));
  EXPECT_EQ(deliver(r, "2"), Verdict::delivered);
}

}  // namespace
}  // namespace tenon::message
