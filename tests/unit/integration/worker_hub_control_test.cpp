// What a worker says to the host, and what the host refuses.
#include <fcntl.h>

#include "hub_fixture.hpp"

namespace tenon::integration {
namespace {

class WorkerHubControl : public HubTest {};

TEST_F(WorkerHubControl, PassesReadinessStatusAndLogOn) {
  add_and_start("a", worker_config());
  write("a", "{type=tenon.ready}");
  write("a", "{type=tenon.status;data=\"half done\"}");
  write("a", "{type=tenon.status;data={\"status\":\"done\"}}");
  write("a", "plain text");
  EXPECT_EQ(events.ready, Lines{"a/1"});
  EXPECT_EQ(events.status, (Lines{"a: half done", "a: done"}));
  EXPECT_EQ(events.log, Lines{"a: plain text"});
  EXPECT_EQ(hub->log_lines("a"), 1u);
  EXPECT_EQ(hub->events_in("a"), 0u) << "control messages are no events";
  EXPECT_TRUE(dead_letters.all.empty());
}

TEST_F(WorkerHubControl, RemembersWhenEachControlMessageCameLast) {
  add_and_start("a", worker_config());
  EXPECT_EQ(hub->last_control("a", "tenon.heartbeat"), MonotonicTime{});
  write("a", "{type=tenon.heartbeat}");
  const MonotonicTime first = loop.clock().monotonic();
  pass(std::chrono::seconds(3));
  EXPECT_EQ(hub->last_control("a", "tenon.heartbeat"), first);
  write("a", "{type=tenon.heartbeat}");
  EXPECT_EQ(hub->last_control("a", "tenon.heartbeat"), first + std::chrono::seconds(3));
  exited("a");
  start("a", 2);
  EXPECT_EQ(hub->last_control("a", "tenon.heartbeat"), MonotonicTime{}) << "a new incarnation has not been heard";
}

TEST_F(WorkerHubControl, CountsTheSilenceOfAnAdoptedWorkerFromItsAdoption) {
  add_and_start("a", worker_config());
  write("a", "{type=tenon.heartbeat}");
  const unique_fd memory(::fcntl(events.memory["a"], F_DUPFD_CLOEXEC, 0));
  make_hub();  // another engine
  add("a", worker_config());
  pass(std::chrono::seconds(30));
  ChannelEnds ends = make_pipes();
  ASSERT_TRUE(hub->start("a", 1, std::move(ends.host), memory.duplicate(), {}).ok());
  workers["a"] = std::move(ends.worker);
  const MonotonicTime adopted = loop.clock().monotonic();
  pass(std::chrono::seconds(3));
  EXPECT_EQ(hub->last_control("a", "tenon.heartbeat"), adopted);
  write("a", "{type=tenon.heartbeat}");
  EXPECT_EQ(hub->last_control("a", "tenon.heartbeat"), adopted + std::chrono::seconds(3));
}

TEST_F(WorkerHubControl, SettlesADeliveryByItsAck) {
  add_and_start("a", acknowledging({{"work", ""}}));
  publish("work", "1");
  publish("work", "2");
  EXPECT_EQ(received("a"), Lines{"1"});
  EXPECT_EQ(hub->in_flight("a"), 1u);
  write("a", "{type=tenon.ack;correlationid=unknown}");
  EXPECT_EQ(received("a"), Lines{});
  write("a", "{type=tenon.ack;correlationid=1}");
  EXPECT_EQ(received("a"), Lines{"2"});
  write("a", "{type=tenon.ack;correlationid=2}");
  EXPECT_EQ(hub->in_flight("a"), 0u);
  EXPECT_TRUE(router.quiet());
}

TEST_F(WorkerHubControl, DeliversAgainAfterANackAndMarksIt) {
  add_and_start("a", acknowledging({{"work", ""}}));
  publish("work", "1");
  EXPECT_EQ(value_in(read("a").at(0), "redelivered"), "");
  write("a", "{type=tenon.nack;correlationid=1}");
  const Lines again = read("a");
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(value_in(again[0], "id"), "1");
  EXPECT_EQ(value_in(again[0], "redelivered"), "true");
}

TEST_F(WorkerHubControl, SubscribesAndUnsubscribesForThisIncarnationOnly) {
  add_and_start("a", worker_config());
  write("a", "{type=tenon.subscribe;data={\"topic\":\"news.>\"}}");
  write("a", "{type=tenon.subscribe;data={\"topic\":\"work\",\"group\":\"g\"}}");
  EXPECT_EQ(events.subscriptions["a"], "news.> \nwork g\n");
  publish("news.today", "1");
  publish("work", "2");
  EXPECT_EQ(received("a"), (Lines{"1", "2"}));

  write("a", "{type=tenon.unsubscribe;data={\"topic\":\"work\",\"group\":\"g\"}}");
  EXPECT_EQ(events.subscriptions["a"], "news.> \n");
  publish("work", "3");
  EXPECT_EQ(dead_letters.all, Lines{"no_receiver 3 "});

  exited("a");
  EXPECT_EQ(events.subscriptions["a"], "");
  start("a", 2);
  publish("news.today", "4");
  EXPECT_EQ(dead_letters.all.back(), "no_receiver 4 ");
}

TEST_F(WorkerHubControl, RestoresTheConfigsSubscriptionsThatAnIncarnationGaveUp) {
  add_and_start("a", worker_config({{"work", ""}}));
  write("a", "{type=tenon.unsubscribe;data={\"topic\":\"work\"}}");
  publish("work", "1");
  EXPECT_EQ(received("a"), Lines{});
  exited("a");
  start("a", 2);
  publish("work", "2");
  EXPECT_EQ(received("a"), Lines{"2"});
}

TEST_F(WorkerHubControl, AdoptsTheSubscriptionsThatAnEarlierEngineKept) {
  add("a", worker_config());
  start("a", 4, "news.> \nwork g\n");
  publish("news.today", "1");
  publish("work", "2");
  EXPECT_EQ(received("a"), (Lines{"1", "2"}));
}

TEST_F(WorkerHubControl, RefusesWhatItDoesNotUnderstandAndSaysSo) {
  add_and_start("a", worker_config());
  write("a", "{type=tenon.unheard;id=7}");
  write("a", "{type=tenon.status;id=8;data=12}");
  write("a", "{type=tenon.status;id=9;data=no json}");
  write("a", "{type=tenon.subscribe;id=10;data={\"topic\":\"a..b\"}}");
  EXPECT_EQ(dead_letters.all, (Lines{"reserved 7 ", "reserved 8 ", "reserved 9 ", "bad_topic 10 "}));
  const Lines told = read("a");
  ASSERT_EQ(told.size(), 4u);
  for (const std::string& line : told) EXPECT_EQ(value_in(line, "type"), "tenon.rejected");
  EXPECT_EQ(value_in(told[0], "correlationid"), "7");
  EXPECT_NE(told[0].find("\"reason\":\"reserved\""), std::string::npos);
}

TEST_F(WorkerHubControl, RefusesEventsThatTheirSenderMayNotPublish) {
  WorkerConfig config = worker_config();
  config.publish = {"task.>"};
  add_and_start("a", config);
  add_and_start("b", worker_config({{">", ""}}));
  write("a", "{type=t;topic=no..topic;id=1}");
  write("a", "{type=t;topic=other;id=2}");
  write("a", "{type=system.alert;id=3}");
  write("a", "{type=t;topic=system.alert;id=4}");
  write("a", "{type=t;topic=tenon.ack;id=5}");
  write("a", "{type=invalid;topic=task.x;id=6}");
  write("a", "{type=t;topic=task.x;id=7}");
  EXPECT_EQ(dead_letters.all, (Lines{"bad_topic 1 ", "not_allowed 2 ", "reserved 3 ", "reserved 4 ", "reserved 5 ",
                                     "schema 6 "}));
  const Lines told = read("a");
  ASSERT_EQ(told.size(), 6u);
  for (std::size_t i = 0; i < told.size(); ++i) EXPECT_EQ(value_in(told[i], "correlationid"), std::to_string(i + 1));
  EXPECT_EQ(received("b"), Lines{"7"});
}

TEST_F(WorkerHubControl, LetsAWorkerPublishNothingWhoseListIsEmpty) {
  WorkerConfig config = worker_config();
  config.may_publish = false;
  add_and_start("a", config);
  write("a", "{type=t;id=1}");
  write("a", "{type=tenon.ready}");
  EXPECT_EQ(dead_letters.all, Lines{"not_allowed 1 "});
  EXPECT_EQ(events.ready, Lines{"a/1"});
}

TEST_F(WorkerHubControl, TellsASenderWhichMailboxRejectedItsEvent) {
  WorkerConfig full = acknowledging({{"t", ""}});
  full.mailbox.capacity = 1;
  full.mailbox.overflow = message::Overflow::reject;
  add_and_start("full", full);
  add_and_start("sender", worker_config());
  for (const char* id : {"1", "2", "3"}) write("sender", "{type=t;id=" + std::string(id) + "}");
  EXPECT_EQ(dead_letters.all, Lines{"rejected 3 full"}) << "once, not twice";
  const Lines told = read("sender");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(value_in(told[0], "type"), "tenon.rejected");
  EXPECT_EQ(value_in(told[0], "correlationid"), "3");
  for (const char* part : {"\"reason\":\"rejected\"", "\"receiver\":\"full\"", "\"id\":\"3\"", "\"topic\":\"t\""})
    EXPECT_NE(told[0].find(part), std::string::npos) << part << " in " << told[0];
  EXPECT_EQ(router.dispatcher().counters(hub->receiver("full")).rejected, 1u);
}

TEST_F(WorkerHubControl, TellsAnAskerThatItsIdIsTakenAndNotThatAMailboxIsFull) {
  add_and_start("asker", worker_config());
  add_and_start("server", worker_config({{"question", ""}}));
  write("asker", "{type=question;id=1;replyto=answers}");
  write("asker", "{type=question;id=1;replyto=answers}");
  EXPECT_EQ(dead_letters.all, Lines{"duplicate_request 1 "});
  const Lines told = read("asker");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NE(told[0].find("\"reason\":\"duplicate_request\""), std::string::npos) << told[0];
  EXPECT_NE(told[0].find("its own id"), std::string::npos) << told[0];
  EXPECT_EQ(told[0].find("mailbox"), std::string::npos) << told[0];
  write("server", "{type=answer;topic=answers;id=10;correlationid=1}");
  EXPECT_EQ(received("asker"), Lines{"10"}) << "the first one is answered";
}

TEST_F(WorkerHubControl, TakesTheOriginOffWhatAWorkerHandsOn) {
  add_and_start("a", worker_config());
  add_and_start("b", worker_config({{"t", ""}}));
  write("a", "{type=t;id=1;tenonorigin=beta;tenonrun=22bb;tenonhops=2;mine=1}");
  const Lines got = read("b");
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].find("tenonorigin"), std::string::npos) << got[0];
  EXPECT_EQ(got[0].find("tenonrun"), std::string::npos) << got[0];
  EXPECT_EQ(value_in(got[0], "tenonhops"), "2");
  EXPECT_EQ(value_in(got[0], "mine"), "1");
}

TEST_F(WorkerHubControl, DeadLettersFramesThatAreNoEventsAndThoseOverTheLimit) {
  WorkerConfig config = worker_config();
  config.channel.framing = Framing::packet4;
  config.channel.max_event = 100;
  add("a", config);
  start("a");
  workers["a"].write(packet("garbage") + packet(std::string(200, 'x')));
  run();
  EXPECT_EQ(dead_letters.all, (Lines{"malformed  ", "too_large  "}));
  EXPECT_TRUE(events.log.empty());
  workers["a"].write("not a packet");
  run();
  EXPECT_EQ(events.broken, Lines{"a/1"});
}

TEST_F(WorkerHubControl, ShowsTheBeginningOfAnOverLongLineInTheLog) {
  WorkerConfig config = worker_config();
  config.channel.max_event = 100;
  add_and_start("a", config);
  write("a", std::string(50'000, 'x'));
  ASSERT_EQ(events.log.size(), 1u);
  EXPECT_LE(events.log[0].size(), 4096u + 3);
  EXPECT_EQ(dead_letters.all, Lines{}) << "a line of log and nothing more";
  write("a", "{" + std::string(50'000, 'x'));
  ASSERT_EQ(events.log.size(), 2u);
  EXPECT_EQ(dead_letters.all, Lines{"too_large  "}) << "this may have been an event";
}

TEST_F(WorkerHubControl, TellsAnAskerThatNoAnswerCame) {
  add_and_start("asker", worker_config());
  add_and_start("server", worker_config({{"question", ""}}));
  write("asker", "{type=question;id=1;replyto=answers;correlationid=mine}");
  write("asker", "{type=question;id=2;replyto=answers}");
  EXPECT_EQ(received("server"), (Lines{"1", "2"}));
  write("server", "{type=answer;topic=answers;id=10;correlationid=2}");
  const Lines answered = read("asker");
  ASSERT_EQ(answered.size(), 1u);
  EXPECT_EQ(value_in(answered[0], "correlationid"), "2");

  pass(std::chrono::seconds(31));
  const Lines told = read("asker");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(value_in(told[0], "type"), "tenon.timeout");
  EXPECT_EQ(value_in(told[0], "correlationid"), "mine");
  write("server", "{type=answer;topic=answers;id=11;correlationid=1}");
  EXPECT_EQ(dead_letters.all, Lines{"late_reply 11 "});
}

TEST_F(WorkerHubControl, SendsTheShutdownAtOnceBecauseTheSignalFollows) {
  add_and_start("a", worker_config());
  hub->send_shutdown("a");
  const Lines got = lines_of(workers["a"].read());
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(value_in(got[0], "type"), "tenon.shutdown");
  hub->send_shutdown("nobody");
}

}  // namespace
}  // namespace tenon::integration
