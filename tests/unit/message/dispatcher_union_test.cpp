// Unions of groups, and receivers that closed their end.
#include "unit/message/dispatcher_rig.hpp"

namespace tenon::message {
namespace {

using namespace rig;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Unions : public DispatcherTest {
 protected:
  static constexpr GroupId kWide = 0, kExact = 1, kBoth = 2;
  void unite() {
    const GroupId parts[] = {kWide, kExact};
    dispatcher_.unite(kBoth, "g", parts);
  }
  Verdict to_both(std::string_view id, Duration at = {}) { return to_group(id, kNoReceiver, kBoth, at); }
};

TEST_F(Unions, GiveAnEventToTheLeastBusyMemberOfAllTheirParts) {
  const ReceiverId a = add(a_, at_least_once()), b = add(b_, at_least_once()), c = add(c_, at_least_once());
  join(a, kWide), join(b, kExact), join(c, kWide), join(c, kExact);
  unite();
  EXPECT_THAT(dispatcher_.group_members(kBoth), testing::UnorderedElementsAre(a, b, c));
  for (int i = 0; i < 9; ++i) EXPECT_EQ(to_both(std::to_string(i)), Verdict::delivered);
  EXPECT_THAT(a_.ids, SizeIs(3));
  EXPECT_THAT(b_.ids, SizeIs(3));
  EXPECT_THAT(c_.ids, SizeIs(3));
}

TEST_F(Unions, GoOnWithoutAMemberThatIsNotReady) {
  const ReceiverId a = add(a_), b = add(b_);
  join(a, kWide), join(b, kExact);
  unite();
  dispatcher_.set_gate(a, Gate::waiting, kStart);
  to_both("1"), to_both("2");
  EXPECT_THAT(b_.ids, ElementsAre("1", "2"));
  b_.room = 0;
  EXPECT_EQ(to_both("3"), Verdict::queued);
  dispatcher_.set_gate(a, Gate::open, kStart);
  EXPECT_THAT(a_.ids, ElementsAre("3")) << "the first to have room, whichever part it is of";
}

TEST_F(Unions, FollowWhoJoinsAndLeavesTheirParts) {
  const ReceiverId a = add(a_), b = add(b_), c = add(c_);
  join(a, kWide), join(b, kExact);
  unite();
  a_.room = b_.room = 0;
  to_both("1");
  join(c, kExact);
  EXPECT_THAT(c_.ids, ElementsAre("1"));
  join(c, kWide);
  dispatcher_.leave_group(c, kExact, kStart);
  EXPECT_THAT(dispatcher_.group_members(kBoth), testing::UnorderedElementsAre(a, b, c)) << "still of the other part";
  dispatcher_.leave_group(c, kWide, kStart);
  EXPECT_THAT(dispatcher_.group_members(kBoth), testing::UnorderedElementsAre(a, b));
  dispatcher_.remove_receiver(a, kStart);
  dispatcher_.remove_receiver(b, kStart);
  EXPECT_FALSE(dispatcher_.has_group(kBoth));
  EXPECT_TRUE(dispatcher_.groups_of(c).empty());
}

TEST_F(Unions, HandWhatWaitsAndWhatIsInFlightToTheGroupTheyBecome) {
  const ReceiverId a = add(a_, at_least_once(1)), b = add(b_, at_least_once(1));
  join(a, kWide), join(b, kExact);
  unite();
  to_both("1"), to_both("2");                  // one each
  to_group("3", kNoReceiver, kWide, 1s);       // for a alone
  EXPECT_EQ(to_both("4", 2s), Verdict::queued);
  dispatcher_.leave_group(b, kExact, kStart);  // with an event of the union in its hands
  dispatcher_.merge_groups(kBoth, kWide, kStart);
  EXPECT_FALSE(dispatcher_.has_group(kBoth));
  EXPECT_EQ(dispatcher_.group_depth(kWide), 2u);
  dispatcher_.detach(b, {}, kStart);           // its event returns to the group, marked
  ASSERT_EQ(a_.ids.size(), 1u);
  for (int i = 0; i < 4; ++i) dispatcher_.settle(a, a_.ids.back(), kStart);
  EXPECT_THAT(a_.ids, ElementsAre(a_.ids[0], b_.ids[0], "3", "4"));
  EXPECT_THAT(a_.attempts, ElementsAre(1u, 2u, 1u, 1u));
  EXPECT_TRUE(dispatcher_.quiet());
  EXPECT_THAT(dead_.letters, IsEmpty());
}

TEST_F(Unions, DeadLetterWhatWaitsWhenNobodyIsLeft) {
  const ReceiverId a = add(a_), b = add(b_);
  join(a, kWide), join(b, kExact);
  unite();
  a_.room = b_.room = 0;
  to_both("1");
  dispatcher_.set_gate(a, Gate::ended, kStart);
  EXPECT_THAT(dead_.letters, IsEmpty());
  dispatcher_.set_gate(b, Gate::ended, kStart);
  EXPECT_THAT(dead_.letters, ElementsAre("receiver_ended 1 g"));
}

// --- closed outlets ---

TEST_F(DispatcherTest, DoesNotCallAnOutletAgainThatSaidItIsClosed) {
  const ReceiverId r = add(a_);
  a_.refuse = OfferResult::closed;
  EXPECT_EQ(deliver(r, "1"), Verdict::dead_lettered);
  a_.refuse = OfferResult::taken;  // it would be taken now
  EXPECT_EQ(deliver(r, "2"), Verdict::dead_lettered);
  dispatcher_.outlet_has_room(r, kStart);
  EXPECT_THAT(a_.ids, IsEmpty());
  EXPECT_THAT(dead_.letters, ElementsAre("channel_closed 1 r0", "channel_closed 2 r0"));
  dispatcher_.detach(r, {}, kStart);
  dispatcher_.attach(r, a_);  // a new incarnation
  EXPECT_EQ(deliver(r, "3"), Verdict::delivered);
}

TEST_F(DispatcherTest, DeadLettersAllThatWaitsWhenItsOutletClosesInTheMiddle) {
  const ReceiverId r = add(a_);
  join(r);
  dispatcher_.set_gate(r, Gate::waiting, kStart);
  deliver(r, "1"), to_group("2"), deliver(r, "3");
  a_.refuse = OfferResult::closed;
  dispatcher_.set_gate(r, Gate::open, kStart);
  EXPECT_THAT(dead_.letters, testing::UnorderedElementsAre("channel_closed 1 r0", "channel_closed 2 r0",
                                                           "channel_closed 3 r0"));
  EXPECT_TRUE(dispatcher_.quiet());
}

TEST_F(DispatcherTest, GivesAGroupsEventToAnotherWhenTheOutletTurnsOutClosed) {
  const ReceiverId a = add(a_), b = add(b_);
  join(a), join(b);
  a_.refuse = OfferResult::closed;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(to_group(std::to_string(i)), Verdict::delivered);
  EXPECT_THAT(b_.ids, SizeIs(4));
  EXPECT_THAT(dead_.letters, IsEmpty());
  dispatcher_.set_gate(b, Gate::waiting, kStart);
  EXPECT_EQ(to_group("waits for b"), Verdict::queued);
  dispatcher_.set_gate(b, Gate::ended, kStart);
  EXPECT_THAT(dead_.letters, ElementsAre("channel_closed waits for b r0")) << "nobody is left who could be reached";
  EXPECT_EQ(to_group("late"), Verdict::dead_lettered);
}

TEST_F(DispatcherTest, TakesBackWhatAReceiverHadNotTakenWhenItClosesItsEnd) {
  const ReceiverId a = add(a_), b = add(b_);
  join(a), join(b);
  deliver(a, "own");
  dispatcher_.set_gate(b, Gate::waiting, kStart);
  to_group("shared");
  ASSERT_THAT(a_.ids, ElementsAre("own", "shared"));
  const MessageRef unsent[] = {MessageRef::copy(event("own"), budget_), MessageRef::copy(event("shared"), budget_)};
  dispatcher_.close_outlet(a, unsent, kStart);
  EXPECT_THAT(dead_.letters, ElementsAre("channel_closed own r0"));
  dispatcher_.set_gate(b, Gate::open, kStart);
  EXPECT_THAT(b_.ids, ElementsAre("shared"));
}

}  // namespace
}  // namespace tenon::message
