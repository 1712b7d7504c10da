// How events get from and to workers over their lives.
#include "hub_fixture.hpp"

namespace tenon::integration {
namespace {

class WorkerHubDelivery : public HubTest {};

TEST_F(WorkerHubDelivery, CarriesAnEventFromOneWorkerToAnother) {
  add_and_start("a", worker_config());
  add_and_start("b", worker_config({{"t", ""}}));
  write("a", "{type=t;data={\"n\":1}}");
  const Lines got = read("b");
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(value_in(got[0], "source"), "//alpha/a");
  EXPECT_EQ(value_in(got[0], "specversion"), "1.0");
  EXPECT_EQ(value_in(got[0], "id").size(), 26u);
  EXPECT_NE(got[0].find("data={\"n\":1}"), std::string::npos);
  EXPECT_EQ(hub->events_in("a"), 1u);
  EXPECT_TRUE(hub->quiet());
}

TEST_F(WorkerHubDelivery, GivesASenderItsOwnEventsOnlyWithEcho) {
  add_and_start("plain", worker_config({{"t", ""}, {"t", "g"}}));
  WorkerConfig echo = worker_config({{"t", ""}});
  echo.echo = true;
  add_and_start("echo", echo);
  write("plain", "{type=t;id=1}");
  write("echo", "{type=t;id=2}");
  EXPECT_EQ(received("echo"), (Lines{"1", "2"}));
  EXPECT_EQ(received("plain"), (Lines{"2", "2"})) << "once plainly and once for its group";
}

TEST_F(WorkerHubDelivery, TakesOtherSubscriptionsAndRightsWhileTheWorkerGoesOn) {
  add_and_start("a", worker_config());
  add_and_start("b", worker_config({{"old", ""}, {"both", "g"}}));
  WorkerConfig fresh = worker_config({{"new", ""}, {"both", "g"}});
  fresh.publish = {"x"};
  ASSERT_TRUE(hub->configure("b", fresh).ok());
  for (const char* topic : {"old", "new", "both"}) publish(topic, topic);
  EXPECT_EQ(received("b"), (Lines{"new", "both"}));
  write("b", "{type=old;id=refused}");
  write("b", "{type=x;id=fine}");
  EXPECT_EQ(hub->events_in("b"), 2u);
  EXPECT_EQ(hub->configure("nobody", fresh).error().code, errc::not_found);
}

TEST_F(WorkerHubDelivery, KeepsNoMailboxForAProcessWithoutAChannel) {
  const WorkerConfig mute;
  ASSERT_EQ(mute.channel.kind, runtime::ChannelKind::none);
  add("mute", mute);
  ASSERT_TRUE(hub->start("mute", 1, {}, {}, {}).ok());
  hub->set_status("mute", runtime::ProcessStatus::idle);
  EXPECT_EQ(hub->receiver("mute"), message::kNoReceiver);
  EXPECT_EQ(hub->in_flight("mute"), 0u);
  EXPECT_EQ(hub->last_control("mute", "tenon.heartbeat"), MonotonicTime{});
  WorkerConfig louder = mute;
  louder.mailbox.capacity = 1;
  EXPECT_TRUE(hub->configure("mute", louder).ok());
  bool drained = false;
  hub->begin_drain("mute", {}, [&] { drained = true; });
  EXPECT_TRUE(drained);
  exited("mute");
  hub->remove("mute");
  EXPECT_EQ(hub->config("mute"), nullptr);
}

TEST_F(WorkerHubDelivery, LetsEventsWaitUntilTheProcessIsReady) {
  add("a", worker_config({{"t", ""}}));
  publish("t", "1");
  ChannelEnds ends = make_pipes();
  ASSERT_TRUE(hub->start("a", 1, std::move(ends.host)).ok());
  workers["a"] = std::move(ends.worker);
  for (const Status_ status : {Status_::initializing, Status_::paused, Status_::stopping}) {
    hub->set_status("a", status);
    EXPECT_EQ(received("a"), Lines{}) << to_string(status);
  }
  hub->set_status("a", Status_::idle);
  EXPECT_EQ(received("a"), Lines{"1"});
  hub->set_status("a", Status_::busy);
  publish("t", "2");
  EXPECT_EQ(received("a"), Lines{"2"});
}

TEST_F(WorkerHubDelivery, AGroupGoesOnWithoutAMemberThatIsOutOfServiceAndTakesItBack) {
  add_and_start("a", acknowledging({{"t", "g"}, {"own", ""}}, 4));
  add_and_start("b", acknowledging({{"t", "g"}}, 4));
  publish("own", "0");
  EXPECT_EQ(received("a"), Lines{"0"});
  hub->set_status("a", Status_::initializing);  // by a readiness check: it runs, and its channel is open
  for (const char* id : {"1", "2", "3"}) publish("t", id);
  publish("own", "mine");
  EXPECT_EQ(received("a"), Lines{});
  EXPECT_EQ(received("b"), (Lines{"1", "2", "3"}));
  write("a", "{type=tenon.ack;correlationid=0}");
  EXPECT_EQ(hub->in_flight("a"), 0u) << "what it had is settled all the same";
  hub->set_status("a", Status_::idle);
  publish("t", "4");
  EXPECT_EQ(received("a"), (Lines{"mine", "4"}));
  EXPECT_EQ(received("b"), Lines{});
}

TEST_F(WorkerHubDelivery, DeadLettersWhatWaitsForAProcessThatHasEnded) {
  for (const Status_ ended : {Status_::terminated, Status_::error}) {
    dead_letters.all.clear();
    add("a", worker_config({{"t", ""}}));
    publish("t", "1");
    hub->set_status("a", ended);
    EXPECT_EQ(dead_letters.all, Lines{"receiver_ended 1 a"});
    hub->remove("a");
  }
}

TEST_F(WorkerHubDelivery, TellsWhichEndsAProcessHasClosed) {
  EXPECT_FALSE(hub->closed_ends("a"));
  add("a", worker_config());
  EXPECT_FALSE(hub->closed_ends("a"));
  start("a");
  ASSERT_TRUE(hub->closed_ends("a"));
  EXPECT_FALSE(hub->closed_ends("a")->input);
  EXPECT_FALSE(hub->closed_ends("a")->output);
  workers["a"].input.reset();
  EXPECT_TRUE(hub->closed_ends("a")->input) << "before anything was written to it";
  EXPECT_FALSE(hub->closed_ends("a")->output);
  workers["a"].output.reset();
  run();
  EXPECT_TRUE(hub->closed_ends("a")->output);
  exited("a");
  EXPECT_FALSE(hub->closed_ends("a"));
}

TEST_F(WorkerHubDelivery, LosesNothingWhenAProcessDiesInTheTurnInWhichItsInputCloses) {
  add_and_start("a", worker_config({{"t", ""}}));
  publish("t", "1");
  workers["a"].input.reset();
  loop.post([this] { exited("a"); });  // behind the flush, whose write fails, and before what that leads to
  run();
  EXPECT_EQ(dead_letters.all, Lines{});
  start("a", 2);
  EXPECT_EQ(received("a"), Lines{"1"});
}

TEST_F(WorkerHubDelivery, KeepsTheEndOfAProcessWhoseLastOctetsAreNoFrames) {
  WorkerConfig config = worker_config();
  config.channel.framing = Framing::packet4;
  add_and_start("a", config);
  workers["a"].write("done\n");
  exited("a");
  EXPECT_TRUE(events.broken.empty());
}

TEST_F(WorkerHubDelivery, KeepsWhatWaitsForAProcessThatWasStopped) {
  add("a", worker_config({{"t", ""}}));
  add("b", worker_config({{"t", ""}}));
  publish("t", "1");
  hub->set_status("a", Status_::terminated, true);
  hub->host_stops();
  hub->set_status("b", Status_::terminated);
  EXPECT_EQ(dead_letters.all, Lines{});
  start("a");
  EXPECT_EQ(received("a"), Lines{"1"});
}

TEST_F(WorkerHubDelivery, ReachesAProcessByTheNameOfAllItsReplicas) {
  ASSERT_TRUE(hub->add("w.1", "w", worker_config()).ok());
  ASSERT_TRUE(hub->add("w.2", "w", worker_config()).ok());
  start("w.1");
  start("w.2");
  add_and_start("a", worker_config());
  write("a", "{type=t;id=1;target=w.2}");
  EXPECT_EQ(received("w.2"), Lines{"1"});
  write("a", "{type=t;id=2;target=w}");
  EXPECT_EQ(received("w.1").size() + received("w.2").size(), 1u);
}

TEST_F(WorkerHubDelivery, ReturnsUnsettledEventsAfterAnExitToTheGroup) {
  for (const char* id : {"a", "b"}) add_and_start(id, acknowledging({{"work", "g"}}));
  publish("work", "1");
  publish("work", "2");
  ASSERT_EQ(received("a").size(), 1u);
  ASSERT_EQ(received("b").size(), 1u);
  exited("a");
  write("b", "{type=tenon.ack;correlationid=2}");
  write("b", "{type=tenon.ack;correlationid=1}");
  const Lines again = read("b");
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(value_in(again[0], "redelivered"), "true");
}

TEST_F(WorkerHubDelivery, ReturnsUnwrittenEventsAfterAnExitInOrderAndUnmarked) {
  add_and_start("a", worker_config({{"t", ""}}));
  for (const char* id : {"1", "2", "3"}) publish("t", id);
  exited("a");  // nothing was flushed yet
  start("a", 2);
  const Lines got = read("a");
  ASSERT_EQ(got.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(value_in(got[i], "id"), std::to_string(i + 1));
  EXPECT_EQ(got[0].find("redelivered"), std::string::npos);
}

TEST_F(WorkerHubDelivery, NeverHandsTheNextEventToTheDeadProcessWhoseLastWordsSettleOne) {
  WorkerConfig config = acknowledging({{"work", ""}});
  config.delivery.attempts = 1;
  add_and_start("a", config);
  publish("work", "1");
  publish("work", "2");
  ASSERT_EQ(received("a"), Lines{"1"});
  workers["a"].write("{type=tenon.ack;correlationid=1}\n");
  exited("a");
  EXPECT_TRUE(dead_letters.all.empty()) << dead_letters.all.front();
  start("a", 2);
  EXPECT_EQ(received("a"), Lines{"2"});
}

TEST_F(WorkerHubDelivery, IgnoresTheExitOfAnEarlierIncarnation) {
  add_and_start("a", worker_config({{"t", ""}}));
  exited("a");
  start("a", 2);
  hub->exited("a", 1);
  publish("t", "1");
  EXPECT_EQ(received("a"), Lines{"1"});
}

TEST_F(WorkerHubDelivery, KeepsTheMemoryOfTheRunningIncarnationOnly) {
  add_and_start("a", worker_config());
  EXPECT_GE(events.memory["a"], 0);
  exited("a");
  EXPECT_EQ(events.memory["a"], -1);
  add("none", WorkerConfig{});
  ASSERT_TRUE(hub->start("none", 1, {}).ok());
  EXPECT_EQ(events.memory.count("none"), 0u);
}

TEST_F(WorkerHubDelivery, FinishesADrainWhenEverythingIsSettled) {
  add_and_start("a", acknowledging({{"work", ""}}));
  publish("work", "1");
  ASSERT_EQ(received("a"), Lines{"1"});
  int drained = 0;
  hub->begin_drain("a", loop.clock().monotonic(), [&] { ++drained; });
  hub->set_status("a", Status_::stopping);
  publish("work", "2");
  EXPECT_EQ(received("a"), Lines{}) << "no new deliveries";
  EXPECT_EQ(drained, 0);
  write("a", "{type=tenon.ack;correlationid=1}");
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(received("a"), Lines{});
}

TEST_F(WorkerHubDelivery, FinishesADrainOfAnAtMostOnceWorkerWhenItsEventsAreWritten) {
  add_and_start("a", worker_config({{"t", ""}}));
  publish("t", "1");
  int drained = 0;
  hub->begin_drain("a", loop.clock().monotonic(), [&] { ++drained; });
  hub->set_status("a", Status_::stopping);
  EXPECT_EQ(drained, 0);
  run();
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(received("a"), Lines{"1"});
}

TEST_F(WorkerHubDelivery, FinishesADrainAtOnceWhenNothingIsInFlightOrNobodyIsThere) {
  add_and_start("a", worker_config());
  int drained = 0;
  hub->begin_drain("a", loop.clock().monotonic(), [&] { ++drained; });
  hub->begin_drain("nobody", loop.clock().monotonic(), [&] { ++drained; });
  EXPECT_EQ(drained, 2);
  exited("a");
  hub->begin_drain("a", loop.clock().monotonic(), [&] { ++drained; });
  EXPECT_EQ(drained, 3);
}

TEST_F(WorkerHubDelivery, StopsReadingFromAParkedSenderPastItsLimitAndReadsOnWhenItIsReleased) {
  WorkerConfig sender = worker_config();
  sender.channel.max_event = 1000;
  add_and_start("sender", sender);
  WorkerConfig slow = acknowledging({{"t", ""}});
  slow.mailbox.capacity = 1;
  slow.mailbox.overflow = message::Overflow::block;
  add_and_start("slow", slow);
  int sent = 0;
  for (; sent < 200 && hub->quiet(); ++sent) write("sender", "{type=t;id=" + std::to_string(sent) + ";data=" +
                                                                 std::string(200, '1') + "}");
  ASSERT_LT(sent, 40) << "reading stops at four times max_event";
  write("sender", "{type=tenon.heartbeat}");
  pass(std::chrono::seconds(1));
  EXPECT_EQ(hub->last_control("sender", "tenon.heartbeat"), loop.clock().monotonic()) << "its silence is our doing";

  Lines got;
  for (int round = 0; round < 3 * sent; ++round) {
    for (const std::string& id : received("slow")) {
      got.push_back(id);
      write("slow", "{type=tenon.ack;correlationid=" + id + "}");
    }
  }
  ASSERT_EQ(got.size(), static_cast<std::size_t>(sent));
  for (int i = 0; i < sent; ++i) EXPECT_EQ(got[static_cast<std::size_t>(i)], std::to_string(i));
  EXPECT_GE(released, 1);
  EXPECT_TRUE(hub->quiet());
  EXPECT_TRUE(dead_letters.all.empty());
}

TEST_F(WorkerHubDelivery, CountsNoSilenceOfTheTimeInWhichASenderWasParked) {
  WorkerConfig slow = acknowledging({{"t", ""}});
  slow.mailbox.capacity = 1;
  slow.mailbox.overflow = message::Overflow::block;
  add_and_start("slow", slow);
  add_and_start("sender", acknowledging({{"work", ""}}));
  publish("work", "job");
  EXPECT_EQ(received("sender"), Lines{"job"});
  write("sender", "{type=tenon.heartbeat}");
  pass(std::chrono::seconds(27));
  for (const char* id : {"1", "2", "3"}) write("sender", "{type=t;id=" + std::string(id) + "}");
  pass(std::chrono::seconds(4));  // 31 s after the job: its ack_timeout would be over
  EXPECT_EQ(hub->last_control("sender", "tenon.heartbeat"), loop.clock().monotonic());
  EXPECT_EQ(received("sender"), Lines{}) << "not delivered again";
  pass(std::chrono::seconds(1));  // what it waits for is given up
  const MonotonicTime released_at = loop.clock().monotonic();
  EXPECT_EQ(dead_letters.all, Lines{"blocked 3 slow"});
  pass(std::chrono::seconds(2));
  EXPECT_EQ(hub->last_control("sender", "tenon.heartbeat"), released_at) << "counted from the end of its wait";
  write("sender", "{type=tenon.ack;correlationid=job}");
  EXPECT_EQ(hub->in_flight("sender"), 0u);
  exited("sender");
  start("sender", 2);
  EXPECT_EQ(hub->last_control("sender", "tenon.heartbeat"), MonotonicTime{});
}

TEST_F(WorkerHubDelivery, SharesAGroupWhosePatternsOverlapUntilOneClosesItsInput) {
  add_and_start("a", worker_config({{"work.*", "g"}}));
  add_and_start("b", worker_config({{"work.x", "g"}}));
  for (int i = 0; i < 10; ++i) publish("work.x", std::to_string(i));
  EXPECT_EQ(received("a").size(), 5u);
  EXPECT_EQ(received("b").size(), 5u);
  workers["b"].input.reset();
  for (int i = 0; i < 10; ++i) publish("work.x", "later" + std::to_string(i));
  EXPECT_EQ(received("a").size(), 10u);
  EXPECT_TRUE(dead_letters.all.empty());
}

TEST_F(WorkerHubDelivery, DeadLettersWhatIsAddressedToAWorkerThatClosedItsInput) {
  add_and_start("a", worker_config({{"t", ""}, {"own", "alone"}}));
  workers["a"].input.reset();
  publish("t", "1");
  run();
  publish("t", "2");
  publish("own", "3");
  run();
  EXPECT_EQ(dead_letters.all, (Lines{"channel_closed 1 a", "channel_closed 2 a", "channel_closed 3 a"}));
  EXPECT_TRUE(router.quiet());
}

TEST_F(WorkerHubDelivery, LeavesAGroupsEventsToMembersThatCanTakeThem) {
  for (const char* id : {"a", "b"}) add_and_start(id, worker_config({{"work", "g"}}));
  workers["a"].input.reset();
  for (int i = 0; i < 10; ++i) publish("work", std::to_string(i));
  EXPECT_EQ(received("b").size(), 10u);
  for (int i = 0; i < 10; ++i) publish("work", "later" + std::to_string(i));
  EXPECT_EQ(received("b").size(), 10u);
  EXPECT_TRUE(dead_letters.all.empty());

  exited("a");
  start("a", 2);
  for (int i = 0; i < 10; ++i) publish("work", "shared" + std::to_string(i));
  EXPECT_EQ(received("a").size(), 5u);
  EXPECT_EQ(received("b").size(), 5u);
}

TEST_F(WorkerHubDelivery, KeepsAnAnswerWholeThatMakesRoomForTheNextQuestion) {
  add_and_start("asker", worker_config());
  add_and_start("server", acknowledging({{"question", ""}}));
  add_and_start("witness", worker_config({{"answers", ""}, {"other", ""}}));
  write("asker", "{type=question;id=1}");
  write("asker", "{type=question;id=2}");
  ASSERT_EQ(received("server"), Lines{"1"});
  // The answer settles the first delivery, so that the second goes out while the answer is on its way.
  write("server", "{type=other;id=10;correlationid=1}");
  EXPECT_EQ(received("server"), Lines{"2"});
  const Lines seen = read("witness");
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(value_in(seen[0], "id"), "10");
  EXPECT_EQ(value_in(seen[0], "correlationid"), "1");
}

TEST_F(WorkerHubDelivery, RoutesTheLastWordsOfItsWorkersWhenItEnds) {
  add_and_start("a", worker_config({{"t", ""}}));
  add_and_start("b", worker_config({{"t", ""}}));
  for (const char* id : {"a", "b"}) workers[id].write("{type=t;id=last;target=a}\nlog\n{type=tenon.unheard}\n");
  hub.reset();
  EXPECT_EQ(events.log.size(), 2u);
  EXPECT_EQ(loop.live_watches(), 0u);
  loop.run_posted();
}

TEST_F(WorkerHubDelivery, IsNotQuietWhileSomethingIsUnwritten) {
  add_and_start("a", worker_config({{"t", ""}}));
  EXPECT_TRUE(hub->quiet());
  publish("t", "1");
  EXPECT_FALSE(hub->quiet());
  run();
  EXPECT_TRUE(hub->quiet());
}

TEST_F(WorkerHubDelivery, KnowsNothingOfStrangers) {
  EXPECT_EQ(hub->config("nobody"), nullptr);
  EXPECT_EQ(hub->receiver("nobody"), message::kNoReceiver);
  EXPECT_EQ(hub->in_flight("nobody"), 0u);
  EXPECT_FALSE(hub->start("nobody", 1, {}).ok());
  hub->exited("nobody", 1);
  hub->set_status("nobody", Status_::idle);
  hub->remove("nobody");
  EXPECT_FALSE(hub->add("a", "a", worker_config({{"bad..pattern", ""}})).ok());
}

}  // namespace
}  // namespace tenon::integration
