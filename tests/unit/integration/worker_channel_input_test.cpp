#include "channel_fixture.hpp"

namespace tenon::integration {
namespace {

class WorkerChannelInput : public ChannelTest {};

TEST_F(WorkerChannelInput, ReadsEventsAndTakesEveryOtherLineForLog) {
  use_pipes();
  send("{type=t;id=1}\nhello\n\n{broken\n  {type=t;id=2}\r\n{id=no type}\n");
  EXPECT_EQ(owner.events, (Ids{"1", "2"}));
  EXPECT_EQ(owner.log, (Ids{"hello", "{broken", "{id=no type}"}));
  EXPECT_EQ(channel->log_lines(), 3u);
  EXPECT_TRUE(owner.bad.empty());
}

TEST_F(WorkerChannelInput, ReportsALineThatWasMeantAsAnEvent) {
  use_pipes();
  send("{\"type\":\"t\",\"priority\":99\n{type=t;id=1}\n");
  ASSERT_EQ(owner.bad.size(), 1u);
  EXPECT_EQ(owner.bad[0].octets, "{\"type\":\"t\",\"priority\":99");
  EXPECT_EQ(owner.bad[0].code, errc::bad_data);
  EXPECT_TRUE(owner.log.empty());
  EXPECT_EQ(channel->log_lines(), 1u);
  EXPECT_EQ(owner.events, Ids{"1"});
}

TEST_F(WorkerChannelInput, ReadsALineThatComesInPiecesOnce) {
  use_pipes();
  for (const char c : std::string("{type=t;id=1}\n{type=t;id=2}\n")) send({&c, 1});
  EXPECT_EQ(owner.events, (Ids{"1", "2"}));
}

TEST_F(WorkerChannelInput, HandsEventsOnWithReadablePaddingAndInTheEncodingOfTheChannel) {
  use_socket();
  std::string encoded;
  owner.react = [&](message::Event& event) {
    encoded = event.encoded;
    EXPECT_EQ(event.encoded_format, reader.format());
    std::string padding(event.encoded.data() + event.encoded.size(), message::kReadPadding);  // ASan looks
    EXPECT_EQ(padding.size(), message::kReadPadding);
  };
  send(packet("{type=t;id=1}"));
  EXPECT_EQ(encoded, "{type=t;id=1}");
}

TEST_F(WorkerChannelInput, ReportsAPacketThatIsNoEventAndReadsOn) {
  use_socket();
  send(packet("garbage") + packet("{id=7}") + packet("{type=t;id=1}"));
  ASSERT_EQ(owner.bad.size(), 2u);
  EXPECT_EQ(owner.bad[0].octets, "garbage");
  EXPECT_EQ(owner.bad[0].code, errc::bad_data);
  EXPECT_NE(owner.bad[1].message.find("type"), std::string::npos);
  EXPECT_EQ(owner.events, Ids{"1"});
}

TEST_F(WorkerChannelInput, GivesUpAStreamThatDoesNotSpeakPackets) {
  use_socket();
  send("{type=t;id=1}\n");
  ASSERT_EQ(owner.broken.size(), 1u);
  EXPECT_NE(owner.broken[0].find("packet4"), std::string::npos);
  EXPECT_FALSE(channel->input_open());
  EXPECT_TRUE(channel->output_open());
  EXPECT_TRUE(owner.bad.empty());
  send(packet("{type=t;id=2}"));
  EXPECT_TRUE(owner.events.empty());
}

TEST_F(WorkerChannelInput, SkipsAnEventOverTheLimitAndTakesOneAtIt) {
  for (const Framing framing : {Framing::line, Framing::packet4}) {
    channel.reset();
    owner = {};
    config.max_event = 4096;
    use_pipes(framing);
    send(framed(event_text("fits", 4096)) + framed(event_text("over", 4097)) + framed(event_text("next")));
    EXPECT_EQ(owner.events, (Ids{"fits", "next"}));
    ASSERT_EQ(owner.bad.size(), 1u);
    EXPECT_EQ(owner.bad[0].code, errc::exhausted);
    EXPECT_EQ(owner.bad[0].octets.substr(0, 15), "{type=t;id=over");
    EXPECT_NE(owner.bad[0].message.find("max_event"), std::string::npos);
  }
}

TEST_F(WorkerChannelInput, StopsReadingWhilePausedAndLosesNothing) {
  use_pipes();
  owner.react = [&](message::Event& event) {
    if (event.envelope.id == "2") channel->pause_reading();
  };
  send("{type=t;id=1}\n{type=t;id=2}\n{type=t;id=3}\n");
  EXPECT_EQ(owner.events, (Ids{"1", "2"}));
  EXPECT_TRUE(channel->has_backlog());
  EXPECT_EQ(loop.interest_in(host_ends.input.get()), event::Interest::none);
  send("{type=t;id=4}\n");
  EXPECT_EQ(owner.events, (Ids{"1", "2"}));

  channel->resume_reading();
  EXPECT_EQ(owner.events.size(), 2u) << "not from within the call, which comes out of the router";
  run();
  EXPECT_EQ(owner.events, (Ids{"1", "2", "3", "4"}));
  EXPECT_FALSE(channel->has_backlog());
}

TEST_F(WorkerChannelInput, KeepsBufferedFramesWithinItsMemoryHoweverOftenItIsPaused) {
  config.max_event = 4096;
  use_pipes();
  ::fcntl(worker.output.get(), F_SETPIPE_SZ, 1024 * 1024);
  owner.react = [&](message::Event&) { channel->pause_reading(); };
  std::string many;
  for (int i = 0; i < 4000; ++i) many += event_text(std::to_string(i), 200) + "\n";  // more than all memory
  std::size_t sent = 0, rounds = 0;
  while (owner.events.size() < 4000 && ++rounds < 20'000) {
    const ssize_t put = ::write(worker.output.get(), many.data() + sent, many.size() - sent);
    if (put > 0) sent += static_cast<std::size_t>(put);
    // The descriptor is served before the posted rest: what is buffered must still go first.
    channel->resume_reading();
    loop.poll_descriptors();
    loop.run_posted();
  }
  ASSERT_EQ(owner.events.size(), 4000u);
  for (int i = 0; i < 4000; ++i) ASSERT_EQ(owner.events[static_cast<std::size_t>(i)], std::to_string(i));
  EXPECT_EQ(owner.inputs_closed, 0);
}

TEST_F(WorkerChannelInput, EndsTheSourceAtEndOfFileAndGoesOnWriting) {
  use_pipes();
  worker.write("{type=t;id=1}\n");
  worker.output.reset();
  run();
  EXPECT_EQ(owner.events, Ids{"1"});
  EXPECT_EQ(owner.inputs_closed, 1);
  EXPECT_FALSE(channel->input_open());
  EXPECT_EQ(offer_result("out"), message::OfferResult::taken);
  run();
  EXPECT_EQ(worker.read(), "{type=t;id=out;data=1}\n");
}

TEST_F(WorkerChannelInput, TakesALastLineWithoutLineFeed) {
  use_pipes();
  worker.write("{type=t;id=1}\n{type=t;id=2}");
  worker.output.reset();
  run();
  EXPECT_EQ(owner.events, (Ids{"1", "2"}));
  EXPECT_TRUE(owner.log.empty());
}

TEST_F(WorkerChannelInput, TakesHalfAnEventAtTheEndForLog) {
  use_pipes();
  worker.write("{type=t;id=");
  worker.output.reset();
  run();
  EXPECT_TRUE(owner.events.empty());
  EXPECT_EQ(owner.log, Ids{"{type=t;id="});
}

TEST_F(WorkerChannelInput, ReportsHalfAPacketAtTheEnd) {
  use_socket();
  worker.write(packet("{type=t;id=1}") + packet("{type=t;id=2}").substr(0, 9));
  worker.output.reset();
  run();
  EXPECT_EQ(owner.events, Ids{"1"});
  ASSERT_EQ(owner.bad.size(), 1u);
  EXPECT_EQ(owner.bad[0].octets.size(), 9u);
  EXPECT_EQ(owner.inputs_closed, 1);
}

TEST_F(WorkerChannelInput, ReadsTheLastWordsOfAProcessThatIsGone) {
  use_pipes();
  worker.write("{type=t;id=1}\n{type=t;id=2}\nTraceback: no line feed");
  EXPECT_TRUE(channel->retire().empty());
  EXPECT_EQ(owner.events, (Ids{"1", "2"}));
  EXPECT_EQ(owner.log, Ids{"Traceback: no line feed"});
  EXPECT_EQ(loop.live_watches(), 0u);
}

TEST_F(WorkerChannelInput, ReadsTheLastWordsOfAPausedSenderToo) {
  use_pipes();
  owner.react = [&](message::Event&) { channel->pause_reading(); };
  send("{type=t;id=1}\n{type=t;id=2}\n");
  worker.write("{type=t;id=3}\n");
  EXPECT_EQ(owner.events, Ids{"1"});
  channel->retire();
  EXPECT_EQ(owner.events, (Ids{"1", "2", "3"}));
}

TEST_F(WorkerChannelInput, StaysWholeWhenACallbackRetiresIt) {
  use_pipes();
  owner.react = [&](message::Event&) { channel->retire(); };
  send("{type=t;id=1}\n{type=t;id=2}\n");
  EXPECT_EQ(owner.events, Ids{"1"});
  EXPECT_EQ(loop.live_watches(), 0u);
  EXPECT_EQ(offer_result("late"), message::OfferResult::full);
  EXPECT_FALSE(send_control("tenon.shutdown"));
}

TEST_F(WorkerChannelInput, RunsNothingThatWasPostedForAChannelThatIsGone) {
  use_pipes();
  owner.react = [&](message::Event&) { channel->pause_reading(); };
  send("{type=t;id=1}\n{type=t;id=2}\n");
  channel->resume_reading();
  channel.reset();
  run();
  EXPECT_EQ(owner.events, Ids{"1"});
}

TEST_F(WorkerChannelInput, KeepsAnEventReadableWhileOthersGoOutToTheSameWorker) {
  use_pipes();
  std::string type;
  owner.react = [&](message::Event& event) {
    EXPECT_EQ(offer_result("answer"), message::OfferResult::taken);
    send_control("tenon.rejected");
    type = event.envelope.type;
  };
  send("{type=question;id=1}\n");
  EXPECT_EQ(type, "question");
  EXPECT_EQ(owner.events, Ids{"1"});
}

}  // namespace
}  // namespace tenon::integration
