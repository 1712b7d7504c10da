#include "control/request_parser.hpp"

namespace tenon::control {
namespace {

using State = RequestParser::State;
using ::testing::HasSubstr;

const std::string kPost =
    "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: Application/JSON; charset=utf-8\r\nContent-Length: "
    "4\r\n\r\n1234";

TEST(RequestParser, ReadsARequestInPiecesOfAnySize) {
  for (std::size_t piece = 1; piece <= kPost.size(); piece += 7) {
    RequestParser parser;
    std::string input;
    for (std::size_t at = 0; at < kPost.size(); at += piece) {
      ASSERT_NE(parser.state(), State::done);
      input += kPost.substr(at, piece);
      input.erase(0, parser.feed(input));
    }
    ASSERT_EQ(parser.state(), State::done) << piece;
    const HttpRequest request = parser.take();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/v1/events");
    EXPECT_EQ(request.content_type, "application/json");
    EXPECT_EQ(request.body, "1234");
    EXPECT_TRUE(request.keep_alive);
  }
}

TEST(RequestParser, ReadsABodyOfNoChunksInPiecesOfAnySize) {
  const std::string empty = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  for (std::size_t piece = 1; piece <= empty.size(); ++piece) {
    RequestParser parser;
    std::string input;
    for (std::size_t at = 0; at < empty.size(); at += piece) {
      ASSERT_NE(parser.state(), State::done);
      input += empty.substr(at, piece);
      input.erase(0, parser.feed(input));
    }
    ASSERT_EQ(parser.state(), State::done) << piece;
    EXPECT_EQ(parser.take().body, "");
    EXPECT_EQ(input, "");
  }
}

TEST(RequestParser, LeavesTheNextRequestToTheCaller) {
  RequestParser parser;
  const std::string two = "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const std::size_t used = parser.feed(two);
  ASSERT_EQ(parser.state(), State::done);
  EXPECT_EQ(parser.take().target, "/a");
  parser.feed(std::string_view(two).substr(used));
  ASSERT_EQ(parser.state(), State::done);
  const HttpRequest second = parser.take();
  EXPECT_EQ(second.target, "/b");
  EXPECT_FALSE(second.keep_alive);
}

TEST(RequestParser, StopsBehindTheHeadWhenAskedTo) {
  RequestParser parser;
  const std::string request =
      "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\nContent-Length: 4\r\n\r\n1234";
  const std::size_t used = parser.feed_head(request);
  EXPECT_EQ(used, request.size() - 4);
  EXPECT_EQ(parser.state(), State::body);
  EXPECT_EQ(parser.authorization(), "Bearer t");
  EXPECT_EQ(parser.feed(std::string_view(request).substr(used)), 4u);
  ASSERT_EQ(parser.state(), State::done);
  EXPECT_EQ(parser.take().body, "1234");
}

TEST(RequestParser, HasNoBodyToWaitForBehindAHeadWithoutOne) {
  RequestParser parser;
  const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(parser.feed_head(request), request.size());
  EXPECT_EQ(parser.state(), State::done);
  EXPECT_EQ(parser.authorization(), "");
}

TEST(RequestParser, ReadsAChunkedBody) {
  RequestParser parser;
  const std::string request =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  EXPECT_EQ(parser.feed(request), request.size());
  ASSERT_EQ(parser.state(), State::done);
  EXPECT_EQ(parser.take().body, "abcde");
}

TEST(RequestParser, OldClientsGetTheirConnectionClosed) {
  RequestParser parser;
  parser.feed("GET / HTTP/1.0\r\n\r\n");
  const HttpRequest request = parser.take();
  EXPECT_FALSE(request.keep_alive);
  EXPECT_FALSE(request.chunked_ok);
}

TEST(RequestParser, BoundsTheHead) {
  RequestParser parser({.head = 100});
  parser.feed("GET /" + std::string(200, 'a'));
  ASSERT_EQ(parser.state(), State::failed);
  EXPECT_EQ(parser.failure().status, 431);
}

TEST(RequestParser, BoundsTheBodyBeforeItIsSent) {
  RequestParser parser({.body = 10});
  parser.feed("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n");
  ASSERT_EQ(parser.state(), State::failed);
  EXPECT_EQ(parser.failure().status, 413);
}

TEST(RequestParser, BoundsAChunkedBody) {
  RequestParser parser({.body = 10});
  parser.feed("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n6\r\nabcdef\r\n0\r\n\r\n");
  ASSERT_EQ(parser.state(), State::failed);
  EXPECT_EQ(parser.failure().status, 413);
}

TEST(RequestParser, RefusesWhatIsNoHttp) {
  for (const char* bad : {"hello\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nbad field\r\n\r\n",
                          "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                          "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                          "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n"}) {
    RequestParser parser;
    parser.feed(bad);
    ASSERT_EQ(parser.state(), State::failed) << bad;
    EXPECT_EQ(parser.failure().status, 400) << bad;
  }
}

TEST(RequestParser, HalfARequestIsNoRequest) {
  RequestParser parser;
  parser.feed("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(parser.state(), State::body);
}

TEST(RequestParser, DoesNotWaitForTheEndOfATrailerForEver) {
  RequestParser parser({.head = 100, .body = 100});
  std::string waiting = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  waiting.erase(0, parser.feed(waiting));
  for (int i = 0; i < 200 && parser.state() != State::failed; ++i) {
    waiting += "x";
    waiting.erase(0, parser.feed(waiting));
  }
  ASSERT_EQ(parser.state(), State::failed);
  EXPECT_EQ(parser.failure().status, 431);
  EXPECT_LE(waiting.size(), 110u);
}

TEST(RequestParser, NoticesAClientThatWaitsForContinueOnce) {
  RequestParser parser;
  parser.feed("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_TRUE(parser.wants_continue());
  EXPECT_FALSE(parser.wants_continue());
}

}  // namespace
}  // namespace tenon::control
