// transport/local through its C table: several hosts of one machine that meet at one socket.
#include "plugins/local_fixture.hpp"

namespace tenon::test_support {
namespace {

TEST_F(Local, TheFirstHostListensAndEventsPassBothWays) {
  const auto alpha = join("alpha");
  const auto beta = join("beta");
  subscribe(*alpha, 1, "from.beta");
  subscribe(*beta, 2, "from.alpha");
  ASSERT_EQ(alpha->send({.topic = "from.alpha", .encoded = "{\"a\":1}"}).status, TENON_OK);
  ASSERT_EQ(beta->send({.topic = "from.beta", .encoded = "\x81\x01", .content_type = "application/msgpack"}).status,
            TENON_OK);
  ASSERT_TRUE(run_until([&] { return received(*alpha) == 1 && received(*beta) == 1; }));
  const RecordedMessage at_beta = beta->host.incoming()[0];
  EXPECT_EQ(at_beta.subscription, 2u);
  EXPECT_EQ(at_beta.topic, "from.alpha");
  EXPECT_EQ(at_beta.encoded, "{\"a\":1}");
  EXPECT_EQ(at_beta.content_type, "application/json");
  EXPECT_EQ(at_beta.origin, "alpha");
  EXPECT_EQ(at_beta.hops, 1u);
  EXPECT_EQ(at_beta.reply, "");
  EXPECT_EQ(alpha->host.incoming()[0].content_type, "application/msgpack");
  EXPECT_EQ(alpha->host.incoming()[0].origin, "beta");
}

TEST_F(Local, TwoConnectedHostsReachEachOtherThroughTheListener) {
  const auto alpha = join("alpha"), beta = join("beta"), gamma = join("gamma");
  subscribe(*gamma, 1, "news.>");
  const Started sent = beta->send({.topic = "news.today"}, true);
  ASSERT_TRUE(run_until([&] { return received(*gamma) == 1 && beta->succeeded(sent); }));
  EXPECT_EQ(gamma->host.incoming()[0].origin, "beta");
  EXPECT_EQ(received(*alpha), 0u);
}

TEST_F(Local, OnlyMatchingSubscriptionsGetAnEventAndEachOfThemOnce) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*beta, 1, "task.*.done");
  subscribe(*beta, 2, "task.>");
  subscribe(*beta, 3, "task.a.done");
  subscribe(*beta, 4, "task.*");
  subscribe(*beta, 5, "other.>");
  alpha->send({.topic = "task.a.done"});
  alpha->send({.topic = "task"});
  ASSERT_TRUE(run_until([&] { return received(*beta) == 3; }));
  settle_down();
  EXPECT_THAT(beta->topics(1), ElementsAre("task.a.done"));
  EXPECT_THAT(beta->topics(2), ElementsAre("task.a.done"));
  EXPECT_THAT(beta->topics(3), ElementsAre("task.a.done"));
  EXPECT_EQ(received(*beta), 3u);
}

TEST_F(Local, OneMemberOfAGroupGetsEachEventInTurnTheListenerIncluded) {
  const auto alpha = join("alpha"), beta = join("beta"), gamma = join("gamma"), sender = join("sender");
  subscribe(*alpha, 1, "work.>", "workers");
  subscribe(*beta, 1, "work.*", "workers");
  subscribe(*gamma, 1, "work.item", "workers");
  for (int i = 0; i < 9; ++i) sender->send({.topic = "work.item"});
  ASSERT_TRUE(run_until([&] { return received(*alpha) + received(*beta) + received(*gamma) == 9; }));
  settle_down();
  EXPECT_EQ(received(*alpha), 3u);
  EXPECT_EQ(received(*beta), 3u);
  EXPECT_EQ(received(*gamma), 3u);
}

TEST_F(Local, AGroupGoesOnWithoutAMemberThatLeft) {
  const auto alpha = join("alpha"), sender = join("sender");
  auto beta = join("beta");
  subscribe(*alpha, 1, "work", "workers");
  subscribe(*beta, 1, "work", "workers");
  beta.reset();
  settle_down();
  for (int i = 0; i < 4; ++i) sender->send({.topic = "work"});
  EXPECT_TRUE(run_until([&] { return received(*alpha) == 4; }));
}

TEST_F(Local, AnEventNeverReturnsToItsOrigin) {
  const auto alpha = join("alpha"), beta = join("beta"), gamma = join("gamma");
  for (auto* node : {alpha.get(), beta.get(), gamma.get()}) subscribe(*node, 1, "loop.>");
  // Gamma passes on what entered the federation at beta.
  const Started sent = gamma->send({.topic = "loop.x", .origin = "beta", .hops = 3}, true);
  ASSERT_TRUE(run_until([&] { return received(*alpha) == 1 && gamma->succeeded(sent); }));
  EXPECT_EQ(alpha->host.incoming()[0].origin, "beta");
  EXPECT_EQ(alpha->host.incoming()[0].hops, 4u);
  const Started own = alpha->send({.topic = "loop.y"}, true);
  ASSERT_TRUE(run_until([&] { return alpha->succeeded(own) && received(*beta) == 1 && received(*gamma) == 2; }));
  settle_down();
  EXPECT_EQ(received(*alpha), 1u);
  EXPECT_EQ(received(*beta), 1u);
  EXPECT_THAT(gamma->topics(1),
              ElementsAre("loop.x", "loop.y"));  // of beta's event it is a receiver too: it only carried it
}

TEST_F(Local, AnEventThatHasPassedEightHostsGoesNoFurther) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*beta, 1, ">");
  EXPECT_EQ(alpha->send({.origin = "elsewhere", .hops = 7}).status, TENON_OK);
  const Started refused = alpha->send({.origin = "elsewhere", .hops = 8});
  EXPECT_EQ(refused.status, TENON_ERR_INVALID_ARGUMENT);
  EXPECT_FALSE(refused.error.retryable);
  EXPECT_THAT(refused.error.text, HasSubstr("loop"));
  EXPECT_TRUE(run_until([&] { return received(*beta) == 1; }));
  EXPECT_EQ(beta->host.incoming()[0].hops, 8u);
}

TEST_F(Local, ARequestIsAnsweredWhicheverSideListens) {
  const auto alpha = join("alpha"), beta = join("beta"), gamma = join("gamma");
  subscribe(*alpha, 1, "ask.alpha");
  subscribe(*beta, 1, "ask.beta");
  const auto ask = [](TransportInstance& asker, TransportInstance& answerer, const std::string& topic) {
    const std::size_t before = received(answerer);
    const Started asked = asker.request({.topic = topic, .encoded = "{\"q\":1}"});
    ASSERT_EQ(asked.status, TENON_OK) << asked.error.text;
    ASSERT_TRUE(run_until([&] { return received(answerer) == before + 1; }));
    const std::string reply = answerer.host.incoming().back().reply;
    ASSERT_NE(reply, "");
    const Started answered = answerer.reply(reply, {.topic = "answer.1", .encoded = "{\"a\":2}"});
    ASSERT_TRUE(run_until([&] { return asker.has_ended(asked) && answerer.succeeded(answered); }));
    ASSERT_TRUE(asker.ended(asked)->reply.has_value());
    EXPECT_EQ(asker.ended(asked)->reply->encoded, "{\"a\":2}");
    EXPECT_EQ(asker.ended(asked)->reply->topic, "answer.1");
  };
  ask(*alpha, *beta, "ask.beta");
  ask(*beta, *alpha, "ask.alpha");
  ask(*gamma, *beta, "ask.beta");
}

TEST_F(Local, OnlyTheFirstAnswerCountsAndTheSecondIsToldSo) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*alpha, 1, "ask");
  subscribe(*alpha, 2, "ask");
  const Started asked = beta->request({.topic = "ask"});
  ASSERT_TRUE(run_until([&] { return received(*alpha) == 2; }));
  const auto incoming = alpha->host.incoming();
  const Started first = alpha->reply(incoming[0].reply, {.encoded = "1"});
  const Started second = alpha->reply(incoming[1].reply, {.encoded = "2"});
  ASSERT_TRUE(run_until([&] { return alpha->has_ended(second) && beta->has_ended(asked); }));
  EXPECT_TRUE(alpha->succeeded(first));
  EXPECT_EQ(alpha->ended(second)->error->code, TENON_ERR_NOT_FOUND);
  EXPECT_EQ(beta->ended(asked)->reply->encoded, "1");
}

TEST_F(Local, ARequestThatNobodyListensToIsUnavailableAtOnce) {
  const auto alpha = join("alpha"), beta = join("beta");
  for (auto* node : {alpha.get(), beta.get()}) {
    const Started asked = node->request({.topic = "ask.nobody"});
    ASSERT_TRUE(run_until([&] { return node->has_ended(asked); }));
    EXPECT_EQ(node->ended(asked)->error->code, TENON_ERR_UNAVAILABLE);
    EXPECT_TRUE(node->ended(asked)->error->retryable);
  }
}

TEST_F(Local, ARequestWithoutAnAnswerEndsAtItsDeadline) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*alpha, 1, "ask.>");
  subscribe(*beta, 1, "ask.>");
  for (auto* node : {alpha.get(), beta.get()}) {
    auto& other = node == alpha.get() ? *beta : *alpha;
    const Started asked = node->request({.topic = "ask.slow"}, 2s);
    ASSERT_TRUE(run_until([&] { return received(other) == 1; }));
    EXPECT_FALSE(node->has_ended(asked));
    node->host.advance(2s);
    ASSERT_TRUE(node->has_ended(asked));
    EXPECT_EQ(node->ended(asked)->error->code, TENON_ERR_TIMEOUT);
    alpha->host.advance(3s);  // the listener forgets it too
    const Started late = other.reply(other.host.incoming()[0].reply, {});
    ASSERT_TRUE(run_until([&] { return other.has_ended(late); }));
    EXPECT_EQ(other.ended(late)->error->code, TENON_ERR_NOT_FOUND);
  }
}

TEST_F(Local, WhenTheListenerDiesAnotherTakesOverAndSubscriptionsLive) {
  auto alpha = join("alpha");
  const auto beta = join("beta"), gamma = join("gamma");
  subscribe(*beta, 1, "news");
  subscribe(*gamma, 1, "news");
  alpha.reset();
  ASSERT_TRUE(run_until([&] { return beta->host.states().size() > 3 && gamma->host.states().size() > 3; }));
  for (const auto* node : {beta.get(), gamma.get()}) {
    const auto states = node->host.states();
    EXPECT_EQ(states[2].state, TENON_TRANSPORT_RECONNECTING);
    EXPECT_THAT(states[2].why->text, HasSubstr("lost the listening host"));
    EXPECT_EQ(states[3].state, TENON_TRANSPORT_CONNECTED);
  }
  EXPECT_NE(beta->logged("listening at"), gamma->logged("listening at"));  // exactly one of them
  ASSERT_EQ(beta->send({.topic = "news"}).status, TENON_OK);
  ASSERT_EQ(gamma->send({.topic = "news"}).status, TENON_OK);
  EXPECT_TRUE(run_until([&] { return received(*beta) == 1 && received(*gamma) == 1; }));
}

TEST_F(Local, WhileTheListenerIsAwayCallsAreRefusedAndThoseUnderWayFail) {
  auto alpha = join("alpha");
  const auto beta = join("beta", R"({"mode":"connect"})");
  subscribe(*beta, 1, "ask");
  subscribe(*alpha, 1, "ask");
  const Started asked = beta->request({.topic = "ask"});
  ASSERT_TRUE(run_until([&] { return received(*alpha) == 1; }));
  alpha.reset();
  ASSERT_TRUE(run_until([&] { return beta->has_ended(asked); }));
  EXPECT_EQ(beta->ended(asked)->error->code, TENON_ERR_UNAVAILABLE);
  EXPECT_TRUE(beta->ended(asked)->error->retryable);
  const Started sent = beta->send({});
  EXPECT_EQ(sent.status, TENON_ERR_UNAVAILABLE);
  EXPECT_TRUE(sent.error.retryable);
  EXPECT_EQ(beta->health_check().status, TENON_ERR_UNAVAILABLE);
  // A subscription made meanwhile is in force when the connection is back.
  subscribe(*beta, 2, "later");
  const auto back = join("alpha");
  ASSERT_TRUE(run_until([&] { return beta->state() == TENON_TRANSPORT_CONNECTED; }));
  back->send({.topic = "later"});
  EXPECT_TRUE(run_until([&] { return beta->topics(2).size() == 1; }));
}

TEST_F(Local, HostsThatStartTogetherAgreeOnOneListener) {
  std::vector<std::unique_ptr<TransportInstance>> nodes;
  std::vector<Started> calls;
  for (int i = 0; i < 8; ++i) nodes.push_back(make("node" + std::to_string(i)));
  for (auto& node : nodes) calls.push_back(node->connect());
  ASSERT_TRUE(run_until([&] {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (!nodes[i]->succeeded(calls[i])) return false;
    }
    return true;
  }));
  int listeners = 0;
  for (auto& node : nodes) listeners += node->logged("listening at") ? 1 : 0;
  EXPECT_EQ(listeners, 1);
}

TEST_F(Local, TheSocketIsForItsOwnerOnlyAndGoesWithTheListener) {
  auto alpha = join("alpha");
  struct stat found {};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  alpha.reset();
  EXPECT_NE(::stat(path_.c_str(), &found), 0);
}

TEST_F(Local, AStaleSocketIsReplacedButAnyOtherFileIsLeftAlone) {
  { std::ofstream(path_) << "precious"; }
  const auto refused = make("alpha", R"({"mode":"listen"})");
  const Started call = refused->connect();
  ASSERT_TRUE(run_until([&] { return refused->has_ended(call); }));
  EXPECT_EQ(refused->ended(call)->error->code, TENON_ERR_ALREADY_EXISTS);
  EXPECT_THAT(refused->ended(call)->error->text, HasSubstr("no socket"));
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));

  std::filesystem::remove(path_);
  const int stale = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(stale, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(stale);
  join("alpha");
}

TEST_F(Local, ModesAreKept) {
  const auto alone = make("alone", R"({"mode":"connect"})");
  const Started nobody = alone->connect();
  ASSERT_TRUE(run_until([&] { return alone->has_ended(nobody); }));
  EXPECT_EQ(alone->ended(nobody)->error->code, TENON_ERR_UNAVAILABLE);
  EXPECT_THAT(alone->ended(nobody)->error->text, HasSubstr(path_));
  EXPECT_EQ(alone->state(), TENON_TRANSPORT_DISCONNECTED);
  EXPECT_FALSE(std::filesystem::exists(path_));

  const auto first = join("first", R"({"mode":"listen"})");
  const auto second = make("second", R"({"mode":"listen"})");
  const Started taken = second->connect();
  ASSERT_TRUE(run_until([&] { return second->has_ended(taken); }));
  EXPECT_EQ(second->ended(taken)->error->code, TENON_ERR_ALREADY_EXISTS);
  EXPECT_EQ(make("third", R"({"mode":"sideways"})")->created.status, TENON_ERR_INVALID_ARGUMENT);
}

TEST_F(Local, AUrlThatCannotWorkIsRefusedWithASentence) {
  for (const std::string url : {"tcp://127.0.0.1:1", "unix://relative.sock", "unix://", ""}) {
    const TransportInstance bad(table(), "alpha", url);
    EXPECT_EQ(bad.created.status, TENON_ERR_INVALID_ARGUMENT) << url;
    EXPECT_THAT(bad.created.error.text, HasSubstr("unix:///")) << url;
  }
  const TransportInstance longer(table(), "alpha", "unix:///" + std::string(200, 'x'));
  EXPECT_THAT(longer.created.error.text, HasSubstr("107"));
}

TEST_F(Local, NothingComesAfterUnsubscribing) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*beta, 1, "news");
  subscribe(*alpha, 1, "news");
  for (auto* node : {alpha.get(), beta.get()}) {
    auto& other = node == alpha.get() ? *beta : *alpha;
    const Started ended = node->unsubscribe(1);
    ASSERT_TRUE(run_until([&] { return node->succeeded(ended); }));
    const Started sent = other.send({.topic = "news"}, true);
    ASSERT_TRUE(run_until([&] { return other.succeeded(sent); }));
    settle_down();
    EXPECT_EQ(received(*node), 0u);
  }
}

TEST_F(Local, SubscriptionsMadeBeforeConnectingAreInForceWhenConnected) {
  const auto alpha = join("alpha");
  const auto beta = make("beta");
  subscribe(*beta, 1, "news");
  const Started call = beta->connect();
  ASSERT_TRUE(run_until([&] { return beta->succeeded(call); }));
  alpha->send({.topic = "news"});
  EXPECT_TRUE(run_until([&] { return received(*beta) == 1; }));
}

TEST_F(Local, DisconnectingSendsWhatIsBufferedFirst) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*alpha, 1, "last.words");
  for (int i = 0; i < 50; ++i) beta->send({.topic = "last.words", .encoded = std::string(10'000, 'x')});
  const Started call = beta->disconnect();
  EXPECT_EQ(beta->send({}).status, TENON_ERR_WRONG_STATE);
  ASSERT_TRUE(run_until([&] { return beta->has_ended(call); }));
  EXPECT_TRUE(beta->succeeded(call));
  EXPECT_EQ(received(*alpha), 50u);
  EXPECT_EQ(beta->state(), TENON_TRANSPORT_DISCONNECTED);
  const Started again = beta->connect();
  EXPECT_TRUE(run_until([&] { return beta->succeeded(again); }));
}

TEST_F(Local, DisconnectingFromAListenerThatHangsEndsAtTheDeadline) {
  const auto alpha = join("alpha"), beta = join("beta");
  beta->send({.topic = "last.words"});
  const Started call = beta->disconnect(1s);
  beta->host.advance(1s);
  ASSERT_TRUE(beta->has_ended(call));
  EXPECT_EQ(beta->ended(call)->error->code, TENON_ERR_TIMEOUT);
}

TEST_F(Local, HealthIsARoundTripAndTheListenerMendsItsSocket) {
  const auto alpha = join("alpha"), beta = join("beta");
  for (auto* node : {alpha.get(), beta.get()}) {
    const Started healthy = node->health_check();
    EXPECT_TRUE(run_until([&] { return node->succeeded(healthy); }));
  }
  const Started hanging = beta->health_check(1s);
  beta->host.advance(1s);  // the listener's loop does not turn
  ASSERT_TRUE(beta->has_ended(hanging));
  EXPECT_EQ(beta->ended(hanging)->error->code, TENON_ERR_TIMEOUT);

  std::filesystem::remove(path_);
  const Started mended = alpha->health_check();
  EXPECT_TRUE(run_until([&] { return alpha->succeeded(mended); }));
  join("gamma");
}

TEST_F(Local, ConnectingEndsAtItsDeadlineWhenTheListenerHangs) {
  const auto alpha = join("alpha");
  const auto beta = make("beta");
  const Started call = beta->connect(2s);
  beta->host.advance(2s);
  ASSERT_TRUE(beta->has_ended(call));
  EXPECT_EQ(beta->ended(call)->error->code, TENON_ERR_TIMEOUT);
  EXPECT_EQ(beta->state(), TENON_TRANSPORT_DISCONNECTED);
}

TEST_F(Local, DestroyingLeavesNothingBehind) {
  auto alpha = join("alpha");
  auto beta = join("beta");
  subscribe(*alpha, 1, "ask");
  beta->request({.topic = "ask"});
  beta->send({.topic = "x"}, true);
  beta->health_check();
  for (auto* node : {beta.get(), alpha.get()}) {
    node->destroy();  // a call of the host after this is a violation that ends the test
    EXPECT_EQ(node->host.timers(), 0u);
    EXPECT_EQ(node->host.watches(), 0u);
  }
}

}  // namespace
}  // namespace tenon::test_support
