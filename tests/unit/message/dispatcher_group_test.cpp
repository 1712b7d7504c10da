// Queue groups: one queue, several members.
#include "unit/message/dispatcher_rig.hpp"

namespace tenon::message {
namespace {

using namespace rig;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(DispatcherTest, GivesAGroupsEventToTheMemberWithTheFewestInFlight) {
  const ReceiverId a = add(a_, at_least_once()), b = add(b_, at_least_once());
  join(a), join(b);
  deliver(a, "own 1"), deliver(a, "own 2");
  EXPECT_EQ(to_group("1"), Verdict::delivered);
  EXPECT_EQ(to_group("2"), Verdict::delivered);
  EXPECT_THAT(b_.ids, ElementsAre("1", "2"));
  to_group("3"), to_group("4");
  EXPECT_THAT(a_.ids, SizeIs(3));
  EXPECT_THAT(b_.ids, SizeIs(3));
}

TEST_F(DispatcherTest, LetsEqualMembersTakeTurns) {
  const ReceiverId a = add(a_), b = add(b_), c = add(c_);
  join(a), join(b), join(c);
  for (int i = 0; i < 9; ++i) to_group(std::to_string(i));
  EXPECT_THAT(a_.ids, SizeIs(3));
  EXPECT_THAT(b_.ids, SizeIs(3));
  EXPECT_THAT(c_.ids, SizeIs(3));
}

TEST_F(DispatcherTest, GoesOnWithoutAMemberThatIsNotReady) {
  const ReceiverId a = add(a_), b = add(b_);
  join(a), join(b);
  dispatcher_.set_gate(a, Gate::waiting, kStart);
  to_group("1"), to_group("2");
  EXPECT_THAT(b_.ids, ElementsAre("1", "2"));
  EXPECT_EQ(dispatcher_.group_depth(0), 0u);
}

TEST_F(DispatcherTest, QueuesForAGroupAndTheFirstWithRoomTakesIt) {
  const ReceiverId a = add(a_), b = add(b_);
  join(a), join(b);
  a_.room = b_.room = 0;
  EXPECT_EQ(to_group("1"), Verdict::queued);
  EXPECT_EQ(to_group("2"), Verdict::queued);
  EXPECT_EQ(dispatcher_.group_depth(0), 2u);
  give_room(b_, b, 1);
  EXPECT_THAT(b_.ids, ElementsAre("1"));
  give_room(a_, a, 1);
  EXPECT_THAT(a_.ids, ElementsAre("2"));
}

TEST_F(DispatcherTest, OffersToTheOthersWhenTheLeastBusyTurnsOutFull) {
  const ReceiverId a = add(a_), b = add(b_);
  join(a), join(b);
  a_.room = 0;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(to_group(std::to_string(i)), Verdict::delivered);
  EXPECT_THAT(b_.ids, SizeIs(4));
}

TEST_F(DispatcherTest, ReturnsAGroupsUnsettledEventsToTheGroup) {
  const ReceiverId a = add(a_, at_least_once());
  join(a);
  to_group("1"), to_group("2");
  const ReceiverId b = add(b_, at_least_once());
  join(b);
  dispatcher_.set_gate(a, Gate::waiting, kStart);
  dispatcher_.detach(a, {}, kStart);
  EXPECT_THAT(b_.ids, ElementsAre("1", "2"));
  EXPECT_THAT(b_.attempts, ElementsAre(2u, 2u));
}

TEST_F(DispatcherTest, NeverGivesAMemberItsOwnEvent) {
  const ReceiverId a = add(a_), b = add(b_);
  join(a), join(b);
  for (int i = 0; i < 4; ++i) to_group(std::to_string(i), a);
  EXPECT_THAT(a_.ids, IsEmpty());
  EXPECT_THAT(b_.ids, SizeIs(4));
  dispatcher_.set_gate(b, Gate::waiting, kStart);
  EXPECT_EQ(to_group("waits", a), Verdict::queued);
  dispatcher_.outlet_has_room(a, kStart);
  EXPECT_THAT(a_.ids, IsEmpty());
  dispatcher_.set_gate(b, Gate::open, kStart);
  EXPECT_EQ(b_.ids.back(), "waits");
}

TEST_F(DispatcherTest, DoesNotHoldUpAMemberForItsOwnEventsThatWaitForOthers) {
  const ReceiverId a = add(a_), b = add(b_);
  join(a), join(b);
  dispatcher_.set_gate(b, Gate::waiting, kStart);
  to_group("a's own", a);
  EXPECT_EQ(to_group("somebody's"), Verdict::queued);  // by way of the queue
  EXPECT_THAT(a_.ids, ElementsAre("somebody's"));
  EXPECT_EQ(dispatcher_.group_depth(0), 1u);
}

TEST_F(DispatcherTest, AsksTheOthersWhenTheLeastBusyHasTheIdInFlight) {
  const ReceiverId a = add(a_, at_least_once()), b = add(b_, at_least_once());
  join(a), join(b);
  deliver(b, "x"), deliver(b, "y");
  EXPECT_EQ(to_group("1"), Verdict::delivered);  // to a
  EXPECT_EQ(to_group("1"), Verdict::delivered);  // a has it: to b
  EXPECT_THAT(a_.ids, ElementsAre("1"));
  EXPECT_THAT(b_.ids, ElementsAre("x", "y", "1"));
  EXPECT_EQ(to_group("1"), Verdict::queued);
  EXPECT_EQ(to_group("2"), Verdict::queued);  // order: behind the first
  dispatcher_.settle(b, "1", kStart);
  EXPECT_THAT(b_.ids, ElementsAre("x", "y", "1", "1", "2"));
}

TEST_F(DispatcherTest, GivesWaitingEventsToANewMember) {
  const ReceiverId a = add(a_);
  join(a);
  a_.room = 0;
  to_group("1");
  const ReceiverId b = add(b_);
  join(b);
  EXPECT_THAT(b_.ids, ElementsAre("1"));
}

TEST_F(DispatcherTest, DeadLettersAGroupsQueueWhenItsLastLiveMemberEnds) {
  const ReceiverId a = add(a_), b = add(b_);
  join(a), join(b);
  a_.room = b_.room = 0;
  to_group("1"), to_group("2");
  dispatcher_.set_gate(a, Gate::ended, kStart);
  EXPECT_THAT(dead_.letters, IsEmpty());
  dispatcher_.leave_group(b, 0, kStart);
  EXPECT_THAT(dead_.letters, ElementsAre("receiver_ended 1 g0", "receiver_ended 2 g0"));
  EXPECT_EQ(to_group("3"), Verdict::dead_lettered);
}

TEST_F(DispatcherTest, KeepsAGroupsQueueWhileAMemberWasOnlyStopped) {
  const ReceiverId a = add(a_), b = add(b_);
  join(a), join(b);
  a_.room = b_.room = 0;
  to_group("1"), to_group("2", a);
  dispatcher_.set_gate(a, Gate::stopped, kStart);
  dispatcher_.set_gate(b, Gate::ended, kStart);
  EXPECT_THAT(dead_.letters, ElementsAre("receiver_ended 2 g0")) << "only its sender is left";
  EXPECT_EQ(to_group("3"), Verdict::dead_lettered);
  a_.room = 10;
  dispatcher_.outlet_has_room(a, kStart);
  dispatcher_.set_gate(a, Gate::open, kStart);
  EXPECT_THAT(a_.ids, ElementsAre("1"));
}

TEST_F(DispatcherTest, DoesNotTakeANewReceiverForTheOldOneOfItsNumber) {
  const ReceiverId a = add(a_), b = add(b_);
  join(a), join(b);
  b_.room = 0;
  to_group("1", a);
  dispatcher_.remove_receiver(a, kStart);
  const ReceiverId next = add(c_);
  ASSERT_EQ(next, a);
  join(next);
  EXPECT_THAT(c_.ids, ElementsAre("1")) << "it has not sent that";
}

TEST_F(DispatcherTest, DeadLettersAnEventForAGroupThatIsNoMore) {
  const ReceiverId a = add(a_);
  join(a);
  dispatcher_.leave_group(a, 0, kStart);
  EXPECT_EQ(to_group("1"), Verdict::dead_lettered);
  EXPECT_THAT(dispatcher_.group_members(0), IsEmpty());
}

TEST_F(DispatcherTest, ReturnsNothingToALaterGroupOfTheSameId) {
  const ReceiverId a = add(a_, at_least_once());
  join(a, 0);
  to_group("1");
  dispatcher_.leave_group(a, 0, kStart);  // while it has the event
  const ReceiverId b = add(b_, at_least_once());
  join(b, 0);
  dispatcher_.on_time(kStart + 30s);
  EXPECT_THAT(b_.ids, IsEmpty());
  EXPECT_THAT(a_.ids, ElementsAre("1", "1"));
}

TEST_F(DispatcherTest, DeadLettersWhatWaitsForAnybodyButItsSenderWhenOnlyThatIsLeft) {
  const ReceiverId a = add(a_), b = add(b_), c = add(c_);
  join(a), join(b), join(c);
  for (const ReceiverId id : {b, c}) dispatcher_.set_gate(id, Gate::waiting, kStart);
  to_group("1", a), to_group("2", a);
  dispatcher_.leave_group(b, 0, kStart);
  EXPECT_THAT(dead_.letters, IsEmpty());
  dispatcher_.set_gate(c, Gate::ended, kStart);
  EXPECT_THAT(dead_.letters, ElementsAre("receiver_ended 1 g0", "receiver_ended 2 g0"));
  EXPECT_THAT(a_.ids, IsEmpty());
  EXPECT_TRUE(dispatcher_.quiet());
}

TEST_F(DispatcherTest, TellsWaitingSendersWhenAGroupEnds) {
  const ReceiverId a = add(a_, {}, {.capacity = 1, .overflow = Overflow::block});
  join(a);
  a_.room = 0;
  to_group("1");
  EXPECT_EQ(to_group("2"), Verdict::would_block);
  dispatcher_.leave_group(a, 0, kStart);
  EXPECT_THAT(room_.told, ElementsAre(FullQueue{.group = 0}));
}

TEST_F(DispatcherTest, TakesTheLargestMailboxOfAGroupsMembers) {
  const ReceiverId a = add(a_, {}, {.capacity = 1}), b = add(b_, {}, {.capacity = 3});
  join(a), join(b);
  a_.room = b_.room = 0;
  for (const char* id : {"1", "2", "3"}) EXPECT_EQ(to_group(id), Verdict::queued);
  EXPECT_EQ(to_group("4"), Verdict::dead_lettered);
  EXPECT_THAT(dead_.letters, ElementsAre("mailbox_full 4 g0"));
}

TEST_F(DispatcherTest, ServesItsOwnQueueAndItsGroupsByAge) {
  const ReceiverId a = add(a_);
  join(a, 0), join(a, 1);
  dispatcher_.set_gate(a, Gate::waiting, kStart);
  to_group("2", kNoReceiver, 0, 2s);
  to_group("1", kNoReceiver, 1, 1s);
  deliver(a, "3", 3s);
  dispatcher_.set_gate(a, Gate::open, kStart + 4s);
  EXPECT_THAT(a_.ids, ElementsAre("1", "2", "3"));
}

}  // namespace
}  // namespace tenon::message
