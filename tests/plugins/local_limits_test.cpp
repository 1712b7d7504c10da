// transport/local and those who break its rules, read too slowly or say too much.
#include "plugins/local_fixture.hpp"

namespace tenon::test_support {
namespace {

TEST_F(Local, GarbageClosesThatPeerAndDisturbsNobody) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*beta, 1, "news");
  const std::string message = text16("news") + text8("raw") + big_endian(1, 1) + text8("application/json") + "{}";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"GET / HTTP/1.1\r\n\r\n", "over the limit"},   // its first four octets are a length
      {big_endian(0xffffffff, 4), "over the limit"},  // 4 GiB
      {big_endian(0, 4), "shorter than its header"},
      {frame(99, 0, ""), "unknown type"},
      {frame(5, 0, message), "HELLO comes first"},
      {hello("raw", 2), "speaks version 2"},
      {hello("raw") + hello("raw"), "HELLO comes first"},
      {hello("raw") + frame(7, 0, big_endian(1, 2) + big_endian(1, 8) + text8("") + message), "spoke as a listener"},
      {hello("raw") + frame(3, 1, big_endian(1, 8) + text16("a..b") + text8("")), "illegal pattern"},
      {hello("raw") + frame(5, 0, text16("a\r\nb") + text8("raw") + big_endian(1, 1) + text8("x") + "{}"),
       "illegal topic"},
      {hello("raw") + frame(5, 0, text16("news") + text8("raw")), "ends too early"},
      {hello("raw") + frame(11, 1, "more"), "wrong size"},
      {hello("raw") + frame(5, 0, big_endian(0xffff, 2) + "x"), "ends too early"},
  };
  for (const auto& [octets, expected] : cases) {
    RawPeer raw(path_);
    ASSERT_TRUE(raw.connected());
    raw.write(octets);
    EXPECT_TRUE(run_until([&] { return raw.was_closed(); })) << expected;
    EXPECT_TRUE(alpha->logged(expected)) << expected;
  }
  alpha->send({.topic = "news"});
  EXPECT_TRUE(run_until([&] { return received(*beta) == 1; }));
}

TEST_F(Local, HalfAFrameWaitsForItsOtherHalfAndAStrangerThatSaysNothingIsCutOff) {
  const auto alpha = join("alpha");
  subscribe(*alpha, 1, "news");
  RawPeer raw(path_), silent(path_);
  const std::string octets =
      hello("raw") + frame(5, 0, text16("news") + text8("raw") + big_endian(1, 1) + text8("application/json") + "{}");
  for (const char c : octets) {
    raw.write(std::string(1, c));
    settle_down(1);
  }
  EXPECT_TRUE(run_until([&] { return received(*alpha) == 1; }));
  RawPeer torn(path_);
  torn.write(octets.substr(0, octets.size() - 1));
  settle_down();
  torn.close();
  settle_down();
  EXPECT_EQ(received(*alpha), 1u);
  alpha->host.advance(5s);
  EXPECT_TRUE(run_until([&] { return silent.was_closed(); }));
  EXPECT_FALSE(raw.was_closed());
}

TEST_F(Local, ASlowPeerLosesEventsAndHoldsUpNobody) {
  const auto alpha = join("alpha", R"({"max_buffer":"64KiB"})"), beta = join("beta");
  subscribe(*beta, 1, "flood");
  RawPeer slow(path_);
  slow.write(hello("slow") + frame(3, 0, big_endian(1, 8) + text16("flood") + text8("")));
  settle_down();
  const std::string payload(16 * 1024, 'x');
  for (int i = 0; i < 100; ++i) {
    const Started sent = alpha->send({.topic = "flood", .encoded = payload}, true);
    ASSERT_TRUE(
        run_until([&] { return alpha->succeeded(sent) && received(*beta) == static_cast<std::size_t>(i) + 1; }));
  }
  EXPECT_GT(alpha->host.metrics()["slow_peer_drops"], 0);
  EXPECT_TRUE(alpha->logged("host slow reads too slowly"));
}

TEST_F(Local, WhatTheOnlyReceiverHasNoRoomForIsRefusedAsExhausted) {
  const auto alpha = join("alpha", R"({"max_buffer":"64KiB"})");
  RawPeer slow(path_);
  slow.write(hello("slow") + frame(3, 0, big_endian(1, 8) + text16("flood") + text8("")));
  settle_down();
  std::optional<RecordedError> error;
  for (int i = 0; i < 100 && !error; ++i) {
    const Started sent = alpha->send({.topic = "flood", .encoded = std::string(16 * 1024, 'x')}, true);
    ASSERT_TRUE(run_until([&] { return alpha->has_ended(sent); }));
    error = alpha->ended(sent)->error;
  }
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, TENON_ERR_EXHAUSTED);
  EXPECT_TRUE(error->retryable);
}

TEST_F(Local, AHostWithoutRoomGetsItsEventsInOrderAfterResumeAndIsToldWhatItLost) {
  const auto alpha = join("alpha", R"({"max_buffer":"64KiB"})"), beta = join("beta", R"({"max_buffer":"64KiB"})");
  subscribe(*alpha, 1, "to.alpha.*");
  subscribe(*beta, 2, "to.beta.*");
  const auto check = [](TransportInstance& from, TransportInstance& to, const std::string& topic,
                        std::uint64_t subscription) {
    to.host.answer_incoming_with(TENON_ERR_EXHAUSTED);
    for (int i = 0; i < 10; ++i) {
      const Started sent = from.send({.topic = topic + std::to_string(i), .encoded = std::string(10'000, 'x')}, true);
      ASSERT_TRUE(run_until([&] { return from.has_ended(sent); }));
      settle_down(5);  // so that nothing waits at the sender
    }
    EXPECT_EQ(received(to), 0u);
    to.host.answer_incoming_with(TENON_OK);
    to.resume();
    EXPECT_THAT(to.topics(subscription),
                ElementsAre(topic + "0", topic + "1", topic + "2", topic + "3", topic + "4", topic + "5"));
    EXPECT_THAT(to.host.slow_consumers(), ElementsAre(std::pair(subscription, 4u))) << topic;
  };
  check(*alpha, *beta, "to.beta.", 2);
  check(*beta, *alpha, "to.alpha.", 1);
}

TEST_F(Local, AFullOutputBufferRefusesAndReportsBackPressureUntilItDrains) {
  const auto alpha = join("alpha");
  const auto beta = join("beta", R"({"max_buffer":"256KiB"})");
  subscribe(*alpha, 1, "flood");
  std::size_t accepted = 0;
  Started last;
  // The listener's loop stands still, so nothing is read.
  while ((last = beta->send({.topic = "flood", .encoded = std::string(60'000, 'x')})).status == TENON_OK) {
    ASSERT_LT(++accepted, 1000u);
    beta->host.pump_once();
  }
  EXPECT_EQ(last.status, TENON_ERR_EXHAUSTED);
  EXPECT_TRUE(last.error.retryable);
  EXPECT_THAT(beta->host.back_pressure(), ElementsAre(1u));
  ASSERT_TRUE(run_until([&] { return received(*alpha) == accepted; }));
  EXPECT_THAT(beta->host.back_pressure(), ElementsAre(1u, 0u));
  EXPECT_EQ(beta->send({.topic = "flood"}).status, TENON_OK);
}

TEST_F(Local, ALinkThatIsLostUnderBackPressureTakesNothingMore) {
  auto alpha = join("alpha");
  const auto beta = join("beta", R"({"max_buffer":"256KiB"})");
  subscribe(*alpha, 1, "flood");
  const auto flood = [&] { return beta->send({.topic = "flood", .encoded = std::string(60'000, 'x')}).status; };
  while (flood() == TENON_OK) beta->host.pump_once();
  ASSERT_THAT(beta->host.back_pressure(), ElementsAre(1u));
  tenon_status sent_then = TENON_OK;
  beta->host.when_back_pressure([&](std::uint32_t on) {
    if (on == 0) sent_then = flood();
  });
  alpha.reset();
  ASSERT_TRUE(run_until([&] { return beta->host.back_pressure().size() == 2; }));
  EXPECT_EQ(sent_then, TENON_ERR_UNAVAILABLE);
  beta->host.when_back_pressure({});
}

TEST_F(Local, AnEventOverTheFrameLimitIsRefusedAndNamesTheLimit) {
  const auto alpha = join("alpha", R"({"max_frame":"64KiB"})"), beta = join("beta");
  const Started sent = beta->send({.encoded = std::string(62'000, 'x')});  // the listener accepts less than beta would
  EXPECT_EQ(sent.status, TENON_ERR_INVALID_ARGUMENT);
  EXPECT_THAT(sent.error.text, HasSubstr("61440"));
  EXPECT_EQ(alpha->describe().max_message, 61440u);
  EXPECT_EQ(make("gamma", R"({"max_frame":"1B"})")->created.status, TENON_ERR_INVALID_ARGUMENT);
}

TEST_F(Local, IllegalTopicsPatternsAndGroupsAreRefused) {
  const auto alpha = join("alpha");
  for (const std::string topic : {"", ".", "a..b", "a b", "a.*", ">", "a\r\nPUB x 1", "a.", "\x7f"}) {
    EXPECT_EQ(alpha->send({.topic = topic}).status, TENON_ERR_INVALID_ARGUMENT) << topic;
    EXPECT_EQ(alpha->request({.topic = topic}).status, TENON_ERR_INVALID_ARGUMENT) << topic;
  }
  for (const std::string pattern : {"", "a..b", ">.a", "a b", "a\n"})
    EXPECT_EQ(alpha->subscribe(1, pattern).status, TENON_ERR_INVALID_ARGUMENT) << pattern;
  EXPECT_EQ(alpha->subscribe(1, "a", "two words").status, TENON_ERR_INVALID_ARGUMENT);
  EXPECT_EQ(alpha->subscribe(1, "a").status, TENON_OK);
  EXPECT_EQ(alpha->subscribe(1, "b").status, TENON_ERR_ALREADY_EXISTS);
  EXPECT_EQ(alpha->unsubscribe(2).status, TENON_ERR_NOT_FOUND);
}

}  // namespace
}  // namespace tenon::test_support
