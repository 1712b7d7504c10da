// Any octets as HTTP requests: what they mean does not depend on where they were split, and limits hold.
//
// The first octet of the input says how large the pieces are in which the rest arrives.
#include "control/request_parser.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "fuzz/must.hpp"

namespace {

using tenon::control::HttpRequest;
using tenon::control::RequestParser;
using tenon::fuzz::must;

constexpr tenon::control::RequestLimits kLimits{.head = 1024, .body = 4096};

constexpr int kHeadTooLong = 431;

struct Heard {
  std::vector<HttpRequest> requests;
  int failure = 0;       // the status of the answer; 0: none
  bool unfinished = false;  // at the end: in the middle of something
};

bool same(const HttpRequest& a, const HttpRequest& b) {
  return a.method == b.method && a.target == b.target && a.content_type == b.content_type &&
         a.authorization == b.authorization && a.body == b.body && a.keep_alive == b.keep_alive &&
         a.chunked_ok == b.chunked_ok;
}

// As a connection does it: what was not consumed is presented again, with more behind.
Heard hear(std::string_view stream, std::size_t piece) {
  Heard heard;
  RequestParser parser(kLimits);
  std::string waiting;
  while (!stream.empty()) {
    waiting += stream.substr(0, piece);
    stream.remove_prefix(std::min(piece, stream.size()));
    for (;;) {
      const std::size_t used = parser.feed(waiting);
      must(used <= waiting.size(), "a parser consumes what it was given");
      waiting.erase(0, used);
      parser.wants_continue();
      if (parser.state() != RequestParser::State::done) break;
      heard.requests.push_back(parser.take());
      const HttpRequest& request = heard.requests.back();
      must(request.body.size() <= kLimits.body, "a body keeps its limit");
      must(request.target.size() + request.authorization.size() <= kLimits.head, "a head keeps its limit");
      must(parser.state() == RequestParser::State::head, "a taken request makes room for the next");
    }
    must(waiting.size() <= kLimits.head + piece, "what waits is never more than a head");
    if (parser.state() != RequestParser::State::failed) continue;
    const auto answer = parser.failure();
    must(answer.status >= 400 && answer.status < 500 && !answer.body.empty(), "a failure says why");
    must(parser.feed("GET / HTTP/1.1\r\n\r\n") == 0, "a failed parser stays so");
    heard.failure = answer.status;
    return heard;
  }
  heard.unfinished = parser.state() == RequestParser::State::head || !waiting.empty();
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Heard whole = hear(stream, stream.size()), split = hear(stream, 1u + data[0]);
  // Beast counts a head that comes in pieces a little otherwise: near its limit, one way may pass and the other not.
  if (whole.failure == kHeadTooLong || split.failure == kHeadTooLong) {
    const std::size_t both = std::min(whole.requests.size(), split.requests.size());
    must(std::equal(whole.requests.begin(), whole.requests.begin() + static_cast<std::ptrdiff_t>(both),
                    split.requests.begin(), same),
         "requests before a head that is too long mean the same");
    return 0;
  }
  // A head, or the head of a chunk, may be found wrong as soon as it is, or only when all of it is there.
  must((whole.failure == 0) == (split.failure == 0) || whole.unfinished || split.unfinished,
       "a request fails or not, however it arrives");
  must(std::equal(whole.requests.begin(), whole.requests.end(), split.requests.begin(), split.requests.end(), same),
       "requests mean the same, however they arrive");
  return 0;
}
