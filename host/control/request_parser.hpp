// Bytes from a client become HTTP requests, one after the other.
//
// The model. A parser is in its *head*, then in its *body*, then *done*; or it *failed* and stays so: a client that
// broke the syntax or a limit cannot be followed any further, and gets one answer and its connection closed. take()
// hands out a done request and starts over. Bytes that were not consumed belong to the caller, who presents them
// again with more behind.
//
// Boost.Beast reads; it hides in request_parser_beast.cpp. [any], one caller at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "control/http_message.hpp"

namespace tenon::control {

struct RequestLimits {
  std::uint32_t head = 16 << 10;  // request line and fields
  std::uint64_t body = 8 << 20;
};

class RequestParser {
 public:
  enum class State : std::uint8_t { head, body, done, failed };

  explicit RequestParser(RequestLimits limits = {});
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Consumes from the front; returns how many bytes. Does nothing once done or failed.
  std::size_t feed(std::string_view bytes);
  // The same, but stops behind the head: nothing of the body is read, or room made for it, before its caller has looked
  // at authorization().
  std::size_t feed_head(std::string_view bytes);
  State state() const noexcept;
  // The Authorization field; empty if there is none. Requires State::body or State::done.
  std::string_view authorization() const;
  // The client waits for "100 Continue" before it sends the body; true once a request.
  bool wants_continue();
  // Requires State::done.
  HttpRequest take();
  // Requires State::failed: the answer that says why.
  HttpResponse failure() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tenon::control
