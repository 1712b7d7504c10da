// transport/nats through its C table against a real nats-server.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <memory>
#include <sstream>

#include "plugins/transport_instance.hpp"
#include "support/nats_server.hpp"

namespace tenon::test_support {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;
using namespace std::string_literals;

const tenon_transport& table() {
  static const LoadedPlugin plugin = LoadedPlugin::open("nats");
  return plugin.transport("nats");
}

// Short waits, so that a test of reconnecting takes no longer than it must.
constexpr const char* kQuick = R"({"reconnect_wait":"10ms"})";

class Nats : public ::testing::Test {
 protected:
  Nats() { TransportInstance::time_per_turn = 0ns; }
  std::unique_ptr<TransportInstance> make(const std::string& node, const std::string& config = kQuick) {
    return std::make_unique<TransportInstance>(table(), node, server_.url(), config);
  }
  std::unique_ptr<TransportInstance> join(const std::string& node, const std::string& config = kQuick) {
    auto instance = make(node, config);
    connect(*instance);
    return instance;
  }
  static void connect(TransportInstance& node) {
    const Started call = node.connect();
    ASSERT_EQ(call.status, TENON_OK) << call.error.text;
    ASSERT_TRUE(run_until([&] { return node.has_ended(call); }));
    ASSERT_TRUE(node.succeeded(call)) << node.ended(call)->error->text;
  }
  static void subscribe(TransportInstance& node, std::uint64_t number, const std::string& pattern,
                        const std::string& group = {}) {
    const Started call = node.subscribe(number, pattern, group);
    ASSERT_EQ(call.status, TENON_OK) << call.error.text;
    ASSERT_TRUE(run_until([&] { return node.succeeded(call); }));
  }
  static std::size_t received(const TransportInstance& node) { return node.host.incoming().size(); }
  static RecordedError error_of(TransportInstance& node, const Started& call) {
    if (call.status != TENON_OK) return call.error;
    EXPECT_TRUE(run_until([&] { return node.has_ended(call); }));
    const auto ended = node.ended(call);
    EXPECT_TRUE(ended && ended->error);
    return ended && ended->error ? *ended->error : RecordedError{};
  }

  NatsServer server_;
};

// A client that speaks the NATS protocol itself: what the rest of the world sends and sees, whatever nats.c makes of
// it.
class Stranger {
 public:
  explicit Stranger(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
    write("CONNECT {\"verbose\":false,\"headers\":true}\r\n");
    confirm();
  }
  ~Stranger() { ::close(fd_); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  void publish(const std::string& subject, const std::string& payload, const std::string& header = {},
               const std::string& value = {}) {
    const std::string headers = header.empty() ? "" : "NATS/1.0\r\n" + header + ": " + value + "\r\n\r\n";
    const std::string all = std::to_string(headers.size() + payload.size());
    write((headers.empty() ? "PUB " + subject + " " : "HPUB " + subject + " " + std::to_string(headers.size()) + " ") +
          all + "\r\n" + headers + payload + "\r\n");
    confirm();
  }
  void subscribe(const std::string& subject) {
    write("SUB " + subject + " 1\r\n");
    confirm();
  }
  // The next message: its headers as they came (empty: none) and its payload.
  std::pair<std::string, std::string> next() {
    for (;;) {
      std::istringstream words(line());
      std::string verb, subject, sid;
      std::size_t first = 0, second = 0;
      words >> verb >> subject >> sid >> first >> second;
      if (verb.empty()) return {"", "nothing came"};
      if (verb != "MSG" && verb != "HMSG") continue;
      const std::size_t headers = verb == "HMSG" ? first : 0, all = verb == "HMSG" ? second : first;
      const std::string octets = take(all + 2);
      return {octets.substr(0, headers), octets.substr(headers, all - headers)};
    }
  }

 private:
  void write(const std::string& octets) {
    ASSERT_EQ(::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL), static_cast<ssize_t>(octets.size()));
  }
  // A round trip, so that the server has taken all that was written.
  void confirm() {
    write("PING\r\n");
    for (std::string got = line(); got != "PONG"; got = line()) ASSERT_NE(got, "");
  }
  bool more() {
    char buffer[4096];
    const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got > 0) in_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }
  std::string line() {
    while (in_.find("\r\n") == std::string::npos) {
      if (!more()) return "";
    }
    const std::string out = in_.substr(0, in_.find("\r\n"));
    in_.erase(0, out.size() + 2);
    return out;
  }
  std::string take(std::size_t size) {
    while (in_.size() < size && more()) {
    }
    const std::string out = in_.substr(0, size);
    in_.erase(0, out.size());
    return out;
  }
  int fd_;
  std::string in_;
};

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
  for (const std::string subject : {forged, "a b"s, ""s, "a.*"s, ">"s, "a..b"s, "a\0b"s}) {
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
      {"", "", "", "application/msgpack"},
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

TEST_F(Nats, CertificatesThatCannotBeReadAreNamed) {
  const auto alpha = make("alpha", R"({"tls":{"ca_file":"/nonexistent/ca.pem"}})");
  EXPECT_THAT(error_of(*alpha, alpha->connect()).text, HasSubstr("tls/ca_file"));
  EXPECT_EQ(make("beta", R"({"tls":{"cert_file":"x.pem"}})")->created.status, TENON_ERR_INVALID_ARGUMENT);
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
  while (!beta->has_ended(call)) {
    ++number;
    ASSERT_EQ(beta->subscribe(number, "during." + std::to_string(number)).status, TENON_OK);
    TransportInstance::turn();
    if (number == 5000) ASSERT_TRUE(run_until([&] { return beta->has_ended(call); }));
  }
  ASSERT_TRUE(beta->succeeded(call));
  const Started healthy = beta->health_check();
  ASSERT_TRUE(run_until([&] { return beta->succeeded(healthy); }));
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

}  // namespace
}  // namespace tenon::test_support
