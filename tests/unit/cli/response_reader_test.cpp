#include "cli/response_reader.hpp"

namespace tenon::cli {
namespace {

using State = ResponseReader::State;

// Whatever the sizes in which the bytes come, the answer is the same.
struct ResponseReaderPieces : ::testing::TestWithParam<std::size_t> {
  ResponseReader reader;
  std::string body;
  void feed(const std::string& text) {
    for (std::size_t at = 0; at < text.size(); at += GetParam()) {
      reader.feed(std::string_view(text).substr(at, GetParam()));
      body += reader.take_body();
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Sizes, ResponseReaderPieces, ::testing::Values(1, 2, 7, 10'000));

TEST_P(ResponseReaderPieces, ReadsABodyOfToldLength) {
  feed("HTTP/1.1 404 Not Found\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(reader.state(), State::done);
  EXPECT_EQ(reader.head().status, 404);
  EXPECT_EQ(*reader.head().find("content-type"), "a/b");
  EXPECT_EQ(body, "hello");
}

TEST_P(ResponseReaderPieces, ReadsChunks) {
  feed(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\nA;x=1\r\n, world!!!\r\n0\r\nTrailer: "
      "t\r\n\r\n");
  EXPECT_EQ(reader.state(), State::done);
  EXPECT_EQ(body, "hello, world!!!");
}

TEST_P(ResponseReaderPieces, ReadsToTheEndOfTheConnection) {
  feed("HTTP/1.0 200 OK\r\n\r\nhello");
  EXPECT_EQ(reader.state(), State::body);
  reader.end();
  EXPECT_EQ(reader.state(), State::done);
  EXPECT_EQ(body, "hello");
}

TEST_P(ResponseReaderPieces, SkipsInterimAnswers) {
  feed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(reader.state(), State::done);
  EXPECT_EQ(reader.head().status, 200);
}

TEST(ResponseReader, CutOffAnswerIsAFailure) {
  for (const char* text : {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
    ResponseReader reader;
    reader.feed(text);
    reader.end();
    EXPECT_EQ(reader.state(), State::failed) << text;
  }
}

TEST(ResponseReader, RefusesWhatIsNoHttp) {
  for (const char* text :
       {"hello\r\n\r\n", "HTTP/1.1 abc X\r\n\r\n", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: zip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"}) {
    ResponseReader reader;
    reader.feed(text);
    EXPECT_EQ(reader.state(), State::failed) << text;
  }
}

TEST(ResponseReader, BoundsTheHead) {
  ResponseReader reader;
  reader.feed("HTTP/1.1 200 OK\r\nX: " + std::string(ResponseReader::kMaxHead, 'x'));
  EXPECT_EQ(reader.state(), State::failed);
}

}  // namespace
}  // namespace tenon::cli
