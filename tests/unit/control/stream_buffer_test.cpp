#include "control/stream_buffer.hpp"

namespace tenon::control {
namespace {

struct StreamBufferTest : ::testing::Test {
  std::shared_ptr<StreamBudget> budget = std::make_shared<StreamBudget>();

  std::unique_ptr<StreamBuffer> make(StreamBuffer::Options options = {}) {
    return std::make_unique<StreamBuffer>(options, budget);
  }
};
const std::string kItem(100, '7');

TEST_F(StreamBufferTest, FramesItemsAsServerSentEvents) {
  auto stream = make();
  EXPECT_TRUE(stream->push("{\"a\":1}"));
  EXPECT_TRUE(stream->push("2"));
  EXPECT_EQ(stream->take(), "data: {\"a\":1}\n\ndata: 2\n\n");
}

TEST_F(StreamBufferTest, FramesItemsAsLines) {
  auto stream = make({.framing = StreamFraming::lines});
  stream->push("1");
  stream->push("2");
  EXPECT_EQ(stream->take(), "1\n2\n");
}

TEST_F(StreamBufferTest, LineEndsInsideAnItemForgeNothing) {
  auto stream = make();
  stream->push("{\"a\":\r\n\n1}");
  EXPECT_EQ(stream->take(), "data: {\"a\":   1}\n\n");
}

TEST_F(StreamBufferTest, TellsHowManyItemsFoundNoRoomBeforeTheNextThatDid) {
  auto stream = make({.limit = 250});
  EXPECT_TRUE(stream->push(kItem));
  EXPECT_TRUE(stream->push(kItem));
  EXPECT_FALSE(stream->push(kItem));
  EXPECT_FALSE(stream->push(kItem));
  const std::string first = stream->take();
  EXPECT_TRUE(first.ends_with("event: dropped\ndata: {\"dropped\":2}\n\n")) << first;
  stream->settle();
  stream->push("1");
  EXPECT_EQ(stream->take(), "data: 1\n\n");
  EXPECT_EQ(stream->dropped_total(), 2u);
}

TEST_F(StreamBufferTest, WhatWasTakenCountsUntilItIsSettled) {
  auto stream = make({.limit = 250});
  stream->push(kItem);
  stream->push(kItem);
  (void)stream->take();
  EXPECT_FALSE(stream->push(kItem));
  stream->settle();
  EXPECT_TRUE(stream->push(kItem));
}

TEST_F(StreamBufferTest, OneItemAlwaysFitsIntoAnEmptyStream) {
  auto stream = make({.limit = 10});
  EXPECT_TRUE(stream->push(kItem));
  EXPECT_FALSE(stream->push("1"));
}

TEST_F(StreamBufferTest, AllStreamsShareABudgetThatIsGivenBack) {
  budget->limit = 250;
  auto one = make(), other = make();
  one->push(kItem);
  other->push(kItem);
  EXPECT_FALSE(one->push(kItem));
  other.reset();
  EXPECT_TRUE(one->push(kItem));
  one->close();
  EXPECT_EQ(budget->used, 0u);
}

TEST_F(StreamBufferTest, EndsAfterTheItemsAskedFor) {
  auto stream = make({.items = 2});
  stream->push("1");
  EXPECT_FALSE(stream->ended());
  stream->push("2");
  EXPECT_TRUE(stream->ended());
  EXPECT_FALSE(stream->push("3"));
  EXPECT_EQ(stream->take(), "data: 1\n\ndata: 2\n\n");
  EXPECT_TRUE(make({.items = 0})->ended());
}

TEST_F(StreamBufferTest, WakesOnceUntilItIsTakenFrom) {
  auto stream = make();
  int woken = 0;
  stream->push("0");
  stream->set_wake([&] { ++woken; });
  EXPECT_EQ(woken, 1);  // something was waiting already
  stream->push("1");
  EXPECT_EQ(woken, 1);
  (void)stream->take();
  stream->push("2");
  EXPECT_EQ(woken, 2);
  (void)stream->take();
  stream->end();
  EXPECT_EQ(woken, 3);
}

TEST_F(StreamBufferTest, HeartbeatOnlyBreaksSilence) {
  auto stream = make();
  stream->push("1");
  stream->heartbeat();
  EXPECT_EQ(stream->take(), "data: 1\n\n");
  stream->settle();
  stream->heartbeat();
  EXPECT_TRUE(stream->take().starts_with(":"));
  auto lines = make({.framing = StreamFraming::lines});
  lines->heartbeat();
  EXPECT_TRUE(lines->empty());
}

TEST_F(StreamBufferTest, RefusesEverythingOnceTheClientHasGone) {
  auto stream = make();
  int woken = 0;
  stream->set_wake([&] { ++woken; });
  stream->close();
  EXPECT_FALSE(stream->push("1"));
  stream->end();
  stream->heartbeat();
  EXPECT_EQ(woken, 0);
  EXPECT_TRUE(stream->empty());
}

}  // namespace
}  // namespace tenon::control
