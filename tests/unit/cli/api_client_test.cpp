#include "cli/api_client.hpp"

#include <fcntl.h>

#include "scripted_host.hpp"

namespace tenon::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Why = StreamEnd::Why;

constexpr Duration kShort = std::chrono::milliseconds(300);

TEST(ApiClient, FetchesADocument) {
  ScriptedHost host({ScriptedHost::answering(200, "[]")});
  ApiClient client(host.path());
  const auto reply = client.call({.target = "/v1/processes"});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_TRUE(reply->ok());
  EXPECT_EQ(reply->body, "[]");
  EXPECT_THAT(host.requests().at(0), StartsWith("GET /v1/processes HTTP/1.1\r\n"));
}

TEST(ApiClient, PostsABody) {
  ScriptedHost host({ScriptedHost::answering(200, "{}")});
  ApiClient client(host.path());
  ASSERT_TRUE(client.call({.method = "POST", .target = "/v1/events", .body = "{\"type\":\"x\"}"}));
  EXPECT_THAT(host.requests().at(0), HasSubstr("Content-Type: application/cloudevents+json\r\nContent-Length: 12\r\n"));
  EXPECT_TRUE(host.requests().at(0).ends_with("\r\n\r\n{\"type\":\"x\"}"));
}

TEST(ApiClient, SocketThatIsNotThereMeansNoHostAtOnce) {
  ApiClient client("/tmp/tenon-no-such-directory/s");
  const auto reply = client.call({.target = "/v1/info"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, errc::unavailable);
  EXPECT_THAT(reply.error().message, HasSubstr("/tmp/tenon-no-such-directory/s"));
  EXPECT_THAT(reply.error().message, HasSubstr("tenon run"));
}

TEST(ApiClient, PathThatFitsNoSocketIsSaidSo) {
  ApiClient client("/" + std::string(200, 'x'));
  const auto reply = client.call({.target = "/v1/info"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, errc::invalid_argument);
}

TEST(ApiClient, IdempotentCallSurvivesAnEngine) {
  ScriptedHost host({ScriptedHost::dying(), ScriptedHost::dying(), ScriptedHost::answering(200, "[]")});
  ApiClient client(host.path());
  const auto reply = client.call({.target = "/v1/processes"});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(host.requests().size(), 3u);
}

TEST(ApiClient, DeliveredCallWithAnEffectIsNotRepeated) {
  ScriptedHost host({ScriptedHost::dying(), ScriptedHost::answering(200, "{}")});
  ApiClient client(host.path());
  const auto reply =
      client.call({.method = "POST", .target = "/v1/events", .body = "{}", .repeat = Repeat::if_not_delivered});
  ASSERT_FALSE(reply);
  EXPECT_NE(reply.error().code, errc::unavailable);
  EXPECT_THAT(reply.error().message, HasSubstr("nobody knows"));
  EXPECT_EQ(host.requests().size(), 1u);
}

TEST(ApiClient, KeepersRefusalIsRepeatedWhateverTheCall) {
  ScriptedHost host({ScriptedHost::restarting(), ScriptedHost::answering(200, "{}")});
  ApiClient client(host.path());
  const auto reply =
      client.call({.method = "POST", .target = "/v1/events", .body = "{}", .repeat = Repeat::if_not_delivered});
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(host.requests().size(), 2u);
}

TEST(ApiClient, HostsOwnRefusalOfAnEventIsNotRepeated) {
  ScriptedHost host(
      {ScriptedHost::answering(503, R"({"status":503,"detail":"full","code":"exhausted"})", "Retry-After: 1\r\n")});
  ApiClient client(host.path());
  const auto reply =
      client.call({.method = "POST", .target = "/v1/events", .body = "{}", .repeat = Repeat::if_not_delivered});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->problem(), "full");
  EXPECT_EQ(host.requests().size(), 1u);
}

TEST(ApiClient, PatienceEnds) {
  ScriptedHost host({ScriptedHost::restarting()});
  ApiClient client(host.path(), kShort);
  const auto reply = client.call({.target = "/v1/processes"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503);
  EXPECT_EQ(reply->problem(), "The engine is being restarted.");
  EXPECT_GT(host.requests().size(), 1u);
}

TEST(ApiClient, HostThatVanishesAfterItWorkedIsWaitedForThenGone) {
  auto host = std::make_unique<ScriptedHost>(std::vector{ScriptedHost::answering(200, "[]")});
  ApiClient client(host->path(), kShort);
  ASSERT_TRUE(client.call({.target = "/v1/info"}));
  host.reset();
  const auto reply = client.call({.target = "/v1/info"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, errc::unavailable);
}

TEST(ApiClient, SilentHostIsGivenUp) {
  ScriptedHost host({[](ScriptedHost::Peer& peer, const std::string&) { peer.wait_for_close(); }});
  ApiClient client(host.path());
  const auto reply = client.call({.target = "/v1/info", .timeout = std::chrono::milliseconds(20)});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, errc::timeout);
}

TEST(ApiClient, ProblemOfAnythingElseIsItsFirstLine) {
  EXPECT_EQ((ApiReply{500, "oops\nmore"}.problem()), "the host answered with status 500: oops");
  EXPECT_EQ((ApiReply{500, ""}.problem()), "the host answered with status 500");
}

struct ApiStream : ::testing::Test {
  std::vector<std::string> items;
  int opened = 0;
  StreamEnd read(const ScriptedHost& host, const Attention& attention = {}, std::size_t enough = 1000) {
    ApiClient client(host.path());
    return client.stream("/v1/events?topic=a", attention, [this] { ++opened; },
                         [&](const StreamItem& item) {
                           items.push_back(item.data);
                           return items.size() < enough;
                         });
  }
};

TEST_F(ApiStream, DeliversItemsUpToTheEnd) {
  ScriptedHost host({ScriptedHost::streaming({"1", "2"}, true)});
  EXPECT_EQ(read(host).why, Why::finished);
  EXPECT_EQ(items, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(opened, 1);
}

TEST_F(ApiStream, TellsABrokenStreamFromAFinishedOne) {
  ScriptedHost host({ScriptedHost::streaming({"1"}, false)});
  EXPECT_EQ(read(host).why, Why::lost);
  EXPECT_EQ(items.size(), 1u);
}

TEST_F(ApiStream, RefusalCarriesItsReason) {
  ScriptedHost host({ScriptedHost::answering(400, R"({"detail":"no pattern"})")});
  const StreamEnd end = read(host);
  EXPECT_EQ(end.why, Why::refused);
  EXPECT_EQ(end.reply.problem(), "no pattern");
  EXPECT_EQ(opened, 0);
}

TEST_F(ApiStream, RestartingHostIsLostNotRefused) {
  ScriptedHost host({ScriptedHost::restarting()});
  EXPECT_EQ(read(host).why, Why::lost);
}

TEST_F(ApiStream, EndsWhenTheReaderHasEnough) {
  ScriptedHost host({ScriptedHost::streaming({"1", "2", "3"}, true)});
  EXPECT_EQ(read(host, {}, 2).why, Why::enough);
  EXPECT_EQ(items.size(), 2u);
}

TEST_F(ApiStream, InterruptionEndsASilentStream) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const unique_fd reader(ends[0]), writer(ends[1]);
  ASSERT_EQ(::write(writer.get(), "x", 1), 1);
  ScriptedHost host({[](ScriptedHost::Peer& peer, const std::string&) { peer.wait_for_close(); }});
  EXPECT_EQ(read(host, {.interrupt = reader.get()}).why, Why::interrupted);
}

TEST_F(ApiStream, ClosedOutputEndsASilentStream) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const unique_fd writer(ends[1]);
  unique_fd(ends[0]).reset();
  ScriptedHost host({[](ScriptedHost::Peer& peer, const std::string&) { peer.wait_for_close(); }});
  EXPECT_EQ(read(host, {.output = writer.get()}).why, Why::output_closed);
}

}  // namespace
}  // namespace tenon::cli
