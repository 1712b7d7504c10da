#include "control_server_fixture.hpp"

namespace tenon::control {
namespace {

using ::testing::HasSubstr;

class ControlStreams : public ControlServerTest {
 protected:
  void wait_for_tails(std::size_t count) {
    wait_until([&] { return host_.tails.size() == count; });
  }
  // Pushes and waits for nothing: the pushes of one call leave together.
  void push(std::string_view json) {
    on_loop([&] { host_.push_to_tails(json); });
  }
};

TEST_F(ControlStreams, EventsArriveAsTheyPass) {
  serve();
  RawClient client = connect();
  client.get("/v1/events?topic=a.%3E");
  const RawAnswer head = client.head();
  EXPECT_EQ(head.fields.at("Content-Type"), "text/event-stream");
  EXPECT_EQ(head.fields.at("Transfer-Encoding"), "chunked");
  push("{\"n\":1}");
  EXPECT_EQ(client.chunk(), "data: {\"n\":1}\n\n");
  push("{\"n\":2}");
  EXPECT_EQ(client.chunk(), "data: {\"n\":2}\n\n");
}

TEST_F(ControlStreams, StreamEndsCleanlyAfterTheItemsAskedFor) {
  serve();
  RawClient client = connect();
  client.get("/v1/events?topic=a&n=1");
  client.head();
  push("1");
  EXPECT_EQ(client.chunk(), "data: 1\n\n");
  EXPECT_EQ(client.chunk(), "");
  EXPECT_TRUE(client.at_end());
  wait_for_tails(0);
}

TEST_F(ControlStreams, StreamEndsCleanlyWhenItsSourceDoes) {
  serve();
  RawClient client = connect();
  client.get("/v1/events?topic=a");
  client.head();
  on_loop([&] {
    for (auto& [number, stream] : host_.tails) stream.sink->end();
  });
  EXPECT_EQ(client.read_until("\r\n\r\n"), "0");
}

TEST_F(ControlStreams, OldClientsReadToTheEndOfTheConnection) {
  serve();
  RawClient client = connect();
  client.send("GET /v1/events?topic=a&n=1 HTTP/1.0\r\n\r\n");
  EXPECT_FALSE(client.head().fields.contains("Transfer-Encoding"));
  push("1");
  EXPECT_EQ(client.read_to_end(), "data: 1\n\n");
}

TEST_F(ControlStreams, ClientThatLeavesFreesItsSubscription) {
  serve();
  {
    RawClient client = connect();
    client.get("/v1/events?topic=a");
    client.head();
    EXPECT_EQ(on_loop([&] { return host_.tails.size(); }), 1u);
  }
  wait_for_tails(0);
  wait_until([&] { return server_->connections() == 0; });
}

TEST_F(ControlStreams, SilentStreamShowsThatItLives) {
  serve({.times = {.heartbeat = std::chrono::milliseconds(10)}});
  RawClient client = connect();
  client.get("/v1/events?topic=a");
  client.head();
  EXPECT_TRUE(client.chunk().starts_with(":"));
  push("1");
  while (true) {
    const std::string chunk = client.chunk();
    if (chunk.starts_with(":")) continue;
    EXPECT_EQ(chunk, "data: 1\n\n");
    break;
  }
}

TEST_F(ControlStreams, SlowClientLosesItemsIsToldHowManyAndDisturbsNobody) {
  serve({.api = {.stream_bytes = 64 << 10}});
  RawClient slow = connect(), quick = connect();
  slow.get("/v1/events?topic=a");
  quick.get("/v1/events?topic=a");
  slow.head();
  quick.head();
  const std::string item(1000, '7');
  constexpr int kItems = 4000;  // far more than a socket and the stream's buffer hold
  for (int i = 0; i < kItems; ++i) {
    push(item);
    ASSERT_EQ(quick.chunk(), "data: " + item + "\n\n");
  }
  EXPECT_LE(on_loop([&] { return server_->stream_bytes_held(); }), std::size_t{128} << 10);

  int received = 0;
  long dropped = 0;
  push("\"last\"");
  while (received + dropped < kItems) {
    const std::string text = slow.read_until("\n\n");
    ASSERT_FALSE(text.empty());
    if (const auto at = text.find("{\"dropped\":"); at != text.npos) {
      dropped += std::stol(text.substr(at + 11));
    } else if (text.find(item) != text.npos) {
      ++received;
    }
  }
  EXPECT_GT(dropped, 0);
  EXPECT_GT(received, 0);
}

TEST_F(ControlStreams, TwoHundredTailsDisturbNobody) {
  serve();
  std::vector<RawClient> tails;
  for (int i = 0; i < 200; ++i) {
    tails.push_back(connect());
    tails.back().get("/v1/events?topic=%3E");
  }
  wait_for_tails(200);
  const std::string item(2000, '7');
  RawClient client = connect();
  for (int i = 0; i < 200; ++i) {  // nobody reads the tails meanwhile: most of them stall
    push(item);
    client.get("/v1/processes");
    ASSERT_EQ(client.answer().status, 200);
  }
  for (RawClient& tail : tails) {
    tail.head();
    EXPECT_THAT(tail.chunk(), HasSubstr(item));
  }
  tails.clear();
  wait_for_tails(0);
}

TEST_F(ControlStreams, LogsComeAsLinesOrAsAStream) {
  host_.log_lines = {"{\"text\":\"a\"}", "{\"text\":\"b\"}"};
  serve();
  RawClient client = connect();
  client.get("/v1/processes/x/logs");
  EXPECT_EQ(client.head().fields.at("Content-Type"), "application/x-ndjson");
  EXPECT_EQ(client.chunk(), "{\"text\":\"a\"}\n{\"text\":\"b\"}\n");
  EXPECT_EQ(client.chunk(), "");

  RawClient follower = connect();
  follower.get("/v1/processes/x/logs?follow=1");
  follower.head();
  EXPECT_EQ(follower.chunk(), "data: {\"text\":\"a\"}\n\ndata: {\"text\":\"b\"}\n\n");
  on_loop([&] { host_.followers.begin()->second.sink->push("{\"text\":\"c\"}"); });
  EXPECT_EQ(follower.chunk(), "data: {\"text\":\"c\"}\n\n");
}

TEST_F(ControlStreams, WhatAStreamingClientSaysIsIgnored) {
  serve();
  RawClient client = connect();
  client.get("/v1/events?topic=a");
  client.head();
  client.post("/v1/shutdown", "");
  push("1");
  EXPECT_EQ(client.chunk(), "data: 1\n\n");
  EXPECT_EQ(on_loop([&] { return host_.shutdowns; }), 0);
}

TEST_F(ControlStreams, ServerThatClosesFreesEverySubscription) {
  serve();
  RawClient client = connect();
  client.get("/v1/events?topic=a");
  client.head();
  on_loop([&] { server_.reset(); });
  EXPECT_EQ(on_loop([&] { return host_.tails.size(); }), 0u);
}

}  // namespace
}  // namespace tenon::control
