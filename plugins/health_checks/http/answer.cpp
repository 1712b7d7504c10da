#include "answer.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <cstdint>
#include <sstream>

#include "../common/wording.hpp"

namespace tenon::health {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using error_code = boost::system::error_code;

constexpr std::size_t kBodyLimit = 1 << 20;        // octets of a body that are searched
constexpr std::uint32_t kHeaderLimit = 64 * 1024;  // octets of an answer's header; servers themselves allow 8 to 64 KiB
constexpr std::size_t kLastChunk = 5;              // octets of "0\r\n\r\n"

}  // namespace

std::string request_text(const HttpRequest& wanted) {
  http::request<http::empty_body> message;
  message.method_string(wanted.method);
  message.target(wanted.target);
  message.set(http::field::host, wanted.host_header);
  message.set(http::field::connection, "close");
  message.set(http::field::user_agent, "tenon-health-check");
  if (wanted.method == "POST" || wanted.method == "PUT" || wanted.method == "PATCH") message.content_length(0);
  for (const auto& [name, value] : wanted.headers) message.set(name, value);
  std::ostringstream text;
  text << message;
  return text.str();
}

struct AnswerJudge::Impl {
  explicit Impl(const HttpRequest& expected) : wanted(expected) {
    parser.header_limit(kHeaderLimit);
    parser.body_limit(UINT64_MAX);  // what is searched has a limit of its own; none would refuse every body in 1.74
    parser.skip(wanted.method == "HEAD");
  }

  std::string answered() const {
    return wanted.shown_url + " answered " + std::to_string(parser.get().result_int());
  }
  std::string no_match() const { return answered() + ", but its body does not contain body_contains"; }

  std::optional<std::string> judge_header() const {
    if (!wanted.expected.contains(static_cast<int>(parser.get().result_int())))
      return answered() + " " + printable(std::string(parser.get().reason()), 64) + "; expected is " +
             wanted.expected.text();
    if (wanted.body_contains.empty()) return std::string();
    return parser.is_done() ? std::optional(no_match()) : std::nullopt;
  }

  // Of the body `size` octets more are in the block.
  std::optional<std::string> search(std::size_t size) {
    // What may still begin a match must stay in front of what comes next.
    const std::size_t before = body.size() - std::min(body.size(), wanted.body_contains.size());
    body.append(block, size);
    if (body.find(wanted.body_contains, before) != std::string::npos) return std::string();
    if (parser.is_done() || body.size() >= kBodyLimit) return no_match();
    return std::nullopt;
  }

  std::string unreadable(const std::string& why) const {
    return "cannot read the answer of " + wanted.shown_url + ": " + why;
  }

  // Beast asserts that a last chunk it has seen the beginning of comes again with all of its octets. Nothing that it
  // lacks octets for in a body ends with less.
  bool must_wait() const noexcept { return starved && parser.is_header_done() && in.size() < kLastChunk; }

  std::optional<std::string> step() {
    const bool in_body = parser.is_header_done();
    if (in_body) {
      parser.get().body().data = block;
      parser.get().body().size = sizeof block;
    }
    error_code error;
    const std::size_t used = parser.put(in.data(), error);
    in.consume(used);
    if (error && error != http::error::need_more && error != http::error::need_buffer)
      return unreadable(printable(error.message()));
    starved = error == http::error::need_more || used == 0;
    // It would wait for the end of a chunk's extensions, or of a trailer, for ever.
    if (starved && in_body && in.size() > kHeaderLimit) return unreadable("a chunk without an end");
    if (in_body) return search(sizeof block - parser.get().body().size);
    return parser.is_header_done() ? judge_header() : std::nullopt;
  }

  const HttpRequest& wanted;
  http::response_parser<http::buffer_body> parser;
  beast::flat_buffer in;  // what the parser has not taken yet
  std::string body;       // its beginning, for the search
  char block[4096];
  bool anything = false;  // has come
  bool starved = false;   // the last step ended for want of octets
};

AnswerJudge::AnswerJudge(const HttpRequest& wanted) : impl_(std::make_unique<Impl>(wanted)) {}
AnswerJudge::~AnswerJudge() = default;

std::optional<std::string> AnswerJudge::take(std::string_view octets) {
  Impl& self = *impl_;
  self.anything = true;
  self.in.commit(asio::buffer_copy(self.in.prepare(octets.size()), asio::buffer(octets.data(), octets.size())));
  if (self.must_wait()) return std::nullopt;
  do {
    if (auto verdict = self.step()) return verdict;
  } while (!self.starved && self.in.size() != 0);
  return std::nullopt;
}

std::string AnswerJudge::end() {
  Impl& self = *impl_;
  if (!self.anything) return self.wanted.endpoint + " closed the connection without an answer";
  // Only here does a body without a length end.
  if (self.parser.is_header_done() && self.parser.need_eof()) return self.no_match();
  return self.wanted.endpoint + " closed the connection in the middle of its answer";
}

}  // namespace tenon::health
