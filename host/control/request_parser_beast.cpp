// The one file of this folder that includes Boost.Beast.
#include "control/request_parser.hpp"

#include <exception>
#include <optional>
#include <utility>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "common/text.hpp"
#include "control/problem.hpp"

namespace tenon::control {

namespace http = boost::beast::http;

namespace {

std::string to_std(boost::beast::string_view text) { return {text.data(), text.size()}; }

// "Application/JSON; charset=utf-8" → "application/json"
std::string media_type(boost::beast::string_view field) {
  std::string type(trim(std::string_view(field.data(), field.size()).substr(0, field.find(';'))));
  for (char& c : type) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return type;
}

}  // namespace

struct RequestParser::Impl {
  explicit Impl(RequestLimits l) : limits(l) { restart(); }

  void restart() {
    parser.emplace();
    parser->header_limit(limits.head);
    parser->body_limit(limits.body);
    state = State::head;
    told_to_continue = starved = false;
  }

  std::size_t step(std::string_view bytes);
  // Beast asserts that a last chunk it has seen the beginning of comes again with all of its 5 octets: "0\r\n\r\n".
  bool must_wait(std::string_view bytes) const noexcept {
    return starved && state == State::body && bytes.size() < kLastChunk;
  }

  static constexpr std::size_t kLastChunk = 5;
  RequestLimits limits;
  std::optional<http::request_parser<http::string_body>> parser;
  State state = State::head;
  bool told_to_continue = false;
  bool starved = false;  // the last step ended for want of octets
  boost::system::error_code error;
};

RequestParser::RequestParser(RequestLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;

// One step; how many bytes it took. 0: it needs more behind what it has seen, or it is done or failed.
std::size_t RequestParser::Impl::step(std::string_view bytes) {
  boost::system::error_code failed;
  std::size_t used = 0;
  try {
    used = parser->put(boost::asio::const_buffer(bytes.data(), bytes.size()), failed);
  } catch (const std::exception&) {  // string_body lets bad_alloc and length_error through
    failed = http::error::body_limit;
  }
  starved = failed == http::error::need_more;
  if (parser->is_header_done() && state == State::head) state = State::body;
  if (failed && failed != http::error::need_more) {
    error = failed;
    state = State::failed;
  } else if (parser->is_done()) {
    state = State::done;
  }
  return used;
}

std::size_t RequestParser::feed_head(std::string_view bytes) {
  std::size_t consumed = 0;
  impl_->parser->eager(false);  // a step ends with the head
  while (consumed < bytes.size() && impl_->state == State::head) {
    const std::size_t used = impl_->step(bytes.substr(consumed));
    consumed += used;
    if (used == 0) break;
  }
  return consumed;
}

std::size_t RequestParser::feed(std::string_view bytes) {
  std::size_t consumed = 0;
  impl_->parser->eager(true);
  while (consumed < bytes.size() && (impl_->state == State::head || impl_->state == State::body)) {
    if (impl_->must_wait(bytes.substr(consumed))) break;
    const std::size_t used = impl_->step(bytes.substr(consumed));
    consumed += used;
    if (used == 0 || impl_->starved) break;
  }
  // Beast bounds a head and a body, but waits for the end of a chunk's extensions or of a trailer for ever.
  if (impl_->state == State::body && bytes.size() - consumed > impl_->limits.head) {
    impl_->error = http::error::header_limit;
    impl_->state = State::failed;
  }
  return consumed;
}

std::string_view RequestParser::authorization() const {
  const auto field = impl_->parser->get()[http::field::authorization];
  return {field.data(), field.size()};
}

RequestParser::State RequestParser::state() const noexcept { return impl_->state; }

bool RequestParser::wants_continue() {
  if (impl_->state != State::body || impl_->told_to_continue) return false;
  const auto& message = impl_->parser->get();
  if (message.version() < 11 || !boost::beast::iequals(message[http::field::expect], "100-continue")) return false;
  return impl_->told_to_continue = true;
}

HttpRequest RequestParser::take() {
  auto message = impl_->parser->release();
  HttpRequest request;
  request.method = to_std(message.method_string());
  request.target = to_std(message.target());
  request.content_type = media_type(message[http::field::content_type]);
  request.authorization = to_std(message[http::field::authorization]);
  request.keep_alive = message.keep_alive();
  request.chunked_ok = message.version() >= 11;
  request.body = std::move(message.body());
  impl_->restart();
  return request;
}

HttpResponse RequestParser::failure() const {
  const auto& error = impl_->error;
  if (error == http::error::header_limit) {
    return problem(431,
                   "the request's head is longer than " + std::to_string(impl_->limits.head) + " bytes; shorten it");
  }
  if (error == http::error::body_limit) {
    return problem(413, "the request's body is longer than " + std::to_string(impl_->limits.body) +
                            " bytes; send less at a time");
  }
  return problem(400, "this is no HTTP/1.1 request (" + error.message() + "); look at what sends it");
}

}  // namespace tenon::control
