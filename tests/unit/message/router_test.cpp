// Whom an event reaches: subscribers, groups, targets; requests and answers.
#include "message/router.hpp"

#include "unit/message/router_rig.hpp"

namespace tenon::message {
namespace {

using namespace rig;
using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(RouterTest, ServesEverySubscriberAndOneMemberOfEachGroup) {
  const ReceiverId a = add(a_, "a"), b = add(b_, "b"), c = add(c_, "c");
  subscribe(a, "t"), subscribe(a, "*");
  subscribe(b, "t", "g"), subscribe(c, "t", "g");
  EXPECT_EQ(publish(event("1")).receivers, 2u);
  EXPECT_THAT(a_.ids, ElementsAre("1"));
  EXPECT_EQ(b_.ids.size() + c_.ids.size(), 1u);
}

TEST_F(RouterTest, GivesAProcessItsPlainAndItsGroupedSubscriptionOnceEach) {
  const ReceiverId a = add(a_, "a");
  subscribe(a, "t"), subscribe(a, ">"), subscribe(a, "t", "g"), subscribe(a, ">", "g");
  EXPECT_EQ(publish(event("1")).receivers, 2u);
  EXPECT_THAT(a_.ids, ElementsAre("1", "1"));
}

TEST_F(RouterTest, KeepsASendersEventsFromItselfUnlessItWantsThem) {
  const ReceiverId a = add(a_, "a");
  subscribe(a, "t"), subscribe(a, "t", "g");
  EXPECT_EQ(publish(event("1"), worker(a)).failed, DeadLetterReason::no_receiver);
  Publisher echo = worker(a);
  echo.echo = true;
  EXPECT_EQ(publish(event("2"), echo).receivers, 2u);
  EXPECT_THAT(a_.ids, ElementsAre("2", "2"));
}

TEST_F(RouterTest, AnObserverSeesAnEventOnceAndIsNoReceiverOfIt) {
  const ReceiverId watcher = router_.dispatcher().add_receiver({.name = "tail", .observer = true});
  router_.dispatcher().attach(watcher, a_);
  router_.dispatcher().set_gate(watcher, Gate::open, kStart);
  subscribe(watcher, ">");
  const PublishResult alone = publish(event("1"));
  EXPECT_EQ(alone.failed, DeadLetterReason::no_receiver);
  EXPECT_EQ(alone.receivers, 0u);
  EXPECT_THAT(dead_.letters, ElementsAre("no_receiver 1 "));
  const ReceiverId b = add(b_, "b", kOneThenBlock), c = add(c_, "c");
  subscribe(b, "t");
  EXPECT_EQ(publish(event("2")).receivers, 1u);
  b_.room = 0;
  publish(event("3"));
  EXPECT_TRUE(publish(event("4"), worker(c)).parked);
  b_.room = 10;
  router_.dispatcher().outlet_has_room(b, kStart);
  EXPECT_THAT(b_.ids, ElementsAre("2", "3", "4"));
  EXPECT_THAT(a_.ids, ElementsAre("1", "2", "3", "4")) << "also what waited for room with another";
}

TEST_F(RouterTest, DeadLettersWhatNobodyWantsButOnlyCountsTheHostsOwn) {
  EXPECT_EQ(publish(event("1")).failed, DeadLetterReason::no_receiver);
  EXPECT_EQ(publish(event("2", "system.alert")).failed, DeadLetterReason::no_receiver);
  EXPECT_THAT(dead_.letters, ElementsAre("no_receiver 1 "));
  EXPECT_EQ(router_.counters().no_receiver, 2u);
}

TEST_F(RouterTest, CountsEndedProcessesAsNoReceivers) {
  const ReceiverId a = add(a_, "a");
  subscribe(a, "t");
  router_.dispatcher().set_gate(a, Gate::ended, kStart);
  EXPECT_EQ(publish(event("1")).failed, DeadLetterReason::no_receiver);
  EXPECT_THAT(dead_.letters, ElementsAre("no_receiver 1 a"));
  EXPECT_THAT(dead_.details, ElementsAre(testing::HasSubstr("start it")));
}

TEST_F(RouterTest, ShowsObserversWhatGoesByTargetAndWhatAnswers) {
  const ReceiverId asker = add(a_, "asker"), server = add(b_, "server");
  const ReceiverId tail = router_.dispatcher().add_receiver({"tail", {}, {}, true});
  router_.dispatcher().attach(tail, c_);
  open(tail);
  subscribe(tail, ">"), router_.add_target("server", server);
  publish(event(Fields{.id = "q", .topic = "ask", .target = "server", .replyto = "inbox"}), worker(asker));
  publish(event(Fields{.id = "a", .topic = "inbox", .correlationid = "q"}), worker(server));
  EXPECT_THAT(c_.ids, ElementsAre("q", "a"));
  EXPECT_THAT(b_.ids, ElementsAre("q"));
  EXPECT_THAT(a_.ids, ElementsAre("a"));
}

TEST_F(RouterTest, TargetsAProcessByNameAndTheLeastBusyOfAFamily) {
  const ReceiverId a = add(a_, "a.1", {}, at_least_once()), b = add(b_, "a.2", {}, at_least_once());
  router_.add_target("a", a), router_.add_target("a", b), router_.add_target("a.1", a);
  publish(event(Fields{.id = "1", .target = "a.1"}));
  publish(event(Fields{.id = "2", .target = "a"}));
  EXPECT_THAT(a_.ids, ElementsAre("1"));
  EXPECT_THAT(b_.ids, ElementsAre("2"));
  router_.dispatcher().set_gate(b, Gate::ended, kStart);
  publish(event(Fields{.id = "3", .target = "a"}));
  EXPECT_EQ(a_.ids.back(), "3");
  EXPECT_EQ(publish(event(Fields{.id = "4", .target = "none"})).failed, DeadLetterReason::no_such_target);
  EXPECT_THAT(dead_.letters, ElementsAre("no_such_target 4 none"));
}

TEST_F(RouterTest, SaysOfATargetWithoutAChannelWhatItLacks) {
  router_.add_deaf_target("deaf");
  EXPECT_EQ(publish(event(Fields{.id = "1", .target = "deaf"})).failed, DeadLetterReason::no_such_target);
  EXPECT_THAT(dead_.letters, ElementsAre("no_such_target 1 deaf"));
  EXPECT_THAT(dead_.details, ElementsAre(testing::HasSubstr("no channel")));
}

TEST_F(RouterTest, IgnoresTheTargetOfAPublisherThatMayNotTarget) {
  const ReceiverId a = add(a_, "a"), b = add(b_, "b");
  router_.add_target("a", a);
  subscribe(b, "t");
  publish(event(Fields{.id = "1", .target = "a"}), {.name = "bus", .may_target = false});
  EXPECT_THAT(a_.ids, IsEmpty());
  EXPECT_THAT(b_.ids, ElementsAre("1"));
}

TEST_F(RouterTest, DropsExpiredEvents) {
  const ReceiverId a = add(a_, "a");
  subscribe(a, "t");
  EXPECT_EQ(publish(event(Fields{.id = "1", .expirytime = "2023-11-14T22:13:20Z"})).failed, DeadLetterReason::expired);
  EXPECT_EQ(publish(event(Fields{.id = "2", .expirytime = "2023-11-14T22:13:21Z"})).receivers, 1u);
  EXPECT_EQ(publish(event(Fields{.id = "3", .expirytime = "soon"})).receivers, 1u);  // illegible: never expires
}

TEST_F(RouterTest, BringsTheFirstAnswerToTheAskerWithItsOwnCorrelation) {
  const ReceiverId asker = add(a_, "asker"), worker_id = add(b_, "worker", {}, at_least_once());
  subscribe(worker_id, "ask");
  publish(event(Fields{.id = "q", .topic = "ask", .replyto = "inbox", .correlationid = "mine"}), worker(asker));
  EXPECT_THAT(b_.ids, ElementsAre("q"));
  EXPECT_EQ(router_.dispatcher().in_flight(worker_id), 1u);
  EXPECT_EQ(publish(event(Fields{.id = "answer", .topic = "inbox", .correlationid = "q"}), worker(worker_id)).receivers,
            1u);
  EXPECT_EQ(router_.dispatcher().in_flight(worker_id), 0u);  // answering settles
  EXPECT_THAT(a_.ids, ElementsAre("answer"));
  EXPECT_THAT(a_.correlations, ElementsAre("mine"));
  EXPECT_EQ(publish(event(Fields{.id = "second", .topic = "inbox", .correlationid = "q"}), worker(worker_id)).failed,
            DeadLetterReason::late_reply);
  EXPECT_EQ(router_.counters().answers, 1u);
}

TEST_F(RouterTest, GivesAnAnswerTheRequestsIdWhereTheAskerHadNoCorrelation) {
  const ReceiverId asker = add(a_, "asker"), worker_id = add(b_, "worker");
  subscribe(worker_id, "ask");
  publish(event(Fields{.id = "q", .topic = "ask", .replyto = "inbox"}), worker(asker));
  publish(event(Fields{.id = "answer", .topic = "inbox", .correlationid = "q"}), worker(worker_id));
  EXPECT_THAT(a_.correlations, ElementsAre("q"));
}

TEST_F(RouterTest, AnswersAskersThatAreNoReceivers) {
  const ReceiverId worker_id = add(b_, "worker");
  subscribe(worker_id, "ask");
  publish(event(Fields{.id = "q", .topic = "ask", .replyto = "inbox"}), {.name = "api", .asker_token = 77});
  publish(event(Fields{.id = "answer", .topic = "inbox", .correlationid = "q"}), worker(worker_id));
  EXPECT_THAT(events_.answers, ElementsAre("77 answer q"));
}

TEST_F(RouterTest, TellsTheAskerOfATimeoutAndCallsTheAnswerLate) {
  const ReceiverId asker = add(a_, "asker"), worker_id = add(b_, "worker");
  subscribe(worker_id, "ask");
  publish(event(Fields{.id = "q", .topic = "ask", .replyto = "inbox"}), worker(asker));
  publish(event(Fields{.id = "sooner", .topic = "ask", .replyto = "inbox", .expirytime = "2023-11-14T22:13:25Z"}),
          worker(asker));
  EXPECT_EQ(router_.next_deadline(), kStart + 5s);
  pass(5s);
  EXPECT_THAT(events_.timeouts, ElementsAre("sooner"));
  pass(30s);
  EXPECT_THAT(events_.timeouts, ElementsAre("sooner", "q"));
  publish(event(Fields{.id = "answer", .topic = "inbox", .correlationid = "q"}), worker(worker_id), 31s);
  EXPECT_THAT(dead_.letters, ElementsAre("late_reply answer "));
}

TEST_F(RouterTest, TellsTheAskerOfATimeoutEvenIfItsRequestReachedNobody) {
  const ReceiverId asker = add(a_, "asker");
  publish(event(Fields{.id = "q", .topic = "ask", .replyto = "inbox"}), worker(asker));
  publish(event(Fields{.id = "r", .topic = "ask", .target = "nobody", .replyto = "inbox"}), worker(asker));
  EXPECT_THAT(dead_.letters, ElementsAre("no_receiver q ", "no_such_target r nobody"));
  EXPECT_THAT(events_.timeouts, IsEmpty());
  pass(30s);
  EXPECT_THAT(events_.timeouts, ElementsAre("q", "r"));
  EXPECT_TRUE(router_.quiet());
}

TEST_F(RouterTest, TellsTheAskerAtOnceOfARequestThatHadExpired) {
  const ReceiverId asker = add(a_, "asker");
  const Fields request{.id = "q", .topic = "ask", .replyto = "inbox", .expirytime = "2020-01-01T00:00:00Z"};
  publish(event(request), worker(asker));
  EXPECT_THAT(events_.timeouts, ElementsAre("q"));
  publish(event(request), {.name = "api", .asker_token = 77});
  EXPECT_THAT(events_.timeouts, ElementsAre("q")) << "the API has the result";
  EXPECT_TRUE(router_.quiet());
}

TEST_F(RouterTest, WithdrawsARequestFromOutsideThatReachesNobody) {
  publish(event(Fields{.id = "q", .topic = "ask", .replyto = "inbox"}), {.name = "api", .asker_token = 77});
  EXPECT_THAT(dead_.letters, ElementsAre("no_receiver q "));
  EXPECT_TRUE(router_.quiet());
}

TEST_F(RouterTest, KeepsNoRequestOpenLongerThanADay) {
  const ReceiverId asker = add(a_, "asker"), worker_id = add(b_, "worker");
  subscribe(worker_id, "ask");
  publish(event(Fields{.id = "q", .topic = "ask", .replyto = "inbox", .expirytime = "2262-01-01T00:00:00Z"}),
          worker(asker));
  EXPECT_EQ(router_.next_deadline(), kStart + 24h);
}

TEST_F(RouterTest, RefusesASecondRequestOfTheSameId) {
  const ReceiverId asker = add(a_, "asker"), worker_id = add(b_, "worker");
  subscribe(worker_id, "ask");
  const Event request = event(Fields{.id = "q", .topic = "ask", .replyto = "inbox"});
  publish(request, worker(asker));
  EXPECT_EQ(publish(request, telling(asker)).failed, DeadLetterReason::duplicate_request);
  EXPECT_THAT(dead_.letters, ElementsAre("duplicate_request q "));
  EXPECT_THAT(dead_.details.back(), testing::HasSubstr("its own id"));
  EXPECT_THAT(refusals_.told, ElementsAre("duplicate_request q "));
  EXPECT_THAT(refusals_.details.back(), testing::HasSubstr("its own id"));
  EXPECT_EQ(router_.requests().pending(), 1u) << "the first one waits on";
}

TEST_F(RouterTest, RefusesARequestWhoseTextsAreTooLong) {
  const ReceiverId asker = add(a_, "asker");
  const std::string id(RequestTable::kMaxTexts, 'x');
  publish(event(Fields{.id = id, .topic = "ask", .replyto = "inbox"}), telling(asker));
  EXPECT_THAT(refusals_.told, ElementsAre("too_large " + id + " "));
}

// --- mailboxes that reject ---

TEST_F(RouterTest, TellsTheSenderWhichReceiverRejectedItsEvent) {
  const ReceiverId sender = add(a_, "sender"), full = add(b_, "full", kOneThenReject), other = add(c_, "other");
  subscribe(full, "t"), subscribe(other, "t");
  close(full);
  publish(event("1"), telling(sender));
  EXPECT_THAT(refusals_.told, IsEmpty());
  const PublishResult result = publish(event("2"), telling(sender));
  EXPECT_EQ(result.receivers, 1u);
  EXPECT_TRUE(result.blocked);
  EXPECT_EQ(result.failed, std::nullopt) << "somebody got it";
  EXPECT_THAT(refusals_.told, ElementsAre("rejected 2 full"));
  EXPECT_THAT(refusals_.details.back(), testing::HasSubstr("mailbox of full is full"));
  EXPECT_THAT(dead_.letters, ElementsAre("rejected 2 full"));
  EXPECT_EQ(router_.dispatcher().counters(full).rejected, 1u);
  EXPECT_EQ(router_.dispatcher().counters(full).dropped, 1u);
  EXPECT_EQ(router_.counters().rejected, 1u);
}

TEST_F(RouterTest, SaysThatAnEventFailedWhichAllReceiversRejected) {
  const ReceiverId full = add(b_, "full", kOneThenReject);
  subscribe(full, "t", "g");
  close(full);
  publish(event("1"));
  const PublishResult result = publish(event("2"));
  EXPECT_EQ(result.failed, DeadLetterReason::rejected);
  EXPECT_TRUE(result.blocked);
  EXPECT_EQ(result.receivers, 0u);
  const GroupId group = router_.dispatcher().groups_of(full).front();
  EXPECT_EQ(router_.dispatcher().group_counters(group).rejected, 1u);
}

TEST_F(RouterTest, WithdrawsARequestThatAllReceiversRejected) {
  const ReceiverId asker = add(a_, "asker"), full = add(b_, "full", kOneThenReject);
  subscribe(full, "ask");
  close(full);
  publish(event("1", "ask"));
  publish(event(Fields{.id = "q", .topic = "ask", .replyto = "inbox"}), telling(asker));
  EXPECT_THAT(refusals_.told, ElementsAre("rejected q full"));
  pass(31s);
  EXPECT_THAT(events_.timeouts, IsEmpty()) << "it was told already";
}

TEST_F(RouterTest, TellsTheAnswererThatTheAskersMailboxRejects) {
  const ReceiverId asker = add(a_, "asker", kOneThenReject), server = add(b_, "server");
  subscribe(server, "ask"), subscribe(asker, "fill");
  close(asker);
  publish(event("1", "fill"));
  publish(event(Fields{.id = "q", .topic = "ask", .replyto = "inbox"}), worker(asker));
  publish(event(Fields{.id = "answer", .topic = "inbox", .correlationid = "q"}), telling(server));
  EXPECT_THAT(refusals_.told, ElementsAre("rejected answer asker"));
}

// --- groups of several patterns ---

TEST_F(RouterTest, GivesAnEventToOneMemberOfAGroupWhosePatternsOverlap) {
  const ReceiverId a = add(a_, "a"), b = add(b_, "b");
  subscribe(a, "a.*", "g"), subscribe(b, "a.b", "g");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(publish(event(std::to_string(i), "a.b")).receivers, 1u);
  EXPECT_THAT(a_.ids, testing::SizeIs(5));
  EXPECT_THAT(b_.ids, testing::SizeIs(5));
  publish(event("only a", "a.c"));
  EXPECT_EQ(a_.ids.back(), "only a");
  router_.dispatcher().set_gate(a, Gate::ended, kStart);
  for (int i = 0; i < 5; ++i) publish(event("later" + std::to_string(i), "a.b"));
  EXPECT_THAT(b_.ids, testing::SizeIs(10)) << "a dead member holds nothing up";
  EXPECT_THAT(dead_.letters, IsEmpty());
}

TEST_F(RouterTest, GivesAMemberOfTwoPatternsItsGroupsEventOnce) {
  const ReceiverId a = add(a_, "a");
  subscribe(a, "a.*", "g"), subscribe(a, "a.b", "g"), subscribe(a, "a.b", "h");
  EXPECT_EQ(publish(event("1", "a.b")).receivers, 2u);
  EXPECT_THAT(a_.ids, ElementsAre("1", "1"));
  EXPECT_EQ(publish(event("2", "a.b"), worker(a)).failed, DeadLetterReason::no_receiver) << "its own";
}

TEST_F(RouterTest, KeepsAGroupsWaitingEventsWhenOneOfItsPatternsGoes) {
  const ReceiverId a = add(a_, "a"), b = add(b_, "b"), sender = add(c_, "sender");
  subscribe(a, "a.*", "g"), subscribe(b, "a.b", "g");
  close(a), close(b);
  publish(event("1", "a.b"));
  router_.forget_receiver(b, kStart);
  publish(event("2", "a.b"), worker(sender));
  EXPECT_THAT(dead_.letters, IsEmpty());
  open(a);
  EXPECT_THAT(a_.ids, ElementsAre("1", "2"));
  EXPECT_TRUE(router_.unsubscribe(a, "a.*", "g"));
  EXPECT_EQ(publish(event("3", "a.b")).failed, DeadLetterReason::no_receiver);
}

TEST_F(RouterTest, SendsNoAnswerToAnAskerThatIsGone) {
  const ReceiverId asker = add(a_, "asker"), worker_id = add(b_, "worker");
  subscribe(worker_id, "ask");
  publish(event(Fields{.id = "q", .topic = "ask", .replyto = "inbox"}), worker(asker));
  router_.forget_receiver(asker, kStart);
  const ReceiverId other = add(c_, "other");
  EXPECT_EQ(other, asker);  // the id is taken again
  publish(event(Fields{.id = "answer", .topic = "inbox", .correlationid = "q"}), worker(worker_id));
  EXPECT_THAT(c_.ids, IsEmpty());
  EXPECT_THAT(dead_.letters, ElementsAre("late_reply answer "));
  pass(30s);
  EXPECT_THAT(events_.timeouts, IsEmpty());
}

TEST_F(RouterTest, ForgetsAReceiverAltogether) {
  const ReceiverId a = add(a_, "a");
  subscribe(a, "t"), subscribe(a, "t", "g");
  router_.add_target("a", a);
  close(a);
  publish(event("1"));
  router_.forget_receiver(a, kStart);
  EXPECT_THAT(dead_.letters, testing::UnorderedElementsAre("receiver_ended 1 a", "receiver_ended 1 g"));
  EXPECT_EQ(publish(event("2")).failed, DeadLetterReason::no_receiver);
  EXPECT_EQ(publish(event(Fields{.id = "3", .target = "a"})).failed, DeadLetterReason::no_such_target);
  EXPECT_EQ(router_.table().size(), 0u);
  EXPECT_TRUE(router_.quiet());
}

TEST_F(RouterTest, CountsAnEventThatAnOutletRefusesAsDeadLettered) {
  const ReceiverId a = add(a_, "a");
  subscribe(a, "t");
  a_.refuse = OfferResult::untranslatable;
  EXPECT_EQ(publish(event("1")).receivers, 0u);
  EXPECT_EQ(router_.counters().delivered, 0u);
  EXPECT_EQ(router_.counters().dead_lettered, 1u);
}

}  // namespace
}  // namespace tenon::message
