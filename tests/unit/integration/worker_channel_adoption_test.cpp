#include "channel_fixture.hpp"

namespace tenon::integration {
namespace {

class WorkerChannelAdoption : public ChannelTest {
 protected:
  ChannelMemory keepers_view() {
    Result<ChannelMemory> view = ChannelMemory::adopt(memory_fd.duplicate(), config.max_event + 64);
    EXPECT_TRUE(view.ok());
    return std::move(*view);
  }
};

TEST_F(WorkerChannelAdoption, CompletesHalfAFrameInBothDirections) {
  for (const Framing framing : {Framing::line, Framing::packet4}) {
    channel.reset();
    owner = {};
    use_pipes(framing);
    const std::string in = framed("{type=t;id=in}");
    send(in.substr(0, 7));
    const Ids given = fill();
    std::string seen = worker.read(1000);  // some of the first frame, and the pipe is full
    ASSERT_TRUE(replace_engine().ok());

    send(in.substr(7));
    EXPECT_EQ(owner.events, Ids{"in"});
    EXPECT_EQ(offer_result("new"), message::OfferResult::full) << "what the first engine left counts";
    for (int rounds = 0; rounds < 1000; ++rounds) {
      seen += worker.read();
      run();
    }
    EXPECT_EQ(ids_in(seen), given);
    EXPECT_EQ(owner.rooms, 1);
  }
}

TEST_F(WorkerChannelAdoption, ConsumesWholeFramesThatThePredecessorHadReadOnly) {
  use_pipes();
  owner.react = [&](message::Event&) { channel->pause_reading(); };
  send("{type=t;id=1}\n{type=t;id=2}\n{type=t;id=3}\n");
  owner.react = [](message::Event&) {};
  ASSERT_TRUE(replace_engine().ok());
  EXPECT_TRUE(channel->has_backlog());
  EXPECT_EQ(owner.events, Ids{"1"});
  run();
  EXPECT_EQ(owner.events, (Ids{"1", "2", "3"}));
}

TEST_F(WorkerChannelAdoption, GoesOnSkippingWhatWasTooLong) {
  for (const Framing framing : {Framing::line, Framing::packet4}) {
    channel.reset();
    owner = {};
    config.max_event = 4096;
    use_pipes(framing);
    const std::string stream = framed(event_text("over", 20'000)) + framed(event_text("next"));
    send(stream.substr(0, 9'000));
    ASSERT_EQ(owner.bad.size(), 1u);
    ASSERT_TRUE(replace_engine().ok());
    send(stream.substr(9'000));
    EXPECT_EQ(owner.bad.size(), 1u) << "reported once";
    EXPECT_EQ(owner.events, Ids{"next"});
  }
}

TEST_F(WorkerChannelAdoption, RefusesAChannelWhoseReadOrWriteHasAnUnknownFate) {
  for (const bool input : {true, false}) {
    channel.reset();
    use_pipes();
    ChannelMemory view = keepers_view();
    (input ? view.input() : view.output()).set_uncertain(true);
    const Status adopted = replace_engine();
    ASSERT_FALSE(adopted.ok());
    EXPECT_EQ(adopted.error().code, errc::wrong_state);
    channel.reset();
    EXPECT_EQ(loop.live_watches(), 0u);
  }
}

TEST_F(WorkerChannelAdoption, LeavesNothingUncertainBetweenItsSystemCalls) {
  config.max_event = 4096;
  use_pipes(Framing::packet4);
  ChannelMemory view = keepers_view();
  send(framed(event_text("over", 20'000)) + framed(event_text("1")));
  offer("out");
  run();
  worker.input.reset();
  offer("lost");
  run();
  EXPECT_FALSE(view.input().uncertain());
  EXPECT_FALSE(view.output().uncertain());
  EXPECT_EQ(view.input().size(), 0u);
}

TEST_F(WorkerChannelAdoption, NeverTakesBackOctetsOfThePredecessor) {
  for (const std::string left : {"ab", "{type=t;id=whole}\n", "{type=t;id=1}\n{type=t;id=2}\n"}) {
    for (const Framing framing : {Framing::line, Framing::packet4}) {
      channel.reset();
      owner = {};
      use_pipes(framing);
      channel.reset();
      {
        ChannelMemory view = keepers_view();
        std::memcpy(view.output().data(), left.data(), left.size());
        view.output().publish(0, left.size());
      }
      worker.input.reset();
      ASSERT_TRUE(replace_engine().ok());
      run();
      EXPECT_EQ(owner.outputs_closed, 1);
      EXPECT_TRUE(owner.unsent.empty());
    }
  }
}

TEST_F(WorkerChannelAdoption, CountsPositionsFromItsOwnOpening) {
  use_pipes();
  fill();
  ASSERT_TRUE(replace_engine().ok());
  owner.written = 0;
  const std::size_t left = channel->unwritten();
  ASSERT_TRUE(send_control("tenon.shutdown"));
  while (channel->unwritten() != 0) {
    ASSERT_NE(worker.read().size(), 0u);
    run();
  }
  EXPECT_GT(owner.written, left);
  EXPECT_LT(owner.written, left + 1000);
}

}  // namespace
}  // namespace tenon::integration
