#include "control_server_fixture.hpp"

namespace tenon::control {
namespace {

using ::testing::HasSubstr;

TEST_F(ControlServerTest, ConnectionServesOneRequestAfterTheOther) {
  serve();
  RawClient client = connect();
  for (int i = 0; i < 3; ++i) {
    client.get("/v1/processes");
    const RawAnswer answer = client.answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, host_.process_list);
    EXPECT_EQ(answer.fields.at("Content-Type"), "application/json");
  }
  EXPECT_EQ(on_loop([&] { return server_->connections(); }), 1u);
  EXPECT_EQ(requests_counted("/v1/processes", "200"), 3u);
}

TEST_F(ControlServerTest, PipelinedRequestsAreAnsweredInOrder) {
  serve();
  RawClient client = connect();
  std::string many;
  for (int i = 0; i < 2000; ++i) {
    many += "GET /v1/deadletters?limit=" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  std::thread sender([&] { client.send(many); });  // more than the socket holds while nobody reads the answers
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(client.answer().body, "[" + std::to_string(i) + "]");
  sender.join();
}

TEST_F(ControlServerTest, HeadHasTheLengthAndNoBody) {
  serve();
  RawClient client = connect();
  client.send("HEAD /v1/tree HTTP/1.1\r\nHost: x\r\n\r\n");
  const RawAnswer head = client.head();
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.fields.at("Content-Length"), std::to_string(host_.tree().size()));
  client.get("/v1/tree");
  EXPECT_EQ(client.answer().body, host_.tree());
}

TEST_F(ControlServerTest, ClientThatWantsItsConnectionClosedGetsThat) {
  serve();
  RawClient client = connect();
  client.get("/v1/info", "Connection: close\r\n");
  EXPECT_EQ(client.answer().fields.at("Connection"), "close");
  EXPECT_TRUE(client.at_end());
}

TEST_F(ControlServerTest, BrokenRequestIsAnsweredOnceAndClosed) {
  serve();
  RawClient client = connect();
  client.send("what is this\r\n\r\nGET /v1/info HTTP/1.1\r\nHost: x\r\n\r\n");
  const RawAnswer answer = client.answer();
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.fields.at("Content-Type"), "application/problem+json");
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(requests_counted("other", "400"), 1u);
}

TEST_F(ControlServerTest, OversizedBodyIsRefusedWhileItIsStillBeingSent) {
  serve({.requests = {.body = 1000}});
  RawClient client = connect();
  std::thread sender([&] { client.post("/v1/events", std::string(4 << 20, 'x')); });
  EXPECT_EQ(client.answer().status, 413);
  sender.join();
  EXPECT_TRUE(on_loop([&] { return host_.published.empty(); }));
}

TEST_F(ControlServerTest, OversizedHeadIsRefused) {
  serve();
  RawClient client = connect();
  client.get("/v1/info", "X-Filler: " + std::string(20'000, 'x') + "\r\n");
  EXPECT_EQ(client.answer().status, 431);
  EXPECT_TRUE(client.at_end());
}

TEST_F(ControlServerTest, HalfAHeadIsGivenUpInTime) {
  serve({.times = {.head = std::chrono::milliseconds(20)}});
  RawClient client = connect();
  client.send("GET /v1/info HTTP/1.1\r\nHos");
  EXPECT_EQ(client.answer().status, 408);
  EXPECT_TRUE(client.at_end());
}

TEST_F(ControlServerTest, HalfABodyIsGivenUpInTime) {
  serve({.times = {.idle = std::chrono::milliseconds(20)}});
  RawClient client = connect();
  client.send("POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
  EXPECT_EQ(client.answer().status, 408);
}

TEST_F(ControlServerTest, IdleConnectionIsClosedWithoutAWord) {
  serve({.times = {.idle = std::chrono::milliseconds(20)}});
  RawClient client = connect();
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(ControlServerTest, ClientThatAsksMayContinueWithItsBody) {
  serve();
  RawClient client = connect();
  client.send("POST /v1/events HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue");
  client.send("{}");
  EXPECT_EQ(client.answer().status, 200);
}

TEST_F(ControlServerTest, SlowVerbHoldsUpOnlyItsOwnClient) {
  host_.hold_acts = true;
  serve();
  RawClient slow = connect(), other = connect();
  slow.post("/v1/processes/a/stop", "");
  wait_until([&] { return host_.acts.size() == 1; });
  other.get("/v1/info");
  EXPECT_EQ(other.answer().status, 200);
  on_loop([&] { host_.acts[0].done(std::string(R"([{"id":"a","ok":true}])")); });
  EXPECT_EQ(slow.answer().body, R"([{"id":"a","ok":true}])");
}

TEST_F(ControlServerTest, HostThatNeverFinishesBecomesATimeout) {
  host_.hold_acts = true;
  serve({.times = {.answer = std::chrono::milliseconds(20)}});
  RawClient client = connect();
  client.post("/v1/processes/a/stop", "");
  EXPECT_EQ(client.answer().status, 504);
  on_loop([&] { host_.acts[0].done(std::string("[]")); });  // too late, and harmless
  EXPECT_TRUE(client.at_end());
}

TEST_F(ControlServerTest, AnswerToAClientThatLeftGoesNowhere) {
  host_.hold_acts = true;
  serve();
  {
    RawClient client = connect();
    client.post("/v1/processes/a/stop", "");
    wait_until([&] { return host_.acts.size() == 1; });
  }
  on_loop([&] { host_.acts[0].done(std::string("[]")); });
  wait_until([&] { return server_->connections() == 0; });
}

TEST_F(ControlServerTest, HostMayAnswerAfterTheServerHasGone) {
  host_.hold_acts = true;
  serve();
  RawClient client = connect();
  client.post("/v1/processes/a/stop", "");
  wait_until([&] { return host_.acts.size() == 1; });
  on_loop([&] { server_.reset(); });
  on_loop([&] { host_.acts[0].done(std::string("[]")); });
  EXPECT_EQ(client.answer().status, 0);
}

TEST_F(ControlServerTest, StrangerIsToldThatThisIsNotForThem) {
  serve({.users = {4'000'000'000u}});
  RawClient client = connect();
  EXPECT_EQ(client.answer().status, 403);  // before it has said anything
  EXPECT_TRUE(client.at_end());
}

TEST_F(ControlServerTest, TcpWantsTheTokenOnEveryRequest) {
  serve({}, "s3cret");
  RawClient client = connect_tcp();
  client.get("/v1/info");
  const RawAnswer refused = client.answer();
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.fields.at("WWW-Authenticate"), "Bearer realm=\"tenon\"");
  client.get("/v1/info", "Authorization: Bearer s3cret\r\n");
  EXPECT_EQ(client.answer().status, 200);
  client.post("/v1/shutdown", "", "Authorization: Bearer wrong\r\n");
  EXPECT_EQ(client.answer().status, 401);
  EXPECT_EQ(on_loop([&] { return host_.shutdowns; }), 0);
}

TEST_F(ControlServerTest, WithoutTheTokenNoBodyIsReadOverTcp) {
  serve({}, "s3cret");
  RawClient client = connect_tcp();
  client.send("POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n");
  const RawAnswer refused = client.answer();  // before the body was sent
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.fields.at("WWW-Authenticate"), "Bearer realm=\"tenon\"");
  EXPECT_TRUE(client.at_end());
  RawClient known = connect_tcp();
  known.post("/v1/events", "{}", "Authorization: Bearer s3cret\r\n");
  EXPECT_EQ(known.answer().status, 200);
}

TEST_F(ControlServerTest, StrangersOverTcpDoNotLockOutTheHostsOwnUser) {
  serve({.max_connections = 4, .max_tcp_connections = 2}, "s3cret");
  std::vector<RawClient> strangers;
  for (int i = 0; i < 6; ++i) strangers.push_back(connect_tcp());
  for (int i = 2; i < 6; ++i) EXPECT_EQ(strangers[static_cast<std::size_t>(i)].answer().status, 503);
  EXPECT_EQ(on_loop([&] { return server_->tcp_connections(); }), 2u);
  for (int i = 2; i < 6; ++i) strangers[static_cast<std::size_t>(i)].hang_up();
  wait_until([&] { return server_->connections() == 2; });
  RawClient own = connect();
  own.get("/v1/info");
  EXPECT_EQ(own.answer().status, 200);
}

TEST_F(ControlServerTest, ConnectionOverTcpMustBeginItsFirstRequestSoon) {
  serve({.times = {.head = std::chrono::milliseconds(20)}}, "s3cret");
  RawClient silent = connect_tcp();
  EXPECT_EQ(silent.read_to_end(), "");
}

TEST_F(ControlServerTest, ListenerWithoutATokenIsRefused) {
  serve();
  const Status status = on_loop([&] { return server_->serve_tcp(unique_fd(), ""); });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, errc::invalid_argument);
}

TEST_F(ControlServerTest, ConnectionsOverTheLimitAreToldToComeBack) {
  serve({.max_connections = 2});
  RawClient one = connect(), two = connect();
  wait_until([&] { return server_->connections() == 2; });
  RawClient three = connect();
  const RawAnswer answer = three.answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.fields.at("Retry-After"), "1");
  one.hang_up();
  three.hang_up();
  wait_until([&] { return server_->connections() == 1; });
  RawClient four = connect();
  four.get("/v1/info");
  EXPECT_EQ(four.answer().status, 200);
}

TEST_F(ControlServerTest, ShutdownIsAnsweredBeforeTheHostStops) {
  serve();
  RawClient client = connect();
  client.post("/v1/shutdown", "");
  EXPECT_EQ(client.answer().status, 202);
  EXPECT_EQ(on_loop([&] { return host_.shutdowns; }), 1);
}

}  // namespace
}  // namespace tenon::control
