// transport/nats: how a connection comes, breaks, is renewed and ends.
#include <algorithm>

#include "nats_fixture.hpp"

namespace tenon::test_support {
namespace {

TEST_F(Nats, AServerThatComesBackFindsTheSubscriptionsAlive) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*beta, 1, "news");
  server_.kill();
  ASSERT_TRUE(run_until(
      [&] { return alpha->state() == TENON_TRANSPORT_RECONNECTING && beta->state() == TENON_TRANSPORT_RECONNECTING; }));
  EXPECT_THAT(beta->host.states().back().why->text, HasSubstr("lost the connection to nats://127.0.0.1"));
  const Started refused = alpha->send({.topic = "news"});
  EXPECT_EQ(refused.status, TENON_ERR_UNAVAILABLE);
  EXPECT_TRUE(refused.error.retryable);
  const Started meanwhile = beta->subscribe(2, "later");
  ASSERT_EQ(meanwhile.status, TENON_OK);
  server_.restart();
  ASSERT_TRUE(run_until(
      [&] { return alpha->state() == TENON_TRANSPORT_CONNECTED && beta->state() == TENON_TRANSPORT_CONNECTED; }));
  EXPECT_TRUE(run_until([&] { return beta->succeeded(meanwhile); }));
  const Started healthy = beta->health_check();  // behind the renewed subscriptions
  ASSERT_TRUE(run_until([&] { return beta->succeeded(healthy); }));
  alpha->send({.topic = "news"});
  alpha->send({.topic = "later"});
  EXPECT_TRUE(run_until([&] { return received(*beta) == 2; }));
}

TEST_F(Nats, WhatWasNotConfirmedBeforeTheConnectionBrokeIsNotSettled) {
  const auto alpha = join("alpha");
  server_.pause();
  const Started settled = alpha->send({.topic = "x"}, true);
  ASSERT_TRUE(run_until([&] { return alpha->host.working() == 1; }));  // the round trip is under way
  server_.kill();
  const RecordedError error = error_of(*alpha, settled);
  EXPECT_EQ(error.code, TENON_ERR_UNAVAILABLE);
  EXPECT_TRUE(error.retryable);
}

TEST_F(Nats, HealthIsARoundTrip) {
  const auto alpha = join("alpha");
  const Started healthy = alpha->health_check();
  EXPECT_TRUE(run_until([&] { return alpha->succeeded(healthy); }));
  server_.kill();
  ASSERT_TRUE(run_until([&] { return alpha->state() == TENON_TRANSPORT_RECONNECTING; }));
  EXPECT_EQ(alpha->health_check().status, TENON_ERR_UNAVAILABLE);
}

TEST_F(Nats, NobodyAtThePortIsSaidWithTheUrlAndWhatToDo) {
  server_.kill();
  const auto alpha = make("alpha");
  const RecordedError error = error_of(*alpha, alpha->connect());
  EXPECT_EQ(error.code, TENON_ERR_UNAVAILABLE);
  EXPECT_TRUE(error.retryable);
  EXPECT_THAT(error.text, HasSubstr(server_.url()));
  EXPECT_THAT(error.text, HasSubstr("start nats-server"));
  EXPECT_EQ(alpha->state(), TENON_TRANSPORT_DISCONNECTED);
  server_.restart();
  connect(*alpha);  // the same instance may try again
}

TEST_F(Nats, AnyServerOfTheListWillDo) {
  TransportInstance alpha(table(), "alpha", "nats://127.0.0.1:1, " + server_.url(), kQuick);
  ASSERT_EQ(alpha.created.status, TENON_OK);
  connect(alpha);
}

TEST_F(Nats, WrongCredentialsAreSaidAndNeverShown) {
  const NatsServer locked({"--user", "u", "--pass", "right"});
  const std::string host = "127.0.0.1:" + std::to_string(locked.port());
  TransportInstance wrong(table(), "alpha", "nats://u:secret@" + host, kQuick);
  const RecordedError error = error_of(wrong, wrong.connect());
  EXPECT_EQ(error.code, TENON_ERR_PERMISSION);
  EXPECT_FALSE(error.retryable);
  EXPECT_EQ(error.text.find("secret"), std::string::npos) << error.text;
  TransportInstance right(table(), "beta", "nats://" + host, R"({"user":"u","password":"right"})");
  connect(right);
}

TEST_F(Nats, UrlsThatCannotWorkAreRefusedWithASentence) {
  for (const std::string url : {"", "http://x:1", "nats://", "127.0.0.1:4222", "nats://a b:1", "nats://h:1,junk"}) {
    const TransportInstance bad(table(), "alpha", url);
    EXPECT_EQ(bad.created.status, TENON_ERR_INVALID_ARGUMENT) << url;
    EXPECT_THAT(bad.created.error.text, HasSubstr("nats://host:port")) << url;
  }
}

TEST_F(Nats, NoRefusalOfAUrlShowsAPassword) {
  for (const std::string url : {"u:secret@h:1", "http://u:secret@h", "nats://u:secret@", "u:secret@a://h"}) {
    const TransportInstance bad(table(), "alpha", url);
    EXPECT_EQ(bad.created.status, TENON_ERR_INVALID_ARGUMENT) << url;
    EXPECT_EQ(bad.created.error.text.find("secret"), std::string::npos) << bad.created.error.text;
  }
}

TEST_F(Nats, CertificatesThatCannotBeReadAreNamed) {
  const auto alpha = make("alpha", R"({"tls":{"ca_file":"/nonexistent/ca.pem"}})");
  EXPECT_THAT(error_of(*alpha, alpha->connect()).text, HasSubstr("tls/ca_file"));
  EXPECT_EQ(make("beta", R"({"tls":{"cert_file":"x.pem"}})")->created.status, TENON_ERR_INVALID_ARGUMENT);
}

TEST_F(Nats, SubscriptionsMadeBeforeConnectingAreInForceWhenConnected) {
  const auto alpha = join("alpha"), beta = make("beta");
  subscribe(*beta, 1, "news");
  subscribe(*beta, 2, "other");
  connect(*beta);
  alpha->send({.topic = "news"});
  alpha->send({.topic = "other"});
  EXPECT_TRUE(run_until([&] { return received(*beta) == 2; }));
}

TEST_F(Nats, ManySubscriptionsSurviveASmallOutputBuffer) {
  const auto alpha = join("alpha"), beta = make("beta", R"({"max_pending":"64KiB"})");
  for (std::uint64_t i = 0; i < 2000; ++i) beta->subscribe(i + 1, "many." + std::to_string(i));
  connect(*beta);
  alpha->send({.topic = "many.0"});
  alpha->send({.topic = "many.1999"});
  EXPECT_TRUE(run_until([&] { return beta->topics(1).size() == 1 && beta->topics(2000).size() == 1; }));
}

TEST_F(Nats, ASubscriptionMadeWhileConnectingIsNotForgotten) {
  const auto alpha = join("alpha"), beta = make("beta");
  subscribe(*beta, 1, "early");
  const Started call = beta->connect();
  // A new one at every stage of connecting; the last comes when it is done.
  std::uint64_t number = 1;
  std::vector<Started> subscribed;
  while (!beta->has_ended(call)) {
    ++number;
    subscribed.push_back(beta->subscribe(number, "during." + std::to_string(number)));
    ASSERT_EQ(subscribed.back().status, TENON_OK);
    TransportInstance::turn();
    if (number == 5000) {
      ASSERT_TRUE(run_until([&] { return beta->has_ended(call); }));
    }
  }
  ASSERT_TRUE(beta->succeeded(call));
  // The server knows a subscription when that has completed; another round trip may overtake those that still wait.
  ASSERT_TRUE(run_until([&] {
    return std::all_of(subscribed.begin(), subscribed.end(), [&](const Started& each) { return beta->succeeded(each); });
  }));
  for (std::uint64_t i = 2; i <= number; ++i) alpha->send({.topic = "during." + std::to_string(i)});
  EXPECT_TRUE(run_until([&] { return received(*beta) == number - 1; })) << received(*beta) << " of " << number - 1;
}

TEST_F(Nats, DisconnectingSendsWhatIsBufferedAndTheInstanceMayConnectAgain) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*beta, 1, "last.words");
  for (int i = 0; i < 200; ++i) alpha->send({.topic = "last.words", .encoded = std::string(10'000, 'x')});
  const Started call = alpha->disconnect();
  EXPECT_EQ(alpha->send({}).status, TENON_ERR_WRONG_STATE);
  ASSERT_TRUE(run_until([&] { return alpha->has_ended(call) && received(*beta) == 200; }));
  EXPECT_TRUE(alpha->succeeded(call));
  EXPECT_EQ(alpha->state(), TENON_TRANSPORT_DISCONNECTED);
  connect(*alpha);
  const Started sent = alpha->send({.topic = "last.words"}, true);
  EXPECT_TRUE(run_until([&] { return alpha->succeeded(sent) && received(*beta) == 201; }));
}

TEST_F(Nats, DestroyingInTheMiddleOfTrafficIsQuietAndQuick) {
  const auto sender = join("sender");
  for (int round = 0; round < 10; ++round) {
    const auto victim = join("victim");
    subscribe(*victim, 1, "traffic");
    for (int i = 0; i < 500; ++i) {
      sender->send({.topic = "traffic"});
      victim->send({.topic = "elsewhere"}, i % 10 == 0);
    }
    victim->request({.topic = "traffic"});
    victim->health_check();
    ASSERT_TRUE(run_until([&] { return received(*victim) > 0; }));
    victim->destroy();  // a call of the host after this is a violation that ends the test
    EXPECT_EQ(victim->host.timers(), 0u);
  }
}

TEST_F(Nats, DestroyingWhileConnectingOrHangingIsQuiet) {
  server_.pause();
  const auto connecting = make("connecting");
  connecting->connect();
  connecting->destroy();
  server_.resume();
  const auto hanging = join("hanging");
  server_.pause();
  hanging->send({.topic = "x"}, true);
  hanging->health_check();
  ASSERT_TRUE(run_until([&] { return hanging->host.working() == 1; }));
  hanging->destroy();
  server_.resume();
}

// A server whose configuration the test writes.
class ConfiguredServer {
 public:
  explicit ConfiguredServer(const std::string& text) { write(text); }
  ~ConfiguredServer() {
    server_.reset();
    ::unlink(path_.c_str());
  }
  void write(const std::string& text) { std::ofstream(path_) << text; }
  NatsServer& operator*() {
    if (!server_) server_.emplace(std::vector<std::string>{"--config", path_});
    return *server_;
  }

 private:
  std::string path_ = "/tmp/tenon-nats-test-" + std::to_string(::getpid()) + ".conf";
  std::optional<NatsServer> server_;
};

TEST_F(Nats, ASubscriptionThatTheServerDoesNotPermitIsRefusedAndTheOthersLive) {
  ConfiguredServer locked(
      "authorization { users = [{ user: u, password: p, permissions: { subscribe: [\"open.>\", \"_INBOX.>\"] } }] }");
  TransportInstance alpha(table(), "alpha", (*locked).url(), R"({"user":"u","password":"p"})");
  connect(alpha);
  const Started secret = alpha.subscribe(1, "secret.>"), group = alpha.subscribe(2, "closed", "workers"),
                open = alpha.subscribe(3, "open.>");
  const RecordedError error = error_of(alpha, secret);
  EXPECT_EQ(error.code, TENON_ERR_PERMISSION);
  EXPECT_THAT(error.text, HasSubstr("does not permit subscribing to \"secret.>\""));
  EXPECT_FALSE(error.retryable);
  EXPECT_EQ(error_of(alpha, group).code, TENON_ERR_PERMISSION);
  EXPECT_TRUE(run_until([&] { return alpha.succeeded(open); }));
  EXPECT_EQ(alpha.unsubscribe(1).status, TENON_ERR_NOT_FOUND) << "it was never made";
}

TEST_F(Nats, ASubscriptionOfBeforeTheConnectionThatIsNotPermittedIsLogged) {
  ConfiguredServer locked(
      "authorization { users = [{ user: u, password: p, permissions: { subscribe: [\"open.>\", \"_INBOX.>\"] } }] }");
  TransportInstance alpha(table(), "alpha", (*locked).url(), R"({"user":"u","password":"p"})");
  alpha.subscribe(1, "secret.>");
  alpha.subscribe(2, "open.>");
  connect(alpha);
  EXPECT_TRUE(run_until([&] { return alpha.logged("does not permit subscribing to \"secret.>\""); }));
}

TEST_F(Nats, WhatTheHostHadNoRoomForAtTheEndIsCountedAsDropped) {
  const auto alpha = join("alpha"), beta = join("beta");
  subscribe(*beta, 3, "flood.*");
  beta->host.answer_incoming_with(TENON_ERR_EXHAUSTED);
  for (int i = 0; i < 5; ++i) alpha->send({.topic = "flood." + std::to_string(i)});
  const Started sent = alpha->send({.topic = "other"}, true);
  ASSERT_TRUE(run_until([&] { return alpha->succeeded(sent); }));
  const Started call = beta->disconnect();
  ASSERT_TRUE(run_until([&] { return beta->has_ended(call); }));
  EXPECT_EQ(beta->host.slow_consumers()[3], 5u);
}

TEST_F(Nats, WhoGaveUpStaysInErrorWhateverIsAskedOfIt) {
  ConfiguredServer server("authorization { user: u, password: right }");
  TransportInstance alpha(table(), "alpha", (*server).url(),
                          R"({"user":"u","password":"right","reconnect_wait":"10ms"})");
  connect(alpha);
  server.write("authorization { user: u, password: other }");
  (*server).restart();
  ASSERT_TRUE(run_until([&] { return alpha.state() == TENON_TRANSPORT_ERROR; }));
  const Started ended = alpha.disconnect();
  ASSERT_TRUE(run_until([&] { return alpha.succeeded(ended); }));
  EXPECT_EQ(alpha.state(), TENON_TRANSPORT_ERROR) << "only destroy helps";
  const RecordedError error = error_of(alpha, alpha.connect());
  EXPECT_EQ(error.code, TENON_ERR_UNAVAILABLE);
  EXPECT_THAT(error.text, HasSubstr("gave up"));
}

}  // namespace
}  // namespace tenon::test_support
