// transport/nats through its C table against a real nats-server: what passes, and what is refused.
#include "nats_fixture.hpp"

namespace tenon::test_support {
namespace {

TEST_F(Nats, EventsPassBetweenTwoHosts) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*beta, 7, "task.*.done");
  subscribe(*beta, 8, "task.>");
  const Started sent = alpha->send({.topic = "task.a.done", .encoded = "{\"a\":1}"});
  ASSERT_TRUE(run_until([&] { return alpha->succeeded(sent) && received(*beta) == 2; }));
  EXPECT_THAT(beta->topics(7), ElementsAre("task.a.done"));
  EXPECT_THAT(beta->topics(8), ElementsAre("task.a.done"));
  const RecordedMessage message = beta->host.incoming()[0];
  EXPECT_EQ(message.encoded, "{\"a\":1}");
  EXPECT_EQ(message.content_type, "application/json");
  EXPECT_EQ(message.reply, "");
}

TEST_F(Nats, EventsOfOneSenderKeepTheirOrder) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*beta, 1, "count");
  std::vector<std::string> expected;
  for (int i = 0; i < 1000; ++i) {
    expected.push_back(std::to_string(i));
    ASSERT_EQ(alpha->send({.topic = "count", .encoded = expected.back()}).status, TENON_OK);
  }
  ASSERT_TRUE(run_until([&] { return received(*beta) == 1000; }));
  std::vector<std::string> got;
  for (const auto& message : beta->host.incoming()) got.push_back(message.encoded);
  EXPECT_EQ(got, expected);
}

TEST_F(Nats, OneMemberOfAGroupGetsEachEvent) {
  const auto sender = join("sender"), alpha = join("alpha"), beta = join("beta");
  subscribe(*alpha, 1, "work", "workers");
  subscribe(*beta, 1, "work", "workers");
  for (int i = 0; i < 100; ++i) sender->send({.topic = "work"});
  const Started last = sender->send({.topic = "work"}, true);
  ASSERT_TRUE(run_until([&] { return sender->succeeded(last) && received(*alpha) + received(*beta) == 101; }));
  EXPECT_GT(received(*alpha), 0u);
  EXPECT_GT(received(*beta), 0u);
}

TEST_F(Nats, ARequestGetsItsAnswer) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*beta, 1, "ask");
  const Started asked = alpha->request({.topic = "ask", .encoded = "{\"q\":1}"});
  ASSERT_TRUE(run_until([&] { return received(*beta) == 1; }));
  const Started answered = beta->reply(beta->host.incoming()[0].reply, {.encoded = "{\"a\":2}"});
  ASSERT_TRUE(run_until([&] { return alpha->has_ended(asked) && beta->succeeded(answered); }));
  ASSERT_TRUE(alpha->ended(asked)->reply.has_value());
  EXPECT_EQ(alpha->ended(asked)->reply->encoded, "{\"a\":2}");
  EXPECT_EQ(alpha->ended(asked)->reply->content_type, "application/json");
}

TEST_F(Nats, AnAnswerEndsNothingButARequest) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*beta, 1, "ask");
  subscribe(*alpha, 1, "news");
  alpha->request({.topic = "ask"});
  ASSERT_TRUE(run_until([&] { return received(*beta) == 1; }));
  const std::string reply = beta->host.incoming()[0].reply, inbox = reply.substr(0, reply.rfind('.') + 1);
  std::ostringstream next;
  next << inbox << std::hex << std::stoull(reply.substr(inbox.size()), nullptr, 16) + 1;
  alpha->host.script.workers_busy = true;  // the round trip that would settle it does not begin
  const Started settled = alpha->send({.topic = "x"}, true, 5s);
  Stranger stranger(server_.port());
  stranger.publish(next.str(), "forged");
  stranger.publish("news", "{}");
  ASSERT_TRUE(run_until([&] { return received(*alpha) == 1; }));
  settle_down();
  EXPECT_FALSE(alpha->has_ended(settled));
  alpha->host.advance(10s);
  EXPECT_TRUE(run_until([&] { return alpha->has_ended(settled); })) << "nobody else has taken it";
}

TEST_F(Nats, ARequestThatNobodyListensToIsUnavailableAtOnce) {
  const auto alpha = join("alpha");
  const RecordedError error = error_of(*alpha, alpha->request({.topic = "ask.nobody"}));
  EXPECT_EQ(error.code, TENON_ERR_UNAVAILABLE);
  EXPECT_TRUE(error.retryable);
  EXPECT_THAT(error.text, HasSubstr("nobody subscribes"));
}

TEST_F(Nats, ARequestWithoutAnAnswerEndsAtItsDeadline) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*beta, 1, "ask");
  const Started asked = alpha->request({.topic = "ask"}, 5s);
  ASSERT_TRUE(run_until([&] { return received(*beta) == 1; }));
  alpha->host.advance(5s);
  ASSERT_TRUE(alpha->has_ended(asked));
  EXPECT_EQ(alpha->ended(asked)->error->code, TENON_ERR_TIMEOUT);
  const Started late = beta->reply(beta->host.incoming()[0].reply, {});
  EXPECT_TRUE(run_until([&] { return beta->succeeded(late); }));  // and nobody is hurt
}

TEST_F(Nats, ALineFeedNeverReachesTheServer) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*beta, 1, ">");
  const std::string forged = "x 0\r\n\r\nPUB forged 0\r\n\r\nPUB y";
  for (const std::string& subject : {forged, "a b"s, ""s, "a.*"s, ">"s, "a..b"s, "a\0b"s}) {
    const Started sent = alpha->send({.topic = subject});
    EXPECT_EQ(sent.status, TENON_ERR_INVALID_ARGUMENT) << subject;
    EXPECT_FALSE(sent.error.retryable);
    EXPECT_THAT(sent.error.text, HasSubstr("illegal subject"));
    EXPECT_EQ(sent.error.text.find('\n'), std::string::npos);
    EXPECT_EQ(alpha->request({.topic = subject}).status, TENON_ERR_INVALID_ARGUMENT);
    EXPECT_EQ(alpha->reply(subject, {}).status, TENON_ERR_INVALID_ARGUMENT);
  }
  EXPECT_EQ(alpha->subscribe(1, forged).status, TENON_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(alpha->subscribe(1, "a", forged).status, TENON_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(alpha->send({.content_type = "application/json\r\nx: y"}).status, TENON_ERR_INVALID_ARGUMENT);
  const Started good = alpha->send({.topic = "good"}, true);
  ASSERT_TRUE(run_until([&] { return alpha->succeeded(good) && received(*beta) == 1; }));
  EXPECT_THAT(beta->topics(1), ElementsAre("good"));
}

TEST_F(Nats, StrangersSeeAndSendCloudEventsContentTypes) {
  const auto alpha = join("alpha");
  Stranger stranger(server_.port());
  stranger.subscribe("out.>");
  alpha->send({.topic = "out.1", .encoded = "{}", .content_type = "application/json"});
  EXPECT_EQ(stranger.next(), std::pair("NATS/1.0\r\ncontent-type: application/cloudevents+json\r\n\r\n"s, "{}"s));
  alpha->send({.topic = "out.2", .encoded = "\x80", .content_type = "application/msgpack"});
  EXPECT_EQ(stranger.next(), std::pair("NATS/1.0\r\ncontent-type: application/cloudevents+msgpack\r\n\r\n"s, "\x80"s));

  subscribe(*alpha, 1, "in.>");
  const std::vector<std::tuple<std::string, std::string, std::string, std::string>> cases = {
      {"{}", "", "", "application/json"},
      {"\x80", "", "", "application/msgpack"},
      {"{}", "Content-Type", "application/cloudevents+json; charset=utf-8", "application/json"},
      {"{}", "CONTENT-TYPE", "Application/CloudEvents+MsgPack", "application/msgpack"},
      {"{}", "content-type", "text/plain", "application/json"},
      {"", "", "", "application/json"},  // only what begins as a map does is MessagePack
      {"nonsense", "", "", "application/json"},
  };
  for (const auto& [payload, header, value, expected] : cases) {
    const std::size_t before = received(*alpha);
    stranger.publish("in.x", payload, header, value);
    ASSERT_TRUE(run_until([&] { return received(*alpha) == before + 1; }));
    EXPECT_EQ(alpha->host.incoming().back().content_type, expected) << header << ": " << value;
    EXPECT_EQ(alpha->host.incoming().back().encoded, payload);
  }
}

TEST_F(Nats, SettledMeansThatTheServerHasIt) {
  const auto alpha = join("alpha");
  Stranger stranger(server_.port());
  stranger.subscribe("settled");
  std::vector<Started> calls;
  for (int i = 0; i < 50; ++i) calls.push_back(alpha->send({.topic = "settled", .encoded = std::to_string(i)}, true));
  ASSERT_TRUE(run_until([&] { return alpha->has_ended(calls.back()); }));
  for (const Started& call : calls) EXPECT_TRUE(alpha->succeeded(call));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(stranger.next().second, std::to_string(i));
}

TEST_F(Nats, AServerThatHangsSettlesNothingAndTheLoopGoesOn) {
  const auto alpha = join("alpha");
  server_.pause();
  const Started settled = alpha->send({.topic = "x"}, true, 5s);
  const Started healthy = alpha->health_check(5s);
  // Far more than the sockets take: publish would block here.
  for (int i = 0; i < 200; ++i) alpha->send({.topic = "x", .encoded = std::string(500'000, 'x')});
  EXPECT_FALSE(alpha->has_ended(settled));
  alpha->host.advance(5s);
  EXPECT_EQ(error_of(*alpha, settled).code, TENON_ERR_TIMEOUT);
  EXPECT_EQ(error_of(*alpha, healthy).code, TENON_ERR_TIMEOUT);
  server_.resume();
}

TEST_F(Nats, AFullOutputBufferRefusesAndReportsBackPressureUntilItDrains) {
  const auto alpha = join("alpha", R"({"max_pending":"1MiB"})");
  server_.pause();
  Started last;
  int accepted = 0;
  while ((last = alpha->send({.topic = "x", .encoded = std::string(100'000, 'x')})).status == TENON_OK)
    ASSERT_LT(++accepted, 10'000);
  EXPECT_EQ(last.status, TENON_ERR_EXHAUSTED);
  EXPECT_TRUE(last.error.retryable);
  EXPECT_THAT(alpha->host.back_pressure(), ElementsAre(1u));
  server_.resume();
  ASSERT_TRUE(run_until([&] { return alpha->host.back_pressure().size() == 2; }));
  EXPECT_EQ(alpha->host.back_pressure().back(), 0u);
}

TEST_F(Nats, AnEventOverTheServersLimitIsRefused) {
  const auto alpha = join("alpha");
  EXPECT_EQ(alpha->describe().max_message, 1024u * 1024);
  const Started sent = alpha->send({.encoded = std::string(1024 * 1024 + 1, 'x')});
  EXPECT_EQ(sent.status, TENON_ERR_INVALID_ARGUMENT);
  EXPECT_THAT(sent.error.text, HasSubstr("max_payload"));
}

TEST_F(Nats, AHostWithoutRoomGetsItsEventsInOrderAfterResumeAndIsToldWhatItLost) {
  const auto alpha = join("alpha"), beta = join("beta", R"({"max_pending":"64KiB"})");
  subscribe(*beta, 3, "flood.*");
  beta->host.answer_incoming_with(TENON_ERR_EXHAUSTED);
  for (int i = 0; i < 10; ++i)
    alpha->send({.topic = "flood." + std::to_string(i), .encoded = std::string(10'000, 'x')});
  // What nats.c itself has dropped comes to light with a round trip.
  const Started sent = alpha->send({.topic = "other"}, true);
  ASSERT_TRUE(run_until([&] { return alpha->succeeded(sent); }));
  const Started healthy = beta->health_check();
  ASSERT_TRUE(run_until([&] { return beta->succeeded(healthy) && beta->host.slow_consumers()[3] == 4; }));
  EXPECT_EQ(received(*beta), 0u);
  beta->host.answer_incoming_with(TENON_OK);
  beta->resume();
  EXPECT_THAT(beta->topics(3), ElementsAre("flood.0", "flood.1", "flood.2", "flood.3", "flood.4", "flood.5"));
  alpha->send({.topic = "flood.after"});
  EXPECT_TRUE(run_until([&] { return received(*beta) == 7; }));
}

TEST_F(Nats, NothingComesAfterUnsubscribing) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*beta, 1, "news");
  const Started ended = beta->unsubscribe(1);
  ASSERT_TRUE(run_until([&] { return beta->succeeded(ended); }));
  subscribe(*beta, 2, "news");
  const Started sent = alpha->send({.topic = "news"}, true);
  ASSERT_TRUE(run_until([&] { return alpha->succeeded(sent) && received(*beta) == 1; }));
  EXPECT_EQ(beta->topics(1).size(), 0u);
}

}  // namespace
}  // namespace tenon::test_support
