#include <sys/stat.h>

#include "channel_fixture.hpp"

namespace tenon::integration {
namespace {

using message::OfferResult;

class WorkerChannelOutput : public ChannelTest {};

TEST_F(WorkerChannelOutput, WritesWhatATurnGatheredInOneGo) {
  use_pipes();
  for (const char* id : {"1", "2", "3"}) EXPECT_EQ(offer_result(id), OfferResult::taken);
  EXPECT_EQ(dirty, 1) << "told once until it is flushed";
  EXPECT_EQ(worker.read(), "");
  run();
  EXPECT_EQ(worker.read(), "{type=t;id=1;data=1}\n{type=t;id=2;data=1}\n{type=t;id=3;data=1}\n");
  EXPECT_EQ(channel->unwritten(), 0u);
  EXPECT_EQ(offer_result("4"), OfferResult::taken);
  EXPECT_EQ(dirty, 2);
}

TEST_F(WorkerChannelOutput, SaysHowFarItHasWrittenInPositionsOfItsOffers) {
  use_socket();
  const std::uint64_t first = offer("1").end, second = offer("2").end;
  EXPECT_EQ(first, packet(event_text("1")).size());
  EXPECT_EQ(second, 2 * first);
  run();
  EXPECT_EQ(owner.written, second);
  EXPECT_EQ(ids_in(worker.read()), (Ids{"1", "2"}));
}

TEST_F(WorkerChannelOutput, CountsControlEventsIntoThePositions) {
  use_socket();
  const std::uint64_t before = offer("1").end;
  ASSERT_TRUE(send_control("tenon.shutdown"));
  const std::uint64_t after = offer("2").end;
  EXPECT_GT(after, 2 * before) << "the control event lies between";
  run();
  EXPECT_EQ(owner.written, after);
}

TEST_F(WorkerChannelOutput, WritesInTheMiddleOfABatchWhenMuchIsWaiting) {
  use_pipes();
  offer("1", 64 * 1024);
  EXPECT_EQ(owner.written, 0u);
  offer("2");
  EXPECT_GT(owner.written, 0u);
}

TEST_F(WorkerChannelOutput, HasNoRoomWhileTheWorkerDoesNotReadAndSaysWhenItHas) {
  for (const bool socket : {false, true}) {
    channel.reset();
    owner = {};
    if (socket) use_socket();
    else use_pipes();
    Ids expected = fill();
    EXPECT_GE(channel->unwritten(), 256u * 1024);
    EXPECT_LE(channel->unwritten(), 256u * 1024 + 65 * 1024);
    EXPECT_EQ(owner.rooms, 0);
    std::string seen;
    int rounds = 0;
    while (owner.rooms == 0 && ++rounds < 1000) {
      seen += worker.read(16 * 1024);
      run();
    }
    EXPECT_EQ(owner.rooms, 1);
    EXPECT_EQ(offer_result("more"), OfferResult::taken);
    expected.push_back("more");
    while (++rounds < 2000) {
      seen += worker.read();
      run();
    }
    EXPECT_EQ(ids_in(seen), expected);
    EXPECT_EQ(owner.rooms, 1) << "told once";
    EXPECT_EQ(loop.interest_in(socket ? host_ends.input.get() : host_ends.output.get()), event::Interest::none);
  }
}

TEST_F(WorkerChannelOutput, WritesOnWhenTheOwnerOffersFromWithinTheNews) {
  use_pipes();
  fill();
  owner.room = [&] { EXPECT_EQ(offer_result("from within"), OfferResult::taken); };
  std::string seen;
  for (int rounds = 0; rounds < 1000; ++rounds) {
    seen += worker.read();
    run();
  }
  EXPECT_EQ(ids_in(seen).back(), "from within");
}

TEST_F(WorkerChannelOutput, SendsControlEventsPastTheHighWaterMark) {
  use_pipes();
  Ids expected = fill();
  ASSERT_EQ(offer_result("ordinary"), OfferResult::full);
  ASSERT_TRUE(send_control("tenon.shutdown"));
  std::string seen;
  for (int rounds = 0; rounds < 1000; ++rounds) {
    seen += worker.read();
    run();
  }
  expected.push_back("c");
  EXPECT_EQ(ids_in(seen), expected);
}

TEST_F(WorkerChannelOutput, EndsEvenTheControlLaneBeforeItsMemoryDoes) {
  use_pipes();
  fill();
  std::size_t sent = 0;
  while (send_control("tenon.rejected" + std::string(10'000, 'x'))) ASSERT_LT(++sent, 10'000u);
  EXPECT_GT(sent, 0u);
  EXPECT_FALSE(send_control("tenon.rejected" + std::string(10'000, 'x')));
  EXPECT_EQ(offer_result("ordinary"), OfferResult::full);
}

TEST_F(WorkerChannelOutput, RefusesAnEventOverTheLimitAndTakesOneAtIt) {
  for (const Framing framing : {Framing::line, Framing::packet4}) {
    channel.reset();
    config.max_event = 4096;
    use_pipes(framing);
    EXPECT_EQ(offer_result("fits", 4096), OfferResult::taken);
    const message::Offer over = offer("over", 4097);
    EXPECT_EQ(over.result, OfferResult::too_large);
    EXPECT_NE(over.detail.find("max_event"), std::string_view::npos);
    EXPECT_EQ(offer_result("next"), OfferResult::taken);
    run();
    EXPECT_EQ(ids_in(worker.read()), (Ids{"fits", "next"}));
  }
}

TEST_F(WorkerChannelOutput, ReplacesLineEndsInsideAnEventOnALineChannelOnly) {
  const std::string text = "{type=t;id=1;data={\r\n\"a\":\n1}}";
  for (const Framing framing : {Framing::line, Framing::packet4}) {
    channel.reset();
    use_pipes(framing);
    std::string padded = text;
    padded.resize(text.size() + message::kReadPadding);
    message::Event event;
    event.encoded = std::string_view(padded).substr(0, text.size());
    event.encoded_format = reader.format();
    ASSERT_TRUE(reader.read_event(event.encoded, event.envelope).ok());
    ASSERT_EQ(channel->offer(event, 1).result, OfferResult::taken);
    run();
    EXPECT_EQ(worker.read(),
              framing == Framing::line ? "{type=t;id=1;data={  \"a\": 1}}\n" : packet(text));
  }
}

TEST_F(WorkerChannelOutput, ReturnsWhatWasNotWrittenAtAllWhenTheWorkerClosesItsEnd) {
  for (const bool socket : {false, true}) {
    channel.reset();
    owner = {};
    if (socket) use_socket();
    else use_pipes();
    const Ids given = fill();
    ASSERT_TRUE(send_control("tenon.shutdown"));
    const std::uint64_t in_full = owner.written / framed(event_text("fill0", 64 * 1024)).size();
    if (socket) worker.output.reset();
    else worker.input.reset();
    run();
    channel->flush();
    EXPECT_EQ(owner.outputs_closed, 1);
    EXPECT_FALSE(channel->output_open());
    // Neither what was written, nor the one that was begun, nor the host's own control event.
    const bool begun = owner.written % framed(event_text("fill0", 64 * 1024)).size() != 0;
    EXPECT_EQ(owner.unsent, Ids(given.begin() + static_cast<std::ptrdiff_t>(in_full + (begun ? 1 : 0)), given.end()));
  }
}

TEST_F(WorkerChannelOutput, FindsNoRoomInAClosedOutputAndReadsOn) {
  use_pipes();
  worker.input.reset();
  EXPECT_EQ(offer_result("1"), OfferResult::taken);
  run();
  EXPECT_EQ(owner.unsent, Ids{"1"});
  EXPECT_EQ(offer_result("2"), OfferResult::full);
  EXPECT_FALSE(send_control("tenon.shutdown"));
  send("{type=t;id=still read}\n");
  EXPECT_EQ(owner.events, Ids{"still read"});
}

TEST_F(WorkerChannelOutput, ReturnsUnwrittenEventsInOrderWhenItIsRetired) {
  use_pipes();
  offer("1"), offer("2");
  send_control("tenon.shutdown");
  offer("3");
  owner.add_unsent(channel->retire());
  EXPECT_EQ(owner.unsent, (Ids{"1", "2", "3"}));
  EXPECT_TRUE(channel->retire().empty());
}

TEST_F(WorkerChannelOutput, DoesNotReturnAFrameThatWasBegun) {
  use_pipes();
  const Ids given = fill();
  const std::size_t size = framed(event_text("fill0", 64 * 1024)).size();
  worker.read(10'000);
  run();
  const std::size_t whole = owner.written / size;
  ASSERT_NE(owner.written % size, 0u) << "the pipe takes part of a frame";
  owner.add_unsent(channel->retire());
  EXPECT_EQ(owner.unsent, Ids(given.begin() + static_cast<std::ptrdiff_t>(whole + 1), given.end()));
}

TEST_F(WorkerChannelOutput, ReturnsEventsWithoutDisturbingTheOneThatIsBeingRead) {
  use_pipes();
  worker.input.reset();
  owner.react = [&](message::Event&) {
    offer("out");
    channel->flush();  // finds the end closed and reads "out" back
  };
  send("{type=t;id=in}\n");
  EXPECT_EQ(owner.unsent, Ids{"out"});
  EXPECT_EQ(owner.events, Ids{"in"});
}

TEST_F(WorkerChannelOutput, GivesTheMemoryOfABurstBackOnceItIsIdle) {
  use_pipes();
  const auto pages = [&] {
    struct stat info {};
    EXPECT_EQ(::fstat(memory_fd.get(), &info), 0);
    return static_cast<std::size_t>(info.st_blocks) * 512;
  };
  EXPECT_EQ(offer_result("large", kMaxEvent - 64), OfferResult::taken);
  EXPECT_GE(pages(), kMaxEvent - 64);
  loop.advance(WorkerChannel::kTrimEvery);
  EXPECT_GE(pages(), kMaxEvent - 64) << "not while something waits in it";
  while (channel->unwritten() != 0) {
    worker.read();
    run();
  }
  worker.read();
  loop.advance(WorkerChannel::kTrimEvery);
  EXPECT_LE(pages(), ChannelMemory::kKept + 64 * 1024);
  EXPECT_EQ(offer_result("small"), OfferResult::taken);
  run();
  EXPECT_EQ(ids_in(worker.read()), Ids{"small"});
}

}  // namespace
}  // namespace tenon::integration
