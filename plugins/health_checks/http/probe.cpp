#include "probe.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "../../common/duration_text.hpp"
#include "../common/wording.hpp"

namespace tenon::health {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;

constexpr std::size_t kBodyLimit = 1 << 20;       // octets of a body that are searched
constexpr std::uint32_t kHeaderLimit = 64 * 1024;  // octets of an answer's header; servers themselves allow 8 to 64 KiB

// Null with the error when the configured authorities cannot be read; asked for again, it tries again.
std::shared_ptr<ssl::context> tls_context(HttpShared& shared, boost::system::error_code& unreadable) {
  const std::lock_guard hold(shared.lock);
  if (shared.tls == nullptr) {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    context->set_verify_mode(shared.request.verify ? ssl::verify_peer : ssl::verify_none);
    if (shared.request.verify) {
      if (shared.request.ca_file.empty()) context->set_default_verify_paths();
      else if (context->load_verify_file(shared.request.ca_file, unreadable)) return nullptr;
      context->set_verify_callback(ssl::host_name_verification(shared.request.server_name));
    }
    shared.tls = std::move(context);
  }
  return std::static_pointer_cast<ssl::context>(shared.tls);
}

http::request<http::empty_body> message_for(const HttpRequest& wanted) {
  http::request<http::empty_body> message;
  message.method_string(wanted.method);
  message.target(wanted.target);
  message.set(http::field::host, wanted.host_header);
  message.set(http::field::connection, "close");
  message.set(http::field::user_agent, "tenon-health-check");
  if (wanted.method == "POST" || wanted.method == "PUT" || wanted.method == "PATCH") message.content_length(0);
  for (const auto& [name, value] : wanted.headers) message.set(name, value);
  return message;
}

// A server that ends without TLS's farewell has ended all the same where the end of the connection is the end of the body.
bool is_end(const boost::system::error_code& error) {
  return error == asio::error::eof || error == http::error::end_of_stream || error == ssl::error::stream_truncated;
}

std::string shown(const boost::system::error_code& error) { return printable(error.message()); }

}  // namespace

// Ends the probe with a reason.
struct HttpProbe::Failed {
  std::string reason;
};

HttpProbe::Failed HttpProbe::late() const {
  return {"no complete answer from " + shared_->request.shown_url + " within " +
          plugins::describe_duration(static_cast<std::uint64_t>(limit_.count()))};
}

HttpProbe::HttpProbe(std::shared_ptr<HttpShared> shared, std::chrono::nanoseconds limit)
    : shared_(std::move(shared)), limit_(limit), deadline_(std::chrono::steady_clock::now() + limit) {}

template <class Operation>
HttpProbe::error_code HttpProbe::finish(Operation&& operation) {
  {
    const std::lock_guard hold(lock_);
    if (aborted_) return asio::error::operation_aborted;
    context_.restart();
  }
  error_code result = asio::error::operation_aborted;  // what it stays when abort() stops the context
  std::forward<Operation>(operation)([&result](const error_code& error, auto&&...) { result = error; });
  context_.run();
  return result;
}

void HttpProbe::run() noexcept {
  try {
    ask();
  } catch (const Failed& failed) {
    failure_ = failed.reason;
  } catch (const std::exception& e) {
    failure_ = "cannot ask " + shared_->request.shown_url + ": " + e.what();
  }
}

void HttpProbe::ask() {
  const HttpRequest& wanted = shared_->request;
  beast::tcp_stream stream(context_);
  connect(stream);
  stream.expires_at(deadline_);
  if (!wanted.secure) return converse(stream);

  error_code unreadable;
  const auto tls = tls_context(*shared_, unreadable);
  if (unreadable) throw Failed{"cannot read tls_ca_file " + wanted.ca_file + ": " + shown(unreadable)};
  beast::ssl_stream<beast::tcp_stream> secure(std::move(stream), *tls);
  if (!wanted.server_name_is_address)
    SSL_set_tlsext_host_name(secure.native_handle(), wanted.server_name.c_str());
  const error_code error =
      finish([&](auto handler) { secure.async_handshake(ssl::stream_base::client, std::move(handler)); });
  if (error == beast::error::timeout) throw late();
  if (error) throw Failed{"no TLS connection to " + wanted.endpoint + ": " + shown(error)};
  converse(secure);
}

// Each address of the name gets an equal share of the time that is left; the last failure is the answer.
template <class Stream>
void HttpProbe::connect(Stream& stream) {
  const HttpRequest& wanted = shared_->request;
  error_code error;
  const auto found =
      tcp::resolver(context_).resolve(wanted.host, std::to_string(wanted.port), tcp::resolver::numeric_service, error);
  if (error || found.empty()) throw Failed{"cannot resolve " + wanted.host};
  std::size_t untried = found.size();
  for (const auto& entry : found) {
    const auto now = std::chrono::steady_clock::now();
    stream.expires_at(now + std::max(deadline_ - now, std::chrono::nanoseconds(0)) / untried--);
    error = finish([&](auto handler) { stream.async_connect(entry.endpoint(), std::move(handler)); });
    if (!error) return;
  }
  if (error == beast::error::timeout) throw late();
  if (error == asio::error::connection_refused) throw Failed{"connection refused by " + wanted.endpoint};
  throw Failed{"cannot connect to " + wanted.endpoint + ": " + shown(error)};
}

template <class Stream>
void HttpProbe::converse(Stream& stream) {
  const HttpRequest& wanted = shared_->request;
  const auto message = message_for(wanted);
  beast::flat_buffer buffer;
  http::response_parser<http::buffer_body> parser;
  parser.header_limit(kHeaderLimit);
  parser.body_limit(UINT64_MAX);  // what is searched of it has a limit of its own; none would refuse every body in 1.74
  parser.skip(wanted.method == "HEAD");

  error_code error = finish([&](auto handler) { http::async_write(stream, message, std::move(handler)); });
  if (!error) error = finish([&](auto handler) { http::async_read_header(stream, buffer, parser, std::move(handler)); });
  if (error == beast::error::timeout)
    throw late();
  if (is_end(error)) throw Failed{wanted.endpoint + " closed the connection without an answer"};
  if (error) throw Failed{"cannot ask " + wanted.shown_url + ": " + shown(error)};

  const int status = static_cast<int>(parser.get().result_int());
  const std::string answered = wanted.shown_url + " answered " + std::to_string(status);
  if (!wanted.expected.contains(status))
    throw Failed{answered + " " + printable(std::string(parser.get().reason()), 64) + "; expected is " +
                 wanted.expected.text()};
  if (!wanted.body_contains.empty() && !body_matches(stream, parser, buffer))
    throw Failed{answered + ", but its body does not contain body_contains"};
}

template <class Stream, class Parser, class Buffer>
bool HttpProbe::body_matches(Stream& stream, Parser& parser, Buffer& buffer) {
  const HttpRequest& wanted = shared_->request;
  std::string text;
  char block[4096];
  while (!parser.is_done() && text.size() < kBodyLimit) {
    auto& body = parser.get().body();
    body.data = block;
    body.size = sizeof block;
    const error_code error =
        finish([&](auto handler) { http::async_read_some(stream, buffer, parser, std::move(handler)); });
    // What may still begin a match must stay in front of what comes next.
    const std::size_t before = text.size() - std::min(text.size(), wanted.body_contains.size());
    text.append(block, sizeof block - body.size);
    if (text.find(wanted.body_contains, before) != std::string::npos) return true;
    if (error == beast::error::timeout)
      throw late();
    if (is_end(error) && parser.need_eof()) return false;
    if (error && error != http::error::need_buffer)
      throw Failed{"cannot read the answer of " + wanted.shown_url + ": " + shown(error)};
  }
  return false;
}

void HttpProbe::abort() noexcept {
  const std::lock_guard hold(lock_);
  aborted_ = true;
  context_.stop();
}

}  // namespace tenon::health
