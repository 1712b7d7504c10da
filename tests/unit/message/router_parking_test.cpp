// Senders that wait because a receiver is full.
#include "unit/message/router_rig.hpp"

namespace tenon::message {
namespace {

using namespace rig;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(RouterTest, ParksASendersEventsInOrderUntilThereIsRoom) {
  const ReceiverId sender = add(a_, "sender"), slow = add(b_, "slow", kOneThenBlock), other = add(c_, "other");
  subscribe(slow, "t"), subscribe(other, "u");
  b_.room = 0;
  EXPECT_FALSE(publish(event("1"), worker(sender)).parked);
  EXPECT_TRUE(publish(event("2"), worker(sender)).parked);
  EXPECT_TRUE(publish(event("3", "u"), worker(sender)).parked);  // behind it, though its receiver has room
  EXPECT_THAT(c_.ids, IsEmpty());
  EXPECT_TRUE(router_.is_parked(sender));
  EXPECT_GT(router_.parked_bytes(sender), 0u);
  b_.room = 10;
  router_.dispatcher().outlet_has_room(slow, kStart);
  EXPECT_THAT(b_.ids, ElementsAre("1", "2"));
  EXPECT_THAT(c_.ids, ElementsAre("3"));
  EXPECT_THAT(events_.released, ElementsAre(sender));
  EXPECT_EQ(router_.parked_bytes(sender), 0u);
  EXPECT_EQ(budget_.used(), 0u);
  EXPECT_THAT(dead_.letters, IsEmpty());
}

TEST_F(RouterTest, TellsForWhomASenderWaits) {
  const ReceiverId sender = add(a_, "sender"), slow = add(b_, "slow", kOneThenBlock);
  subscribe(slow, "t", "pool");
  close(slow);
  publish(event("1"), worker(sender));
  EXPECT_FALSE(router_.parked(sender));
  publish(event("2"), worker(sender), 1s);
  publish(event("3"), worker(sender), 2s);
  const auto parked = router_.parked(sender);
  ASSERT_TRUE(parked);
  EXPECT_EQ(parked->receiver, "pool");
  EXPECT_FALSE(parked->event_limit);
  EXPECT_EQ(parked->events, 2u);
  EXPECT_EQ(parked->bytes, router_.parked_bytes(sender));
  EXPECT_EQ(parked->since, kStart + 1s);
  open(slow);
  EXPECT_FALSE(router_.parked(sender));
}

TEST_F(RouterTest, TellsWhetherASenderWaitsForTheLimitOfAllEvents) {
  const ReceiverId sender = add(a_, "sender"), slow = add(b_, "slow");
  subscribe(slow, "t");
  close(slow);
  publish(event("1"), worker(sender));
  budget_.set_limit(budget_.used());
  publish(event("2"), worker(sender));
  ASSERT_TRUE(router_.parked(sender));
  EXPECT_EQ(router_.parked(sender)->receiver, "slow");
  EXPECT_TRUE(router_.parked(sender)->event_limit);
}

TEST_F(RouterTest, GivesUpAfterTheTimeAndServesTheOthersAllTheSame) {
  const ReceiverId sender = add(a_, "sender"), slow = add(b_, "slow", kOneThenBlock), other = add(c_, "other");
  subscribe(slow, "t"), subscribe(other, "t");
  close(slow);
  publish(event("1"), worker(sender));
  publish(event("2"), worker(sender));
  EXPECT_THAT(c_.ids, ElementsAre("1"));
  EXPECT_EQ(router_.next_deadline(), kStart + 5s);
  pass(4s);
  EXPECT_THAT(dead_.letters, IsEmpty());
  pass(5s);
  EXPECT_THAT(dead_.letters, ElementsAre("blocked 2 slow"));
  EXPECT_THAT(c_.ids, ElementsAre("1", "2"));
  EXPECT_THAT(events_.released, ElementsAre(sender));
}

TEST_F(RouterTest, BlocksNobodyWhoCannotWait) {
  const ReceiverId slow = add(b_, "slow", kOneThenBlock);
  subscribe(slow, "t");
  close(slow);
  publish(event("1"));
  const PublishResult result = publish(event("2"));
  EXPECT_TRUE(result.blocked);
  EXPECT_FALSE(result.parked);
  EXPECT_THAT(dead_.letters, ElementsAre("blocked 2 slow"));
  EXPECT_EQ(router_.dispatcher().counters(slow).dropped, 1u);
}

TEST_F(RouterTest, EndsACycleOfSendersAtOnce) {
  const ReceiverId a = add(a_, "a", kOneThenBlock), b = add(b_, "b", kOneThenBlock);
  subscribe(a, "to.a"), subscribe(b, "to.b");
  a_.room = b_.room = 0;
  publish(event("1", "to.b"), worker(a)), publish(event("2", "to.a"), worker(b));
  EXPECT_TRUE(publish(event("3", "to.b"), worker(a)).parked);
  EXPECT_FALSE(publish(event("4", "to.a"), worker(b)).parked);
  EXPECT_THAT(dead_.letters, ElementsAre("blocked 4 a"));
  EXPECT_TRUE(router_.is_parked(a));
}

TEST_F(RouterTest, GivesUpEachParkedEventItsOwnTimeAfterItWasParked) {
  const ReceiverId sender = add(a_, "sender"), slow = add(b_, "slow", kOneThenBlock),
                   lazy = add(c_, "lazy", kOneThenBlock);
  subscribe(slow, "t"), subscribe(lazy, "t");
  close(slow), close(lazy);
  publish(event("0"), worker(sender));
  publish(event("1"), worker(sender));
  publish(event("2"), worker(sender), 1s);
  publish(event("3"), worker(sender), 3s);
  pass(5s);
  EXPECT_THAT(dead_.letters, ElementsAre("blocked 1 slow", "blocked 1 lazy")) << "one time for all its receivers";
  EXPECT_EQ(router_.next_deadline(), kStart + 6s);
  pass(6s);
  EXPECT_EQ(dead_.by_id["2"], 2);
  EXPECT_TRUE(router_.is_parked(sender));
  pass(8s);
  EXPECT_EQ(dead_.by_id["3"], 2);
  EXPECT_THAT(events_.released, ElementsAre(sender)) << "not three times five seconds";
}

TEST_F(RouterTest, GivesUpAllThatIsOverdueInOneGo) {
  const ReceiverId sender = add(a_, "sender"), slow = add(b_, "slow", kOneThenBlock);
  subscribe(slow, "t");
  close(slow);
  for (const char* id : {"0", "1", "2", "3"}) publish(event(id), worker(sender));
  pass(5s);
  EXPECT_THAT(dead_.letters, ElementsAre("blocked 1 slow", "blocked 2 slow", "blocked 3 slow"));
  EXPECT_FALSE(router_.is_parked(sender));
}

TEST_F(RouterTest, EndsACycleOfThreeSendersAtOnce) {
  const ReceiverId a = add(a_, "a", kOneThenBlock), b = add(b_, "b", kOneThenBlock), c = add(c_, "c", kOneThenBlock);
  subscribe(a, "to.a"), subscribe(b, "to.b"), subscribe(c, "to.c");
  a_.room = b_.room = c_.room = 0;
  for (const char* topic : {"to.a", "to.b", "to.c"}) publish(event("fill", topic));
  EXPECT_TRUE(publish(event("1", "to.b"), worker(a)).parked);
  EXPECT_TRUE(publish(event("2", "to.c"), worker(b)).parked);
  EXPECT_FALSE(publish(event("3", "to.a"), worker(c)).parked);
  EXPECT_THAT(dead_.letters, ElementsAre("blocked 3 a"));
  EXPECT_TRUE(router_.is_parked(a));
  EXPECT_TRUE(router_.is_parked(b));
  EXPECT_FALSE(router_.is_parked(c)) << "it goes on, and so can the others";
  c_.room = 10;
  router_.dispatcher().outlet_has_room(c, kStart);
  EXPECT_THAT(events_.released, ElementsAre(b));
}

TEST_F(RouterTest, EndsACycleThatTheNextParkedEventMakes) {
  const ReceiverId a = add(a_, "a", kOneThenBlock), b = add(b_, "b", kOneThenBlock), c = add(c_, "c", kOneThenBlock);
  subscribe(a, "to.a"), subscribe(b, "to.b"), subscribe(c, "to.c");
  a_.room = b_.room = c_.room = 0;
  for (const char* topic : {"to.a", "to.b", "to.c"}) publish(event("fill", topic));
  publish(event("1", "to.c"), worker(a)), publish(event("2", "to.b"), worker(a));
  EXPECT_TRUE(publish(event("3", "to.a"), worker(b)).parked);
  c_.room = 10;
  router_.dispatcher().outlet_has_room(c, kStart);  // now a waits for b, which waits for a
  EXPECT_THAT(dead_.letters, ElementsAre("blocked 2 b"));
  EXPECT_THAT(events_.released, ElementsAre(a));
}

TEST_F(RouterTest, EndsACycleThatTheEndOfAGroupsMemberMakes) {
  for (const bool leaves : {false, true}) {
    dead_.letters.clear();
    const ReceiverId a = add(a_, "a", kOneThenBlock), b = add(b_, "b", kOneThenBlock), c = add(c_, "c", kOneThenBlock);
    subscribe(a, "to.a"), subscribe(b, "g", "g"), subscribe(c, "g", "g");
    a_.room = b_.room = c_.room = 0;
    publish(event("fill a", "to.a")), publish(event("fill g", "g"));
    EXPECT_TRUE(publish(event("1", "to.a"), worker(b)).parked);
    EXPECT_TRUE(publish(event("2", "g"), worker(a)).parked);  // c could still make room
    if (leaves) router_.unsubscribe(c, "g", "g");
    else router_.dispatcher().set_gate(c, Gate::ended, kStart);
    EXPECT_THAT(dead_.letters, ElementsAre("blocked 2 g"));
    EXPECT_FALSE(router_.is_parked(a));
    for (const ReceiverId id : {a, b, c}) router_.forget_receiver(id, kStart);
  }
}

TEST_F(RouterTest, StopsTheAckClockOfAParkedSender) {
  const ReceiverId sender = add(a_, "sender", {}, at_least_once()), slow = add(b_, "slow", kOneThenBlock);
  subscribe(sender, "work"), subscribe(slow, "t");
  close(slow);
  publish(event("job", "work"));
  publish(event("1"), worker(sender), 28s);
  publish(event("2"), worker(sender), 28s);
  pass(31s);  // past the ack_timeout: what it says may lie unread
  EXPECT_THAT(a_.ids, ElementsAre("job"));
  pass(33s);  // its event is given up
  EXPECT_THAT(events_.released, ElementsAre(sender));
  EXPECT_THAT(a_.ids, ElementsAre("job"));
  EXPECT_EQ(router_.next_deadline(), kStart + 35s) << "the two seconds that were left";
  pass(35s);
  EXPECT_THAT(a_.ids, ElementsAre("job", "job"));
}

TEST_F(RouterTest, TellsAParkedSenderWhatIsRejectedLater) {
  const ReceiverId sender = add(a_, "sender"), slow = add(b_, "slow", kOneThenBlock);
  const ReceiverId strict = add(c_, "strict", kOneThenReject);
  subscribe(slow, "t"), subscribe(strict, "u");
  close(slow), close(strict);
  publish(event("0"), telling(sender)), publish(event("1"), telling(sender));
  publish(event("2", "u"), telling(sender)), publish(event("3", "u"), telling(sender));
  EXPECT_THAT(refusals_.told, IsEmpty());
  open(slow);
  EXPECT_THAT(refusals_.told, ElementsAre("rejected 3 strict"));
}

TEST_F(RouterTest, TellsNobodyOfTheEventsOfASenderThatIsGone) {
  const ReceiverId sender = add(a_, "sender"), slow = add(b_, "slow", kOneThenBlock);
  const ReceiverId strict = add(c_, "strict", kOneThenReject);
  subscribe(slow, "t"), subscribe(strict, "u");
  close(slow), close(strict);
  publish(event("0"), telling(sender)), publish(event("1"), telling(sender));
  publish(event("2", "u"), telling(sender)), publish(event("3", "u"), telling(sender));
  router_.forget_receiver(sender, kStart);
  open(slow);
  EXPECT_THAT(dead_.letters, ElementsAre("rejected 3 strict"));
  EXPECT_THAT(refusals_.told, IsEmpty());
}

TEST_F(RouterTest, ServesAParkedEventThroughTheGroupThatAUnionBecame) {
  const ReceiverId sender = add(a_, "sender"), b = add(b_, "b", kOneThenBlock), c = add(c_, "c", kOneThenBlock);
  subscribe(b, "a.*", "g"), subscribe(c, "a.b", "g");
  close(b), close(c);
  publish(event("1", "a.b"), worker(sender));
  EXPECT_TRUE(publish(event("2", "a.b"), worker(sender)).parked);
  router_.unsubscribe(c, "a.b", "g");
  EXPECT_TRUE(router_.is_parked(sender));
  open(b);
  EXPECT_THAT(b_.ids, ElementsAre("1", "2"));
  EXPECT_THAT(dead_.letters, IsEmpty());
  EXPECT_THAT(events_.released, ElementsAre(sender));
}

TEST_F(RouterTest, SeesACycleThroughAGroupOnlyIfAllItsMembersWait) {
  const ReceiverId a = add(a_, "a", kOneThenBlock), b = add(b_, "b", kOneThenBlock), c = add(c_, "c", kOneThenBlock);
  subscribe(a, "to.a"), subscribe(b, "g", "g"), subscribe(c, "g", "g");
  a_.room = b_.room = c_.room = 0;
  publish(event("fill a", "to.a")), publish(event("fill g", "g"));
  EXPECT_TRUE(publish(event("1", "to.a"), worker(b)).parked);
  EXPECT_TRUE(publish(event("2", "g"), worker(a)).parked);  // c could still make room
  EXPECT_FALSE(publish(event("3", "to.a"), worker(c)).parked);
  EXPECT_THAT(dead_.letters, ElementsAre("blocked 3 a"));
}

TEST_F(RouterTest, FindsLargeCyclesThroughGroupsWithoutTryingEveryPath) {
  // Layers of three, each waiting for the whole next layer: 3 to the power of 20 paths.
  constexpr int kLayers = 20;
  std::vector<std::unique_ptr<FakeOutlet>> outlets;
  std::vector<std::array<ReceiverId, 3>> layers(kLayers);
  for (int layer = 0; layer < kLayers; ++layer)
    for (int i = 0; i < 3; ++i) {
      outlets.push_back(std::make_unique<FakeOutlet>());
      outlets.back()->room = 0;
      layers[layer][i] = add(*outlets.back(), "w", kOneThenBlock);
      subscribe(layers[layer][i], "layer." + std::to_string(layer), "g");
    }
  for (int layer = 0; layer < kLayers; ++layer) publish(event("fill", "layer." + std::to_string(layer)));
  for (int layer = kLayers - 1; layer > 0; --layer)
    for (const ReceiverId id : layers[layer - 1])
      EXPECT_TRUE(publish(event("x", "layer." + std::to_string(layer)), worker(id)).parked);
  // The last layer closes the circle: its first two members may wait, the third would leave nobody to make room.
  EXPECT_TRUE(publish(event("y", "layer.0"), worker(layers[kLayers - 1][0])).parked);
  EXPECT_TRUE(publish(event("y", "layer.0"), worker(layers[kLayers - 1][1])).parked);
  EXPECT_FALSE(publish(event("y", "layer.0"), worker(layers[kLayers - 1][2])).parked);
}

TEST_F(RouterTest, ReleasesSendersOfAReceiverThatIsForgotten) {
  const ReceiverId sender = add(a_, "sender"), slow = add(b_, "slow", kOneThenBlock);
  subscribe(slow, "t");
  b_.room = 0;
  publish(event("1"), worker(sender)), publish(event("2"), worker(sender)), publish(event("3"), worker(sender));
  router_.forget_receiver(slow, kStart);
  EXPECT_FALSE(router_.is_parked(sender));
  EXPECT_THAT(dead_.letters, testing::UnorderedElementsAre("receiver_ended 1 slow", "receiver_ended 2 slow",
                                                           "no_receiver 3 "));
  EXPECT_TRUE(router_.quiet());
}

TEST_F(RouterTest, DoesNotServeALaterGroupOfTheSameIdWithParkedEvents) {
  const ReceiverId sender = add(a_, "sender"), slow = add(b_, "slow", kOneThenBlock);
  subscribe(slow, "t", "g1"), subscribe(slow, "t", "g2");
  b_.room = 0;
  publish(event("1"), worker(sender));
  EXPECT_TRUE(publish(event("2"), worker(sender)).parked);  // waits for the first group; the second is still to come
  router_.unsubscribe(slow, "t", "g2");
  router_.unsubscribe(slow, "t", "g1");
  const ReceiverId stranger = add(c_, "stranger");
  subscribe(stranger, "u", "g3");  // takes a freed number
  pass(5s);
  EXPECT_THAT(c_.ids, IsEmpty());
  EXPECT_FALSE(router_.is_parked(sender));
  EXPECT_EQ(dead_.by_id["2"], 2);  // once a group
}

TEST_F(RouterTest, GoesOnWithTheEventsOfASenderThatIsForgotten) {
  const ReceiverId sender = add(a_, "sender"), slow = add(b_, "slow", kOneThenBlock);
  subscribe(slow, "t");
  b_.room = 0;
  publish(event("1"), worker(sender)), publish(event("2"), worker(sender)), publish(event("3"), worker(sender));
  router_.forget_receiver(sender, kStart);
  const ReceiverId next = add(c_, "next");
  EXPECT_EQ(next, sender);
  EXPECT_FALSE(router_.is_parked(next));  // a new sender of that number does not wait
  EXPECT_FALSE(router_.quiet());
  b_.room = 10;
  router_.dispatcher().outlet_has_room(slow, kStart);
  EXPECT_THAT(b_.ids, ElementsAre("1", "2", "3"));
  EXPECT_THAT(events_.released, IsEmpty());
  EXPECT_EQ(budget_.used(), 0u);
  router_.dispatcher().written_up_to(slow, b_.position, kStart);
  EXPECT_TRUE(router_.quiet());
}

TEST_F(RouterTest, LetsSendersGoOnWhenOtherQueuesFreedTheMemory) {
  const std::size_t one = MessageRef::cost(event("1"));
  budget_.set_limit(4 * one);
  const ReceiverId sender = add(a_, "sender"), full = add(b_, "full"), keeps = add(c_, "keeps", {}, at_least_once());
  subscribe(full, "t"), subscribe(keeps, "u");
  close(full);
  for (const char* id : {"1", "2", "3", "4"}) publish(event(id));
  EXPECT_TRUE(publish(event("5", "u"), worker(sender)).parked);
  EXPECT_EQ(router_.next_deadline(), kStart + 1s) << "whether the limit is still reached";
  open(full);  // its queue empties; nothing ever left the queue that the sender waits for
  EXPECT_LE(*router_.next_deadline(), kStart);
  pass(1s);
  EXPECT_THAT(c_.ids, ElementsAre("5"));
  EXPECT_THAT(events_.released, ElementsAre(sender));
  EXPECT_THAT(dead_.letters, IsEmpty());
}

TEST_F(RouterTest, CallsItTheMemorysFaultWhenItIs) {
  budget_.set_limit(MessageRef::cost(event("1")));
  const ReceiverId full = add(b_, "full");
  subscribe(full, "t");
  close(full);
  publish(event("1"));
  publish(event("2"));
  EXPECT_THAT(dead_.letters, ElementsAre("memory_limit 2 full"));
}

TEST_F(RouterTest, DeadLettersAllThatWaitsWhenTheHostEnds) {
  const ReceiverId sender = add(a_, "sender"), full = add(b_, "full", kOneThenBlock);
  const ReceiverId keeps = add(c_, "keeps", {}, at_least_once(1));
  subscribe(full, "t"), subscribe(keeps, "u"), subscribe(keeps, "v", "g");
  close(full);
  publish(event("queued"));
  for (const char* id : {"held", "next"}) publish(event(id, "u"));
  publish(event("grouped", "v"));
  for (const char* id : {"parked", "behind"}) publish(event(id), worker(sender));
  router_.give_up_all();
  EXPECT_THAT(dead_.letters,
              testing::UnorderedElementsAre("shutdown queued full", "shutdown held keeps", "shutdown next keeps",
                                            "shutdown grouped g", "shutdown parked ", "shutdown behind "));
  EXPECT_TRUE(router_.quiet());
  EXPECT_EQ(budget_.used() + router_.all_parked_bytes(), 0u);
}

// --- limits.events ---

constexpr std::size_t kLarge = 100'000;

class EventLimit : public RouterTest {
 protected:
  EventLimit() { budget_.set_limit(16 * kLarge); }
  // `id` with kLarge octets of data.
  Event large(std::string_view id, std::string_view topic = "t") {
    return event(Fields{.id = id, .topic = topic, .data = octets_});
  }
  void fill(ReceiverId sender, int events) {
    for (int i = 0; i < events; ++i) publish(large("fill " + std::to_string(i), "full"), worker(sender));
  }
  const std::string octets_ = std::string(kLarge, 'x');
};

TEST_F(EventLimit, DoesNotCountWhatWaitsForIt) {
  const ReceiverId sender = add(a_, "sender"), slow = add(b_, "slow", {}, at_least_once(1));
  subscribe(slow, "full");
  fill(sender, 40);
  EXPECT_GT(router_.parked_bytes(sender), budget_.limit());
  for (int i = 0; i < 40; ++i) router_.dispatcher().settle(slow, "fill " + std::to_string(i), kStart);
  for (Duration at = 0s; at <= 3s; at += 1s) pass(at);
  EXPECT_THAT(b_.ids, testing::SizeIs(40));
  EXPECT_THAT(dead_.letters, IsEmpty());
}

TEST_F(EventLimit, LetsOthersGoOnWhileADeadReceiverHoldsItAll) {
  const ReceiverId sender = add(a_, "sender"), dead = add(b_, "dead", {}, at_least_once(1));
  const ReceiverId other = add(c_, "other", {}, at_least_once(4));
  subscribe(dead, "full"), subscribe(other, "t");
  close(dead);
  const ReceiverId flood = add(a_, "flood");
  fill(flood, 18);
  ASSERT_TRUE(router_.is_parked(flood));
  for (const char* id : {"1", "2", "3"}) {
    EXPECT_FALSE(publish(large(id), worker(sender)).blocked);
    EXPECT_TRUE(router_.dispatcher().settle(other, id, kStart));
  }
  EXPECT_THAT(c_.ids, ElementsAre("1", "2", "3"));
  EXPECT_FALSE(router_.is_parked(sender));
}

TEST_F(EventLimit, MakesNoCycleOfSendersThatWaitForIt) {
  const ReceiverId dead = add(a_, "dead"), a = add(b_, "a"), b = add(c_, "b");
  subscribe(dead, "full"), subscribe(a, "to.a"), subscribe(b, "to.b");
  close(dead);
  b_.room = c_.room = 0;
  for (const char* topic : {"to.a", "to.b"}) publish(large("0", topic));
  fill(add(a_, "flood"), 16);
  EXPECT_TRUE(publish(large("1", "to.b"), worker(a)).parked);
  EXPECT_TRUE(publish(large("2", "to.a"), worker(b)).parked);
  EXPECT_THAT(dead_.letters, IsEmpty());
  open(dead);
  pass(1s);
  EXPECT_THAT(events_.released, testing::IsSupersetOf({a, b}));
}

TEST_F(EventLimit, HoldsOneCopyOfAnEventForAllItsReceivers) {
  std::deque<FakeOutlet> outlets(10);
  for (FakeOutlet& outlet : outlets) {
    const ReceiverId id = add(outlet, "r", {}, outlets.size() % 2 == 0 ? at_least_once() : DeliveryConfig{});
    subscribe(id, "t");
    if (&outlet != &outlets.front()) close(id);  // one holds it in its hands, the others in their mailboxes
  }
  EXPECT_EQ(publish(large("1")).receivers, 10u);
  EXPECT_EQ(budget_.used(), MessageRef::cost(large("1")));
}

TEST_F(EventLimit, IsToldWhenItIsReachedAndWhenThereIsRoomAgain) {
  const ReceiverId sender = add(a_, "sender"), slow = add(b_, "slow");
  subscribe(slow, "full");
  close(slow);
  fill(sender, 15);
  EXPECT_THAT(events_.limit, IsEmpty());
  fill(sender, 3);
  EXPECT_THAT(events_.limit, ElementsAre(true)) << "once, however many wait";
  pass(1s);
  EXPECT_THAT(events_.limit, ElementsAre(true));
  open(slow, 1s);
  EXPECT_LE(router_.next_deadline().value(), kStart + 2s);
  pass(2s);
  EXPECT_THAT(events_.limit, ElementsAre(true, false));
  EXPECT_FALSE(router_.next_deadline());
}

}  // namespace
}  // namespace tenon::message
